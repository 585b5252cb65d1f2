"""One split into train, val and test: by whole groups or, as in published pipelines, by single clips (leaky).

Shares are shares of targets. A clip-level strategy shuffles units (a target with its noise) and cuts them: all
together, or each bucket of one quality, one tape or both separately. Of n, the first ``floor(train_share * n)`` are
train, the next ``floor(val_share * n)`` val, and the rest test, so a bucket of one goes to test. This stratifies; it
does not balance classes.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from math import floor

import numpy as np
from numpy.typing import NDArray

from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.digest import seed_of
from ossicle.core.errors import SplitError
from ossicle.core.records import Annotation, Recording
from ossicle.corpus.clips.clip_table import DatasetClips
from ossicle.corpus.clips.clip_units import ClipUnits
from ossicle.corpus.splits.folds import FoldEntry, SplitSettings, group_of, judged_groups, make_folds, with_partly
from ossicle.corpus.splits.hashed_split import hashed_groups
from ossicle.corpus.splits.split_kinds import NEVER_HELD_OUT, SPLIT_NAMES, TEST, VAL, HashedGroups, OneDivisionOfClips


@dataclass(frozen=True)
class Placed:
    """Recordings by id with group and fold: those ``judged`` as a whole, and all that may give clips (``folds``)."""

    judged: dict[str, FoldEntry]
    folds: dict[str, FoldEntry]


def place_recordings(
    recordings: Sequence[Recording],
    annotations: Iterable[Annotation],
    targets: Iterable[Annotation],
    partly: Collection[str],
    settings: SplitSettings,
) -> Placed:
    """Return the folds of recordings under a strategy of any kind.

    Parameters
    ----------
    recordings, annotations
        Those of the corpus.
    targets
        The annotations that may become targets: shares of train, val and test are of these.
    partly
        Ids of recordings of which a review looked at stretches only: they only teach.

    Raises
    ------
    SplitError
        The strategy cannot divide these recordings; see :func:`whole_groups`, ``folds.make_folds`` and
        ``hashed_split.hashed_groups``.
    """
    if settings.kind.divides_clips:
        return Placed({}, undivided(recordings, partly, settings.group))
    if isinstance(settings.kind, HashedGroups):
        judged = hashed_groups(recordings, targets, settings)
    elif settings.kind.holds_out_once:
        judged = whole_groups(recordings, targets, settings)
    else:
        judged = make_folds(recordings, annotations, settings)
    return Placed(judged, with_partly(judged, recordings, partly, settings.group))


def whole_groups(
    recordings: Sequence[Recording], annotations: Iterable[Annotation], settings: SplitSettings
) -> dict[str, FoldEntry]:
    """Assign whole groups to train, val and test, each to the split with the largest deficit of targets.

    Groups come in an order drawn from the seed; those without annotations are assigned by duration in the same way. No
    split stays empty if there are three annotated groups. Left-out recordings, and groups without any review, are
    absent from the result, which maps recording ids, sorted. Raises SplitError for fewer annotated groups, and for a
    label without training data.
    """
    members = judged_groups(recordings, settings.group)
    row_of = {recording.id: name for name, group_recordings in members.items() for recording in group_recordings}
    counts: dict[str, Counter[str]] = {name: Counter() for name in members}
    for key, label, n in AnnotationColumns.from_annotations(annotations).counts():
        if key in row_of:
            counts[row_of[key]][label] += n
    annotated = [name for name in members if counts[name]]
    if len(annotated) < len(SPLIT_NAMES):
        raise SplitError(
            f"train, val and test need at least three annotated groups; grouping by '{settings.group}' gives "
            f'{len(annotated)}: group by a finer field, annotate more, or use strategy = "grouped"'
        )
    order = np.random.default_rng(seed_of(settings.seed, "tapes", *members)).permutation(len(members))
    names = [list(members)[int(i)] for i in order]
    seconds = {
        name: sum(recording.duration_s for recording in group_recordings) for name, group_recordings in members.items()
    }
    fold_of = _fold_by_group([(name, float(counts[name].total())) for name in names if counts[name]], settings)
    fold_of |= _fold_by_group([(name, seconds[name]) for name in names if not counts[name]], settings, fill=False)
    _check_labels((fold_of[name], label, n) for name in annotated for label, n in counts[name].items())
    return dict(
        sorted(
            (recording.id, FoldEntry(name, fold_of[name]))
            for name, group_recordings in members.items()
            for recording in group_recordings
        ),
    )


def undivided(recordings: Sequence[Recording], partly: Collection[str], group: str) -> dict[str, FoldEntry]:
    """Return every recording that may give clips, with its group, for strategies that split clips; none has a fold
    itself.
    """
    used = [
        recording
        for recording in recordings
        if (recording.reviewed or recording.id in partly) and recording.status != "left_out"
    ]
    return dict(sorted((recording.id, FoldEntry(group_of(recording, group), NEVER_HELD_OUT)) for recording in used))


def divide_clips(built: DatasetClips, settings: SplitSettings) -> DatasetClips:
    """Return the dataset with each unit in train, val or test; unchanged if the strategy divides groups.

    Raises SplitError if a split gets no target, or a label has no training data.
    """
    kind = settings.kind
    if not isinstance(kind, OneDivisionOfClips):
        return built
    units = built.units
    folds = np.full(len(units), TEST, dtype=np.int64)
    for bucket, numbers in sorted(_buckets(units, kind).items()):
        rng = np.random.default_rng(seed_of(settings.seed, "clips", *bucket))
        shuffled = numbers[rng.permutation(len(numbers))]
        n_train, n_val = (
            _share_of_units(settings.train_share, len(numbers)),
            _share_of_units(settings.val_share, len(numbers)),
        )
        folds[shuffled[:n_train]] = NEVER_HELD_OUT
        folds[shuffled[n_train : n_train + n_val]] = VAL
    label = units.clips.label[units.first]
    names = units.clips.labels
    targets = [number for number, name in enumerate(names) if name]
    labelled = np.isin(label, targets)
    empty = [name for fold, name in SPLIT_NAMES.items() if not (folds[labelled] == fold).any()]
    if empty:
        raise SplitError(
            f"split.strategy = {settings.strategy!r} leaves no target for {' and '.join(empty)}: its buckets are too "
            "small for their shares; annotate more, raise the share, or use another strategy"
        )
    counts = {fold: np.bincount(label[folds == fold], minlength=len(names)) for fold in SPLIT_NAMES}
    _check_labels(
        (fold, names[number], int(fold_units[number]))
        for fold, fold_units in counts.items()
        for number in targets
        if fold_units[number]
    )
    return replace(built, units=units.in_folds(folds))


def _buckets(units: ClipUnits, kind: OneDivisionOfClips) -> dict[tuple[str, ...], NDArray[np.int64]]:
    """Return the numbers of the units of each bucket, ascending, by its name."""
    rows = units.first
    group = units.clips.group[rows] if kind.by_group else np.zeros(len(rows), dtype=np.int32)
    # Noise that belongs to no target has its own bucket, in addition to those of the qualities.
    noise = units.clips.has_role("noise")[rows] & kind.by_quality
    quality = np.where(noise | ~np.isfinite(units.quality) | (not kind.by_quality), -np.inf, units.quality)
    _, first, bucket = np.unique(
        np.stack([group, noise, quality], axis=1), axis=0, return_index=True, return_inverse=True
    )
    order = np.argsort(bucket.reshape(-1), kind="stable")
    numbers = np.split(order, np.cumsum(np.bincount(bucket.reshape(-1)))[:-1])
    buckets = {}
    for unit, numbers_of in zip(first.tolist(), numbers, strict=True):
        stated = units.quality[unit]
        text = "noise" if noise[unit] else "None" if np.isnan(stated) else str(int(stated))
        name = units.clips.group_names[int(group[unit])]
        buckets[kind.strategy, *((text,) if kind.by_quality else ()), *((name,) if kind.by_group else ())] = numbers_of
    return buckets


def _share_of_units(share: float, n: int) -> int:
    # 0.7 * 10 may be less than 7 through rounding alone.
    return floor(share * n + 1e-9)


def _fold_by_group(sized: Sequence[tuple[str, float]], settings: SplitSettings, *, fill: bool = True) -> dict[str, int]:
    """Assign each group, in order, to the split with the largest deficit; with ``fill`` no split stays empty."""
    shares = {
        NEVER_HELD_OUT: settings.train_share,
        VAL: settings.val_share,
        TEST: 1.0 - settings.train_share - settings.val_share,
    }
    total = sum(size for _, size in sized)
    left = {fold: share * total for fold, share in shares.items()}
    fold_by_group: dict[str, int] = {}
    for number, (name, size) in enumerate(sized):
        empty = [fold for fold in shares if fold not in fold_by_group.values()]
        among = empty if fill and len(sized) - number <= len(empty) else list(shares)
        best = max(among, key=lambda fold: round(left[fold], 9))
        fold_by_group[name] = best
        left[best] -= size
    return fold_by_group


def _check_labels(label_counts: Iterable[tuple[int, str, int]]) -> None:
    by_label: dict[str, Counter[int]] = defaultdict(Counter)
    for fold, label, n in label_counts:
        by_label[label][fold] += n
    for label, counts in sorted(by_label.items()):
        if not counts[NEVER_HELD_OUT]:
            raise SplitError(
                f"no '{label}' is left to train on: all {counts.total()} are in val and test; use another seed, or "
                "leave the label out with [corpus] labels"
            )
