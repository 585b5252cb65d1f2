"""Kinds of splits: objects that know what a strategy divides, which models it trains, and what can be evaluated.

:mod:`ossicle.corpus.splits.folds` and :mod:`ossicle.corpus.clips` divide recordings and clips.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

TEST, VAL, NEVER_HELD_OUT = 0, 1, -1
"""The folds of a split into train, val and test: no model trains on test or val, and train is never held out."""
SPLIT_NAMES: Mapping[int, str] = {NEVER_HELD_OUT: "train", VAL: "val", TEST: "test"}


@dataclass(frozen=True, slots=True)
class SplitKind(ABC):
    """One strategy of ``[split]``.

    Attributes
    ----------
    strategy
        Its name in the project file.
    divides_clips
        Whether single clips are divided, so that clips of one recording are on both sides: the split is leaky.
    holds_out_once
        Whether one split into train, val and test replaces the folds.
    threshold_from
        The clips from which the thresholds of clip figures are chosen.
    """

    strategy: str
    divides_clips: ClassVar[bool] = False
    holds_out_once: ClassVar[bool] = True
    threshold_from: ClassVar[str] = "best F1 on val"

    @property
    def judges_recordings(self) -> bool:
        """Whether recordings are held out as a whole, so that they can be scored and evaluated out of fold."""
        return not self.divides_clips

    def fold_name(self, fold: int) -> str:
        """Return the name of a fold."""
        return SPLIT_NAMES[fold]

    def models(self, folds: Iterable[int]) -> dict[str, list[int]]:
        """Return the folds that each model holds out, by the model's name."""
        return {"holdout": [TEST, VAL]}

    def judged_folds(self, folds: Iterable[int]) -> list[int]:
        """Return the folds used for figures of clips: test alone if val is there to choose the threshold."""
        return [TEST]

    def evaluated_folds(self, folds: Iterable[int]) -> list[int]:
        """Return the held-out folds used for figures of recordings and events: all, if thresholds are cross-fitted.

        If some are left out, the others only choose thresholds.
        """
        return sorted(set(folds) - {NEVER_HELD_OUT})

    @abstractmethod
    def held_out_in_words(self, n_folds: int) -> str:
        """Return what each model holds out, for a page."""

    def leak_in_words(self, groups_cut: Collection[str], n_groups: int, group: str) -> str:
        """Return the warning of dataset, report and bundle about a leak; empty if groups stay whole."""
        return ""

    def unjudged_because(self, group: str) -> str:
        """Return why no recording can be evaluated out of fold, for a message; empty if recordings can."""
        return ""


@dataclass(frozen=True, slots=True)
class FoldsOfGroups(SplitKind):
    """Whole groups in folds, each held out once by its own model.

    >>> FoldsOfGroups("grouped").models([0, 1, NEVER_HELD_OUT])
    {'fold0': [0], 'fold1': [1]}
    """

    holds_out_once: ClassVar[bool] = False
    threshold_from: ClassVar[str] = "best F1 on the clips of the other folds"

    def fold_name(self, fold: int) -> str:
        """Return ``fold 3``, or ``no fold`` if it is never held out."""
        return "no fold" if fold == NEVER_HELD_OUT else f"fold {fold}"

    def models(self, folds: Iterable[int]) -> dict[str, list[int]]:
        """Return one model for each fold."""
        return {f"fold{fold}": [fold] for fold in sorted(set(folds) - {NEVER_HELD_OUT})}

    def judged_folds(self, folds: Iterable[int]) -> list[int]:
        """Return all folds."""
        return sorted(set(folds))

    def held_out_in_words(self, n_folds: int) -> str:
        """Return the number of folds."""
        return f"one fold at a time, {n_folds} folds"


@dataclass(frozen=True, slots=True)
class OneDivisionOfGroups(SplitKind):
    """Whole groups in train, val and test; val and test are held out by one model."""

    def held_out_in_words(self, n_folds: int) -> str:
        """Return which model holds out what."""
        return f"val and test together, by one model that learned from train ({self.strategy})"


@dataclass(frozen=True, slots=True)
class HashedGroups(SplitKind):
    """Whole groups in train, val and test by the hash of their names: val chooses thresholds, test is evaluated.

    >>> HashedGroups("hashed").evaluated_folds([TEST, VAL, NEVER_HELD_OUT])
    [0]
    """

    def evaluated_folds(self, folds: Iterable[int]) -> list[int]:
        """Return test alone."""
        return [TEST]

    def held_out_in_words(self, n_folds: int) -> str:
        """Return which model holds out what, and what val and test are for."""
        return f"test, by one model that learned from train, with thresholds from val ({self.strategy})"


@dataclass(frozen=True, slots=True)
class OneDivisionOfClips(SplitKind):
    """Single clips in train, val and test, as in published pipelines: leaky.

    ``by_quality`` and ``by_group`` define the buckets of clips that are divided separately.
    """

    by_quality: bool = False
    by_group: bool = False
    divides_clips: ClassVar[bool] = True

    def held_out_in_words(self, n_folds: int) -> str:
        """Return which model holds out what."""
        return f"single clips of val and test, by one model that learned from train ({self.strategy})"

    def leak_in_words(self, groups_cut: Collection[str], n_groups: int, group: str) -> str:
        """Return how many groups the strategy divides."""
        return f"leaky: {self.strategy} cuts through {len(groups_cut)} of {n_groups} groups of '{group}'"

    def unjudged_because(self, group: str) -> str:
        """Return that clips of one group are on both sides."""
        return f"is leaky: it puts clips of one {group} on both sides"


SPLIT_KINDS: Mapping[str, SplitKind] = {
    "grouped": FoldsOfGroups("grouped"),
    "proportional_by_tape": OneDivisionOfGroups("proportional_by_tape"),
    "hashed": HashedGroups("hashed"),
    "random": OneDivisionOfClips("random"),
    "quality_balanced": OneDivisionOfClips("quality_balanced", by_quality=True),
    "clipwise_balanced": OneDivisionOfClips("clipwise_balanced", by_group=True),
    "quality_and_clipwise_balanced": OneDivisionOfClips(
        "quality_and_clipwise_balanced", by_quality=True, by_group=True
    ),
}
"""Strategy in the project file to its kind."""
