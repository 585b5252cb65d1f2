"""Stretches of recordings in which no label is on, by group: what augmented copies of windows may contain.

A copy of a recording only contains sound of recordings with the same value of the group field, which no split divides.
So no sound of a recording that is held out gets into a training.
"""

from collections.abc import Mapping, Sequence

from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.core.intervals import gaps
from ossicle.core.records import Recording

Stretches = dict[str, dict[str, tuple[tuple[float, float], ...]]]
"""By group and recording: start and end in seconds."""


def groups_of(dataset: DatasetFolder) -> dict[str, str]:
    """Return the group of each recording that has one: by its fold, else by its clips."""
    groups = {key: group for key, group, _ in dataset.clips.places()}
    return groups | {row["recording_id"]: row["group"] for row in dataset.folds.to_dicts()}


def stretches_without_labels(
    recordings: Sequence[Recording], dataset: DatasetFolder, groups: Mapping[str, str], least_s: float
) -> Stretches:
    """Return the stretches in which no label is on.

    Parameters
    ----------
    recordings
        The recordings of the corpus. Only those annotated as a whole count: elsewhere an event may be there.
    dataset
        The annotations; a recording with labels whose presence is unknown does not count.
    groups
        The group of each recording.
    least_s
        Length of the shortest stretch in seconds.
    """
    free_stretches: Stretches = {}
    for recording in recordings:
        if not recording.reviewed or recording.id not in groups or recording.id in dataset.unknown:
            continue
        busy = dataset.annotations.of(recording.id).intervals()
        free = [(start, end) for start, end in gaps(busy, 0.0, recording.duration_s).tolist() if end - start >= least_s]
        if free:
            free_stretches.setdefault(groups[recording.id], {})[recording.id] = tuple(free)
    return free_stretches
