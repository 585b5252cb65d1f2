"""Annotations of a recording that start at about the same time, as one target with several labels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ossicle.core.columns.annotation_columns import AnnotationColumns

# Rounding of times in a table must not divide hits exactly the limit apart.
_ROUNDING_S = 1e-9


def onset_groups(annotations: AnnotationColumns, within_s: float) -> NDArray[np.int64]:
    """Return the group of each annotation: those of a recording that start at most ``within_s`` after its first.

    Parameters
    ----------
    annotations
        Annotations in any order within their recordings.
    within_s
        Longest time after the first start of a group, in seconds.

    Returns
    -------
    ndarray
        int64 (n,): a number for each annotation, equal within a group, rising in time from recording to recording.

    Examples
    --------
    >>> from ossicle.core.records import Annotation
    >>> hits = [Annotation("a", start, start + 0.2, label) for start, label in ((1.0, "hat"), (1.02, "kick"))]
    >>> later = Annotation("a", 1.04, 1.2, "snare")
    >>> onset_groups(AnnotationColumns.from_annotations([*hits, later]), 0.03).tolist()
    [0, 0, 1]
    """
    order = np.lexsort((annotations.start_s, annotations.recording))
    recording, start_s = annotations.recording[order], annotations.start_s[order]
    # Only rows close to the one before can belong to its group; these few are followed one by one.
    near = np.zeros(len(order), dtype=np.bool_)
    near[1:] = (recording[1:] == recording[:-1]) & (np.diff(start_s) <= within_s + _ROUNDING_S)
    first = np.ones(len(order), dtype=np.bool_)
    begun_s = 0.0
    for row in np.flatnonzero(near).tolist():
        if first[row - 1]:
            begun_s = float(start_s[row - 1])
        first[row] = start_s[row] - begun_s > within_s + _ROUNDING_S
    groups = np.empty(len(order), dtype=np.int64)
    groups[order] = np.cumsum(first) - 1
    return groups


def at_first_starts(annotations: AnnotationColumns, groups: NDArray[np.int64]) -> AnnotationColumns:
    """Return annotations that start with the first of their group."""
    earliest = np.full(int(groups.max(initial=-1)) + 1, np.inf)
    np.minimum.at(earliest, groups, annotations.start_s)
    return replace(annotations, start_s=earliest[groups])


@dataclass(frozen=True, eq=False)
class MergedTargets:
    """The labels of the clips of annotations, where those that start together are one target.

    ``clip_starts`` are the annotations with the start of their clip; ``groups`` is what :func:`onset_groups` returned
    for them.
    """

    clip_starts: AnnotationColumns
    groups: NDArray[np.int64]

    def labels_at(self, recording_id: str, start_s: float, label: str) -> tuple[str, ...]:
        """Return all labels that start together with the annotation of ``label`` whose clip starts at ``start_s``.

        Parameters
        ----------
        recording_id, start_s, label
            Recording, start in seconds and label of a clip.

        Returns
        -------
        tuple of str
            Labels, sorted; ``label`` alone if no annotation has such a clip.
        """
        names: Sequence[str] = self.clip_starts.labels
        if label not in names:
            return (label,)
        rows = self.clip_starts.groups.rows(recording_id)
        simultaneous_labels, codes = self.groups[rows], self.clip_starts.label[rows]
        here = (self.clip_starts.start_s[rows] == start_s) & (codes == names.index(label))
        together = np.isin(simultaneous_labels, simultaneous_labels[here])
        return tuple(names[code] for code in np.unique(codes[together]).tolist()) or (label,)
