"""Which labels are in the clips of a recording, for models that hear whole clips."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.core.intervals import as_intervals, overlap
from ossicle.core.records import Annotation
from ossicle.corpus.windows.window_truth import OFF_TRUTH, ON_TRUTH, UNKNOWN_TRUTH

_HALF = 0.5
_TOUCH_S = 1e-3


def clip_truth(
    n_clips: int,
    clip_s: float,
    duration_s: float,
    annotations: Sequence[Annotation],
    labels: Sequence[str],
    unknown: Collection[str] = (),
) -> NDArray[np.int8]:
    """Return whether each label is in each clip of a reviewed recording; clips follow each other from its start.

    Parameters
    ----------
    n_clips
        Number of clips; the last one may go beyond the end of the recording.
    clip_s
        Length of a clip in seconds.
    duration_s
        Length of the recording in seconds.
    annotations
        The annotations of the recording.
    labels
        The labels, in the order of the columns.
    unknown
        Labels that may or may not be present.

    Returns
    -------
    ndarray
        int8, shape (n_clips, n_labels): 1 in the clip (half of an annotation lies in it, or fills half of it), 0 not
        in it (no part of an annotation), -1 unknown.

    Examples
    --------
    >>> calls = [Annotation("a", 4.5, 5.25, "wren"), Annotation("a", 0.0, 12.0, "rain")]
    >>> clip_truth(3, 5.0, 12.0, calls, ["rain", "wren"]).tolist()
    [[1, 1], [1, -1], [1, 0]]
    """
    truth = np.full((n_clips, len(labels)), OFF_TRUTH, dtype=np.int8)
    starts_s = clip_s * np.arange(n_clips)
    ends_s = np.minimum(starts_s + clip_s, max(duration_s, 0.0))
    clips = np.stack([starts_s, np.maximum(ends_s, starts_s)], axis=1)
    for column, label in enumerate(labels):
        if label in unknown:
            truth[:, column] = UNKNOWN_TRUTH
            continue
        notes = as_intervals(
            [(annotation.start_s, annotation.end_s) for annotation in annotations if annotation.label == label]
        )
        if len(notes) == 0:
            continue
        common_s = overlap(clips, notes)
        shorter_s = np.minimum((clips[:, 1] - clips[:, 0])[:, None], (notes[:, 1] - notes[:, 0])[None])
        truth[(common_s > _TOUCH_S).any(axis=1), column] = UNKNOWN_TRUTH
        truth[((common_s > 0) & (common_s >= _HALF * shorter_s)).any(axis=1), column] = ON_TRUTH
    return truth
