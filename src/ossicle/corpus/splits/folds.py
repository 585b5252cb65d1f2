"""Grouped, stratified cross-validation folds: a whole group is held out together (invariant 2).

They are computed (``splits.fold_assignment``) or published with the recordings (``splits.published_folds``).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.digest import normal_path
from ossicle.core.errors import SplitError
from ossicle.core.records import Annotation, Recording
from ossicle.core.settings import setting, settings
from ossicle.corpus.splits.fold_assignment import check_training, deal, deal_order
from ossicle.corpus.splits.published_folds import published_folds
from ossicle.corpus.splits.split_kinds import NEVER_HELD_OUT, SPLIT_KINDS, SplitKind

BUILT_IN_GROUPS = ("recording", "folder")
GROUPED = "grouped"


@settings
class SplitSettings:
    """How recordings, or the clips in them, are split."""

    strategy: str = setting(
        default=GROUPED,
        choices=tuple(SPLIT_KINDS),
        help="grouped: whole groups, each fold held out once; hashed: whole groups in train, val and test by the hash "
        "of their names, so none moves when others are added; proportional_by_tape: whole groups in train, val and "
        "test by shares of targets; the others divide single clips into train, val and test, so a group can be in "
        "more than one of them (leaky)",
    )
    group: str = setting(
        default="recording",
        help="field whose values are never divided by a split, except by leaky strategies; `recording` and "
        "`folder` are built in",
    )
    folds: int = setting(default=0, help="number of folds; 0 holds each group out once; only for `grouped`", ge=0)
    fold_field: str = setting(
        default="",
        help="field with the number of the fold in which a recording is held out (published folds); `folds` "
        "and `seed` are then ignored; only for `grouped`; empty: make new folds",
    )
    rare: str = setting(
        default="each_fold",
        choices=("each_fold", "train"),
        help="labels with fewer groups than folds: each_fold: assigned like all others, so some folds cannot "
        "evaluate them; train: their groups are never held out, so every model learns from them and they "
        "are not evaluated",
    )
    train_share: float = setting(default=0.7, help="share of train; not for `grouped`", gt=0, lt=1)
    val_share: float = setting(default=0.15, help="share of val; not for `grouped`; test is the rest", gt=0, lt=1)
    seed: int = setting(default=0, help="seed of the order in which equal groups, or clips, are assigned", ge=0)

    def __post_init__(self) -> None:
        """Reject a single fold, which leaves nothing to train on, and shares that leave no test data."""
        if self.folds == 1:
            raise ValueError("folds = 1 leaves nothing to train on; use 0 (each group held out once) or at least 2")
        if self.fold_field and self.strategy != GROUPED:
            raise ValueError(f"fold_field = {self.fold_field!r} is for strategy = {GROUPED!r}: leave one of them out")
        if self.rare == "train" and (self.fold_field or self.strategy != GROUPED or self.folds == 0):
            raise ValueError('rare = "train" works with new folds only: set folds, and neither fold_field nor strategy')
        if self.train_share + self.val_share > 1 - 1e-9:
            raise ValueError(f"val_share = {self.val_share:g} and train_share = {self.train_share:g} leave no test")

    @property
    def kind(self) -> SplitKind:
        """The kind of the strategy."""
        return SPLIT_KINDS[self.strategy]


@dataclass(frozen=True, slots=True)
class FoldEntry:
    """The group of a recording and the fold (from 0, or :data:`NEVER_HELD_OUT`) in which it is held out.

    If one split replaces the folds, they are those of ``split_kinds.SPLIT_NAMES``.
    """

    group: str
    fold: int


def group_of(recording: Recording, group: str) -> str:
    """Return the value of the field ``group`` for a recording.

    ``recording`` is its own id and ``folder`` its folder below the root (with the root's name), unless the recording
    has fields of these names.

    Raises
    ------
    SplitError
        Naming the file and the available fields, if the field is unknown or empty.
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
    """Assign whole groups to folds; return a mapping from recording ids, sorted, to their group and fold.

    Only groups with a reviewed recording that is not left out are assigned, because nothing can be measured in the
    others. Recordings of other groups, and left-out recordings, are absent from the result.

    Raises
    ------
    SplitError
        For fewer than two groups, fewer groups than folds, a fold without annotations on its training side, and a label
        of several groups of which none remains for training. A label of a single group always lacks training data;
        :func:`split_notes` names it.
    """
    members = judged_groups(recordings, settings.group)
    if len(members) < 2:
        found_groups = f"only one ('{next(iter(members))}')" if members else "none"
        raise SplitError(
            f"grouping by '{settings.group}' needs at least two groups of reviewed recordings, found {found_groups}; "
            "group by another field or add recordings"
        )
    names, labels, counts = count_groups(members, annotations)
    if settings.fold_field:
        fold_of = published_folds(members, settings.fold_field)
    else:
        fold_of = _fold_of_groups(members, names, labels, counts, settings)
    check_training(names, labels, counts, fold_of)
    return {
        recording.id: FoldEntry(name, int(fold))
        for recording, name, fold in sorted(
            ((r, name, fold) for name, fold in zip(names, fold_of, strict=True) for r in members[name]),
            key=lambda row: row[0].id,
        )
    }


def _fold_of_groups(
    members: Mapping[str, Sequence[Recording]],
    names: Sequence[str],
    labels: Sequence[str],
    counts: NDArray[np.float64],
    settings: SplitSettings,
) -> NDArray[np.int64]:
    """Return the fold of each group, :data:`NEVER_HELD_OUT` for groups of rare labels that every model trains on."""
    n_folds = settings.folds or len(names)
    fold_of = np.arange(len(names))
    dealt = fold_of
    if settings.rare == "train":
        rare = np.count_nonzero(counts, axis=0) < n_folds
        dealt = np.flatnonzero(~(counts[:, rare] > 0).any(axis=1))
    if n_folds > len(dealt):
        n_kept = len(names) - len(dealt)
        raise SplitError(
            f"{n_folds} folds were requested, but grouping by '{settings.group}' gives {len(names)} groups"
            + (f", {n_kept} of them with labels of fewer groups than folds, which stay in train" * (n_kept > 0))
            + f"; use folds = {len(dealt)} or fewer, or "
            + ('rare = "each_fold"' if n_kept else "0 to hold each group out once")
        )
    if settings.folds:
        seconds = np.array([[sum(r.duration_s for r in members[name])] for name in names])
        chosen = [names[int(row)] for row in dealt]
        order = deal_order(chosen, counts[dealt], settings.seed)
        fold_of = np.full(len(names), NEVER_HELD_OUT)
        fold_of[dealt] = deal(np.hstack([counts, seconds])[dealt], len(labels), order, n_folds)
    return fold_of


@dataclass(frozen=True, slots=True)
class RareLabel:
    """A label with fewer groups than folds, and the folds in which it can be evaluated."""

    label: str
    groups: int
    recordings: int
    folds: tuple[int, ...]


def rare_labels(folds: Mapping[str, FoldEntry], annotations: Iterable[Annotation]) -> tuple[RareLabel, ...]:
    """Return the labels with fewer groups than folds, the rarest first."""
    folds_by_label: dict[str, dict[str, FoldEntry]] = defaultdict(dict)
    for key, label, _ in AnnotationColumns.from_annotations(annotations).counts():
        if key in folds:
            folds_by_label[label][key] = folds[key]
    n_folds = len({entry.fold for entry in folds.values()} - {NEVER_HELD_OUT})
    rows = [
        RareLabel(
            label,
            len({entry.group for entry in entries.values()}),
            len(entries),
            tuple(sorted({entry.fold for entry in entries.values()} - {NEVER_HELD_OUT})),
        )
        for label, entries in folds_by_label.items()
    ]
    return tuple(sorted((row for row in rows if row.groups < n_folds), key=lambda row: (row.groups, row.label)))


def with_partly(
    folds: Mapping[str, FoldEntry], recordings: Sequence[Recording], partly: Collection[str], group: str
) -> dict[str, FoldEntry]:
    """Return the folds with the partly checked recordings ``partly`` (ids) added.

    A recording of an assigned group is already in that group's fold. The others go into fold :data:`NEVER_HELD_OUT`: no
    recording of their groups is annotated as a whole, so none is evaluated, and every training may use them.
    """
    used = [
        recording
        for recording in recordings
        if recording.id in partly and recording.id not in folds and recording.status != "left_out"
    ]
    placed = {recording.id: FoldEntry(group_of(recording, group), NEVER_HELD_OUT) for recording in used}
    return dict(sorted({**folds, **placed}.items()))


def split_notes(folds: Mapping[str, FoldEntry], annotations: Iterable[Annotation]) -> tuple[str, ...]:
    """Return warnings for readers of the results: labels that no fold can judge.

    While the only group of a label is held out, no fold trains on it. A label whose groups are never held out has no
    figures.
    """
    groups: dict[str, dict[str, int]] = defaultdict(dict)
    for key, label, _ in AnnotationColumns.from_annotations(annotations).counts():
        if key in folds:
            groups[label][folds[key].group] = folds[key].fold
    notes = []
    for label, fold_of_group in sorted(groups.items()):
        if set(fold_of_group.values()) == {NEVER_HELD_OUT}:
            notes.append(f"label '{label}' is never held out: no figure judges it")
        elif len(fold_of_group) == 1:
            notes.append(
                f"label '{label}' occurs in group '{min(fold_of_group)}' only: the model tested there was never "
                "trained on it, and its threshold was fitted without it"
            )
    return tuple(notes)


def judged_groups(recordings: Sequence[Recording], group: str) -> dict[str, list[Recording]]:
    """Return recordings that are not left out, by group, sorted, for groups with at least one reviewed recording."""
    members: dict[str, list[Recording]] = defaultdict(list)
    for recording in recordings:
        if recording.status != "left_out":
            members[group_of(recording, group)].append(recording)
    return {name: members[name] for name in sorted(members) if any(r.reviewed for r in members[name])}


def count_groups(
    members: Mapping[str, Sequence[Recording]], annotations: Iterable[Annotation]
) -> tuple[list[str], list[str], NDArray[np.float64]]:
    """Return names of groups, labels, and annotations per group and label, shape (n_groups, n_labels).

    ``members`` are the recordings of each group; annotations of other recordings do not count.
    """
    names = list(members)
    row_of = {recording.id: row for row, name in enumerate(names) for recording in members[name]}
    every = AnnotationColumns.from_annotations(annotations).counts()
    known_counts = [(row_of[key], label, n) for key, label, n in every if key in row_of]
    labels = sorted({label for _, label, _ in known_counts})
    column_of = {label: column for column, label in enumerate(labels)}
    counts = np.zeros((len(names), len(labels)))
    for row, label, n in known_counts:
        counts[row, column_of[label]] += n
    return names, labels, counts
