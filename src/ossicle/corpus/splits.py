"""Grouped, stratified cross-validation folds: a whole group is held out together (invariant 2).

Assignment is greedy and deterministic: groups are taken from the most to the least annotated (ties in an order shuffled
by the seed), and each goes to the fold where the sum over labels, and over duration, of squared shares grows least.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.digest import normal_path, seed_of
from ossicle.core.errors import SplitError
from ossicle.core.records import Annotation, Recording
from ossicle.core.settings import setting, settings

BUILT_IN_GROUPS = ("recording", "folder")
TEST, VAL, NEVER_HELD_OUT = 0, 1, -1
"""The folds of a division into train, val and test: no model learns from test or val, and train is never held out."""

GROUPED = "grouped"
BY_GROUP = "proportional_by_tape"
LEAKY = ("random", "quality_balanced", "clipwise_balanced", "quality_and_clipwise_balanced")
STRATEGIES = (GROUPED, BY_GROUP, *LEAKY)


@settings
class SplitSettings:
    """How recordings, or the clips in them, are divided."""

    strategy: str = setting(
        default=GROUPED,
        choices=STRATEGIES,
        help="grouped: whole groups, each fold held out once; proportional_by_tape: whole groups to train, val and "
        "test; the others divide single clips over train, val and test, so that a group lies on both sides (leaky)",
    )
    group: str = setting(
        default="recording",
        help="field that no split cuts through, but for leaky strategies; `recording` and `folder` are built in",
    )
    folds: int = setting(default=0, help="number of folds; 0 holds each group out once; of `grouped` only", ge=0)
    train_share: float = setting(default=0.7, help="share of train; not of `grouped`", gt=0, lt=1)
    val_share: float = setting(default=0.15, help="share of val; not of `grouped`; test is the rest", gt=0, lt=1)
    seed: int = setting(default=0, help="order in which equal groups, or clips, are assigned", ge=0)

    def __post_init__(self) -> None:
        """Refuse a single fold, and shares that leave no test: nothing would be left to train on, or to judge."""
        if self.folds == 1:
            raise ValueError("folds = 1 leaves nothing to train on; use 0 (each group held out once) or at least 2")
        if self.train_share + self.val_share > 1 - 1e-9:
            raise ValueError(f"val_share = {self.val_share:g} and train_share = {self.train_share:g} leave no test")

    @property
    def leaky(self) -> bool:
        """Whether clips of one recording lie on both sides of the split."""
        return self.strategy in LEAKY

    @property
    def holds_out_once(self) -> bool:
        """Whether one division into train, val and test takes the place of folds."""
        return self.strategy != GROUPED


@dataclass(frozen=True, slots=True)
class FoldEntry:
    """The group of a recording and the fold (from 0, or :data:`NEVER_HELD_OUT`) in which it is held out.

    Where one division takes the place of folds, they are :data:`TEST`, :data:`VAL` and :data:`NEVER_HELD_OUT` (train).
    """

    group: str
    fold: int


def group_of(recording: Recording, group: str) -> str:
    """The value of the field ``group`` for a recording.

    ``recording`` is its own id and ``folder`` its folder below the root (with the root's name), unless the recording
    has fields of these names. Raises SplitError, naming the file and the available fields, where the field is unknown
    or empty.
    """
    value = recording.fields.get(group, "")
    if value:
        return value
    if group == "recording":
        return recording.id
    if group == "folder":
        return f"{recording.root}/{normal_path(recording.path).rpartition('/')[0]}"
    available = ", ".join([*BUILT_IN_GROUPS, *sorted(key for key in recording.fields if recording.fields[key])])
    raise SplitError(f"{recording.root}/{recording.path} has no field '{group}' to group by; available: {available}")


def make_folds(
    recordings: Sequence[Recording], annotations: Iterable[Annotation], settings: SplitSettings
) -> dict[str, FoldEntry]:
    """Assign whole groups to folds; the result maps recording ids, sorted, to their group and fold.

    Only groups with a reviewed recording that is not left out are divided, for nothing can be measured in the others:
    recordings of the others are absent from the result. Left-out recordings are absent too.

    Raises SplitError for fewer than two groups, fewer groups than folds, a fold whose training side would have no
    annotation at all, and a label that occurs in several groups of which none remains for training. A label of a single
    group cannot do better; :func:`split_notes` names it.
    """
    members = judged_groups(recordings, settings.group)
    if len(members) < 2:
        found = f"only one ('{next(iter(members))}')" if members else "none"
        raise SplitError(
            f"grouping by '{settings.group}' needs at least two groups of reviewed recordings, found {found}; "
            "group by another field or add recordings"
        )
    n_folds = settings.folds or len(members)
    if n_folds > len(members):
        raise SplitError(
            f"{n_folds} folds were asked, but grouping by '{settings.group}' gives {len(members)} groups; "
            f"use folds = {len(members)} or fewer, or 0 to hold each group out once"
        )
    names, labels, counts = _count(members, annotations)
    seconds = np.array([[sum(r.duration_s for r in members[name])] for name in names])
    order = _order(names, counts, settings.seed)
    if settings.folds == 0:
        fold_of = np.arange(len(names))
    else:
        fold_of = _assign(np.hstack([counts, seconds]), len(labels), order, n_folds)
    _check_training(names, labels, counts, fold_of)
    return {
        recording.id: FoldEntry(name, int(fold))
        for recording, name, fold in sorted(
            ((r, name, fold) for name, fold in zip(names, fold_of, strict=True) for r in members[name]),
            key=lambda row: row[0].id,
        )
    }


def with_partly(
    folds: Mapping[str, FoldEntry], recordings: Sequence[Recording], partly: Collection[str], group: str
) -> dict[str, FoldEntry]:
    """The folds with the recordings in ``partly`` (ids), of which a review looked at stretches only.

    One whose group is divided is in its group's fold already. The others go into fold :data:`NEVER_HELD_OUT`: no
    recording of their groups is annotated as a whole, so none is judged, and every training may learn from them.
    """
    used = [one for one in recordings if one.id in partly and one.id not in folds and one.status != "left_out"]
    placed = {one.id: FoldEntry(group_of(one, group), NEVER_HELD_OUT) for one in used}
    return dict(sorted({**folds, **placed}.items()))


def split_notes(folds: Mapping[str, FoldEntry], annotations: Iterable[Annotation]) -> tuple[str, ...]:
    """What a reader of the results must know: labels that occur in one group only, so that no fold trains on them
    while it is held out.
    """
    groups: dict[str, set[str]] = defaultdict(set)
    for annotation in annotations:
        if annotation.recording_id in folds:
            groups[annotation.label].add(folds[annotation.recording_id].group)
    return tuple(
        f"label '{label}' occurs in group '{min(found)}' only: the model tested there was never trained on it"
        for label, found in sorted(groups.items())
        if len(found) == 1
    )


def judged_groups(recordings: Sequence[Recording], group: str) -> dict[str, list[Recording]]:
    """Recordings that are not left out by group, sorted, of those groups of which any recording was reviewed."""
    members: dict[str, list[Recording]] = defaultdict(list)
    for recording in recordings:
        if recording.status != "left_out":
            members[group_of(recording, group)].append(recording)
    return {name: members[name] for name in sorted(members) if any(r.reviewed for r in members[name])}


def _count(
    members: Mapping[str, Sequence[Recording]], annotations: Iterable[Annotation]
) -> tuple[list[str], list[str], NDArray[np.float64]]:
    """Names of groups, labels, and annotations per group and label, shape (n_groups, n_labels)."""
    names = list(members)
    row_of = {recording.id: row for row, name in enumerate(names) for recording in members[name]}
    found = [(row_of[a.recording_id], a.label) for a in annotations if a.recording_id in row_of]
    labels = sorted({label for _, label in found})
    column_of = {label: column for column, label in enumerate(labels)}
    counts = np.zeros((len(names), len(labels)))
    for row, label in found:
        counts[row, column_of[label]] += 1
    return names, labels, counts


def _order(names: Sequence[str], counts: NDArray[np.float64], seed: int) -> list[int]:
    """Groups from the largest share of any label to the smallest; ties in an order drawn from the seed."""
    totals = np.maximum(counts.sum(axis=0), 1.0)
    size = np.round((counts / totals).sum(axis=1), 9)
    tie = np.random.default_rng(seed_of(seed, "folds", *names)).permutation(len(names))
    return [int(row) for row in np.lexsort((tie, -size))]


def _assign(weights: NDArray[np.float64], n_labels: int, order: Sequence[int], n_folds: int) -> NDArray[np.int64]:
    """Greedy folds; ``weights`` is (n_groups, n_labels + 1), the last column being duration."""
    share = weights / np.maximum(weights.sum(axis=0), 1e-12)
    load = np.zeros((n_folds, weights.shape[1]))
    filled = np.zeros(n_folds, dtype=np.int64)
    fold_of = np.full(len(weights), -1, dtype=np.int64)
    left = np.zeros(n_labels, dtype=np.int64) + (weights[:, :n_labels] > 0).sum(axis=0)
    for row in order:
        mine = weights[row, :n_labels] > 0
        left = left - mine
        # A fold must not take the last group of a label all of whose other groups it already has.
        traps = [int(np.sum(mine & (left == 0) & _only_in(load[:, :n_labels], fold))) for fold in range(n_folds)]
        # An empty fold grows least, so every fold is filled before any is filled twice.
        growth = ((load + share[row]) ** 2 - load**2).sum(axis=1)
        keys = [(traps[fold], round(float(growth[fold]), 12), filled[fold], fold) for fold in range(n_folds)]
        best = min(keys)[-1]
        fold_of[row] = best
        load[best] += share[row]
        filled[best] += 1
    return fold_of


def _only_in(load: NDArray[np.float64], fold: int) -> NDArray[np.bool_]:
    """Labels of which ``fold`` already holds something and no other fold does, shape (n_labels,)."""
    others: NDArray[np.bool_] = np.delete(load, fold, axis=0).sum(axis=0) == 0
    held: NDArray[np.bool_] = load[fold] > 0
    return held & others


def _check_training(
    names: Sequence[str], labels: Sequence[str], counts: NDArray[np.float64], fold_of: NDArray[np.int64]
) -> None:
    for fold in range(int(fold_of.max()) + 1):
        held = fold_of == fold
        out = ", ".join(f"'{name}'" for name, is_held in zip(names, held, strict=True) if is_held)
        remaining = counts[~held].sum(axis=0)
        if remaining.sum() == 0:
            raise SplitError(
                f"holding out {out} leaves no annotation to train on; "
                "group by a finer field or annotate recordings of other groups"
            )
        for label, there, here in zip(labels, remaining, counts[held].T, strict=True):
            if there == 0 and np.count_nonzero(here) > 1:
                raise SplitError(
                    f"holding out {out} leaves no '{label}' to train on, although {np.count_nonzero(here)} groups "
                    "have it; use another seed or more folds (folds = 0 holds each group out once)"
                )
