"""What the page advises to try next, and in which order."""

from typing import Any

import pytest

from ossicle.evaluation.states.next_steps import next_steps

HEADS = {"fold0": {"epochs": 40, "epochs_chosen_on": ["a", "b"]}, "final": {"epochs": 12, "epochs_chosen_on": ["a"]}}
WHOLE = {"whole": True}


def metrics(accuracy: float | None = 0.9, gap: float = 0.01, *, insufficient: bool = False) -> dict[str, Any]:
    figure = {"value": accuracy, "gap": gap, "fold": "night"}
    return {"insufficient": insufficient, "protocol": {"group": "daypart"}, "states": {"state_accuracy": figure}}


def first_words(*args: Any) -> list[str]:
    return [line.partition(":")[0] for line in next_steps(*args)]


def test_labels_come_before_epochs_and_epochs_before_stage_two() -> None:
    result = next_steps(metrics(), [WHOLE, {"whole": False}], HEADS, 40, "beats")
    assert [line.partition(":")[0] for line in result] == ["Labels", "Epochs", "Stage 2"]
    assert "1 case" in result[0]
    assert "[head] epochs = 80" in result[1]
    assert "[head] unfreeze_blocks = 1" in result[2]


def test_too_few_recordings_come_right_after_the_labels() -> None:
    assert first_words(metrics(insufficient=True), [WHOLE], HEADS, 40, "beats") == [
        "Labels",
        "Recordings",
        "Epochs",
        "Stage 2",
    ]


@pytest.mark.parametrize(("encoder", "words"), [("acoustic", "Encoder"), ("hf", "Encoder"), ("onnx", "Encoder")])
def test_stage_two_is_advised_for_beats_alone(encoder: str, words: str) -> None:
    assert first_words(metrics(), [], {}, 40, encoder) == [words]


def test_a_stage_two_that_was_tried_is_not_advised_again() -> None:
    tried = {"fold0": {**HEADS["final"], "stage_two": {"kept": False}}}
    assert first_words(metrics(), [], tried, 40, "beats") == ["Encoder"]


def test_epochs_that_nothing_chose_are_not_advised() -> None:
    last = {"fold0": {"epochs": 40, "epochs_chosen_on": []}}
    assert first_words(metrics(accuracy=0.99), [], last, 40, "acoustic") == []


def test_a_fold_far_below_the_best_asks_for_its_conditions() -> None:
    result = next_steps(metrics(gap=0.2), [], {}, 40, "acoustic")
    assert result[0].startswith("Conditions: the worst fold, night, is 0.200 below the best.")


def test_an_undefined_accuracy_asks_for_nothing() -> None:
    assert first_words(metrics(accuracy=None), [], {}, 40, "acoustic") == []
