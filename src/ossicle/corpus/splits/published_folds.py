"""Folds that were published with the recordings, such as the five of ESC-10: read from a field, without dividing
groups.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.core.errors import SplitError
from ossicle.core.records import Recording

_MOST_NAMED = 3


def published_folds(members: Mapping[str, Sequence[Recording]], field: str) -> NDArray[np.int64]:
    """Return the fold of each group, (n_groups,): the rank of its recordings' value of ``field`` (:func:`fold_values`).

    Raises SplitError, naming recordings, if the field is empty or has only one value, and, naming the group, if a group
    has several.
    """
    every = [recording for group_recordings in members.values() for recording in group_recordings]
    without = [recording.path for recording in every if not recording.fields.get(field)]
    if without:
        raise SplitError(
            f"fold_field = {field!r}: {len(without)} of {len(every)} recordings have no fold, including "
            f"{_first_paths(without)}; exclude them, or correct their names or rows"
        )
    for name, group_recordings in members.items():
        if len(values := sorted({recording.fields[field] for recording in group_recordings}, key=_natural)) > 1:
            listed = "; ".join(
                f"{value}: {_first_paths([x.path for x in group_recordings if x.fields[field] == value])}"
                for value in values
            )
            raise SplitError(
                f"fold_field = {field!r}: the group '{name}' is in several folds ({listed}), so models would be "
                "evaluated on their training data; correct the folds, or group by a field that they do not cut"
            )
    values = fold_values(every, field)
    if len(values) < 2:
        raise SplitError(f"fold_field = {field!r}: all recordings are in one fold, {values[0]!r}; leave it out")
    rank = {value: fold for fold, value in enumerate(values)}
    return np.array([rank[group_recordings[0].fields[field]] for group_recordings in members.values()], dtype=np.int64)


def fold_values(recordings: Sequence[Recording], field: str) -> list[str]:
    """Return the values of the field, sorted as numbers if they are whole numbers, else as text; the index is the
    fold.
    """
    return sorted({recording.fields[field] for recording in recordings if recording.fields.get(field)}, key=_natural)


def _natural(value: str) -> tuple[bool, int, str]:
    return (False, int(value), value) if value.isascii() and value.isdigit() else (True, 0, value)


def _first_paths(paths: Sequence[str]) -> str:
    more = len(paths) - _MOST_NAMED
    return ", ".join(paths[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
