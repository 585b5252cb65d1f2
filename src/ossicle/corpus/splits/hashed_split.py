"""A split into train, val and test by the hash of a group's name: it needs no other group, so it never moves.

A corpus that grows (sessions, drummers, kits) keeps every earlier group in its part. No other strategy promises this:
folds and shares of targets depend on all groups together.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ossicle.core.errors import SplitError
from ossicle.core.records import Annotation, Recording
from ossicle.corpus.splits.folds import FoldEntry, SplitSettings, count_groups, judged_groups
from ossicle.corpus.splits.split_kinds import NEVER_HELD_OUT, SPLIT_NAMES, TEST, VAL


def hashed_fold(group: str, settings: SplitSettings) -> int:
    """Return the part of a group: train (:data:`NEVER_HELD_OUT`), val or test.

    The group is the point in [0, 1) that the first 8 bytes of SHA-256 of the seed and its name give. Test is at the
    start, then comes val, and the rest is train. So a larger ``val_share`` moves groups from train to val only.

    Parameters
    ----------
    group
        The value of the field that no split divides; its Unicode form does not matter.
    settings
        Shares of the groups and the seed.

    Examples
    --------
    >>> settings = SplitSettings(strategy="hashed")
    >>> [SPLIT_NAMES[hashed_fold(name, settings)] for name in ("session-1", "session-2", "session-24")]
    ['train', 'val', 'test']
    """
    named = f"{settings.seed}\0{unicodedata.normalize('NFC', group)}"
    point = int.from_bytes(hashlib.sha256(named.encode("utf-8", "surrogatepass")).digest()[:8], "big") / 2**64
    test_share = 1.0 - settings.train_share - settings.val_share
    if point < test_share:
        return TEST
    return VAL if point < test_share + settings.val_share else NEVER_HELD_OUT


def hashed_groups(
    recordings: Sequence[Recording], annotations: Iterable[Annotation], settings: SplitSettings
) -> dict[str, FoldEntry]:
    """Assign whole groups to train, val and test by :func:`hashed_fold`.

    Parameters
    ----------
    recordings
        Those of the corpus. Left-out recordings, and groups without any review, are absent from the result.
    annotations
        The annotations that may become targets.
    settings
        The group, the shares and the seed.

    Returns
    -------
    dict[str, FoldEntry]
        Group and part of each recording by id, sorted.

    Raises
    ------
    SplitError
        Train, val or test has no annotated group, or a label has no training data. The groups are never moved to mend
        this, because they would not keep their places.
    """
    members = judged_groups(recordings, settings.group)
    names, labels, counts = count_groups(members, annotations)
    fold_of = {name: hashed_fold(name, settings) for name in names}
    annotated = [name for name, row in zip(names, counts, strict=True) if row.any()]
    empty = [name for fold, name in SPLIT_NAMES.items() if fold not in {fold_of[name] for name in annotated}]
    if not annotated:
        raise SplitError(
            f"no group of {settings.group!r} has annotations, so nothing can be split; ossicle dataset health -p "
            "PROJECT says what became of them"
        )
    if empty:
        raise SplitError(
            f"split.strategy = 'hashed' puts none of the {len(annotated)} annotated groups of '{settings.group}' into "
            f"{' and '.join(empty)}: annotate more groups, use another split.seed or other shares, or strategy = "
            '"proportional_by_tape" or "grouped"'
        )
    trained = np.array([fold_of[name] == NEVER_HELD_OUT for name in names])
    held, trained_counts = counts[~trained].sum(axis=0), counts[trained].sum(axis=0)
    for label, n_held, n_kept in zip(labels, held, trained_counts, strict=True):
        if n_kept == 0:
            raise SplitError(
                f"no '{label}' is left to train on: all {n_held:.0f} are in val and test; use another split.seed, or "
                "leave the label out with [corpus] labels"
            )
    return _by_recording(members, fold_of)


def _by_recording(members: Mapping[str, Sequence[Recording]], fold_of: Mapping[str, int]) -> dict[str, FoldEntry]:
    return dict(
        sorted(
            (recording.id, FoldEntry(name, fold_of[name]))
            for name, group_recordings in members.items()
            for recording in group_recordings
        )
    )
