"""What each kind of split answers."""

from collections.abc import Sequence

import pytest

from ossicle.corpus.splits.folds import SplitSettings
from ossicle.corpus.splits.split_kinds import NEVER_HELD_OUT, SPLIT_KINDS, TEST, VAL, SplitKind

GROUPED, ONCE, HASHED = (SPLIT_KINDS[name] for name in ("grouped", "proportional_by_tape", "hashed"))
LEAKY: Sequence[SplitKind] = [kind for kind in SPLIT_KINDS.values() if kind.divides_clips]


def test_every_strategy_has_a_kind_of_its_name() -> None:
    for strategy, kind in SPLIT_KINDS.items():
        assert kind.strategy == strategy
        assert SplitSettings(strategy=strategy).kind is kind


def test_folds_have_a_model_each() -> None:
    assert GROUPED.models([2, 0, 0, NEVER_HELD_OUT]) == {"fold0": [0], "fold2": [2]}
    assert GROUPED.judged_folds([2, 0, 0]) == [0, 2]
    assert [GROUPED.fold_name(fold) for fold in (3, NEVER_HELD_OUT)] == ["fold 3", "no fold"]
    assert GROUPED.held_out_in_words(5) == "one fold at a time, 5 folds"
    assert GROUPED.judges_recordings
    assert not GROUPED.holds_out_once


@pytest.mark.parametrize("kind", [ONCE, HASHED, *LEAKY], ids=lambda kind: kind.strategy)
def test_one_model_holds_out_val_and_test(kind: SplitKind) -> None:
    assert kind.holds_out_once
    assert kind.models([]) == {"holdout": [TEST, VAL]}
    assert kind.judged_folds([TEST, VAL, NEVER_HELD_OUT]) == [TEST]
    assert [kind.fold_name(fold) for fold in (NEVER_HELD_OUT, VAL, TEST)] == ["train", "val", "test"]
    assert kind.strategy in kind.held_out_in_words(2)


def test_only_hashed_groups_keep_test_for_the_figures() -> None:
    assert HASHED.evaluated_folds([TEST, VAL, NEVER_HELD_OUT]) == [TEST]
    assert ONCE.evaluated_folds([TEST, VAL, NEVER_HELD_OUT]) == [TEST, VAL]
    assert GROUPED.evaluated_folds([2, 0, NEVER_HELD_OUT]) == [0, 2]


def test_only_splits_of_clips_leak_and_judge_no_recording() -> None:
    assert [kind.strategy for kind in LEAKY] == [
        "random",
        "quality_balanced",
        "clipwise_balanced",
        "quality_and_clipwise_balanced",
    ]
    for kind in SPLIT_KINDS.values():
        leaky = kind in LEAKY
        assert kind.judges_recordings is not leaky
        assert bool(kind.leak_in_words(("a",), 3, "tape")) is leaky
        assert bool(kind.unjudged_because("tape")) is leaky
    assert LEAKY[0].leak_in_words(("a", "b"), 3, "tape") == "leaky: random cuts through 2 of 3 groups of 'tape'"
