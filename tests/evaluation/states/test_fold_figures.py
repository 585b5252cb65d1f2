"""Figures of each fold and over folds, by scores whose outcome is known."""

import numpy as np
import pytest

from ossicle.core.decisions.states import StateDecision, StateRule
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.evaluation.states.fold_figures import (
    CROSS_FITTED,
    FoldFigures,
    ResampleSettings,
    fold_figures,
    judged_states,
    over_folds,
    wide_figures,
)
from ossicle.evaluation.states.judging_rule import JudgingRule
from ossicle.inference.states.fit import ScoredStates

LABELS = ["ac", "fridge"]
PLAN = ChunkPlan(rate=8000, hop_samples=4000, window_samples=16000, core_frames=1, context_frames=0)
DECISION = StateDecision(dict.fromkeys(LABELS, StateRule()), {"ac": ("fridge",)}, ("ac", "fridge"))
RULE = JudgingRule(DECISION, {"ac": 0.5, "fridge": 0.4})
HOW = ResampleSettings(bootstrap=100, seed=0, within_s=3.0)


def recording(ac: int, fridge: int, wrong: int = 0, n: int = 20, group: str = "day") -> ScoredStates:
    """Scores of 0.9 where a label is on, 0.1 elsewhere; those of the fridge are wrong in the last ``wrong`` windows."""
    truth = np.tile(np.array([[ac, fridge]], dtype=np.int8), (n, 1))
    scores = np.where(truth == 1, 0.9, 0.1).astype(np.float32)
    scores[n - wrong :, 1] = 1 - scores[n - wrong :, 1]
    return ScoredStates(scores, truth, group, 0)


def fold(name: str, wrong: int) -> FoldFigures:
    recordings = {
        "a": recording(0, 0),
        "b": recording(0, 1, wrong),
        "c": recording(1, 0),
        "d": recording(1, 1),
    }
    return fold_figures(name, CROSS_FITTED, recordings, LABELS, RULE, PLAN, HOW)


def test_the_figures_of_a_fold_are_those_of_its_windows_and_files() -> None:
    figures = fold("day", wrong=5)
    assert figures.windows.state_accuracy.value == pytest.approx(75 / 80)
    assert figures.windows.f1["fridge"].value == pytest.approx(2 * 35 / (2 * 35 + 5))
    assert figures.windows.f1_unmasked["fridge"].value == pytest.approx(2 * 15 / (2 * 15 + 5))
    assert figures.files.state_accuracy.value == 1.0
    assert figures.switches["fridge"].n_false == 1
    assert figures.thresholds == {"ac": 0.5, "fridge": 0.4}
    written = figures.to_json()
    assert written["f1"]["ac"]["value"] == 1.0
    assert (written["basis"], written["recordings"], written["n"]) == (CROSS_FITTED, 4, 80)


def test_the_worst_fold_is_the_headline_of_each_figure() -> None:
    result = over_folds([fold("day", wrong=5), fold("night", wrong=0)])
    accuracy = result["state_accuracy"]
    assert (accuracy["fold"], accuracy["value"]) == ("day", pytest.approx(75 / 80))
    assert accuracy["mean"] == pytest.approx((75 / 80 + 1) / 2)
    assert accuracy["gap"] == pytest.approx(5 / 80)
    assert set(result["f1"]["fridge"]) == {"value", "low", "high", "fold", "mean", "gap"}
    assert result["files"]["state_accuracy"]["value"] == 1.0


def test_a_figure_that_no_fold_has_is_none() -> None:
    off = fold_figures("day", CROSS_FITTED, {"a": recording(0, 0)}, LABELS, RULE, PLAN, HOW)
    result = over_folds([off])
    assert result["f1"]["ac"] == {"value": None, "low": None, "high": None, "fold": None, "mean": None, "gap": None}
    assert result["state_accuracy"]["value"] == 1.0


def test_intervals_that_are_too_wide_are_named_with_their_fold() -> None:
    result = wide_figures([fold("day", wrong=12)])
    assert [line.split(":")[0] for line in result if line.startswith("f1.fridge")] == ["f1.fridge of day"]


def test_states_over_time_follow_the_fold_of_stream_and_batch() -> None:
    judged = judged_states(recording(0, 1, wrong=10), LABELS, DECISION, PLAN)
    states = [(change.label, change.state) for change in judged.changes]
    assert states == [("ac", "off"), ("fridge", "on"), ("fridge", "off")]
    assert {(state_stretch.label, state_stretch.state, state_stretch.start_s) for state_stretch in judged.truth} == {
        ("ac", "off", 0.0),
        ("fridge", "on", 0.0),
    }
    # 20 windows after the two frames that reach before the recording.
    assert judged.end_s == pytest.approx(11.0)
