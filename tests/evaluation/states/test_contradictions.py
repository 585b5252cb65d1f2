"""Recordings whose held-out scores contradict their labels."""

import numpy as np

from ossicle.core.decisions.states import StateDecision, StateRule
from ossicle.evaluation.states.contradictions import contradictions
from ossicle.evaluation.states.judging_rule import JudgingRule
from ossicle.inference.states.fit import ScoredStates

LABELS = ["ac", "fridge"]
DECISION = StateDecision(dict.fromkeys(LABELS, StateRule()), {"ac": ("fridge",)}, ("ac", "fridge"))
RULE = JudgingRule(DECISION, {"ac": 0.5, "fridge": 0.5})


def scored(ac: list[float], fridge: list[float], truth: tuple[int, int]) -> ScoredStates:
    scores = np.array([ac, fridge], dtype=np.float32).T
    return ScoredStates(scores, np.tile(np.array([truth], dtype=np.int8), (len(ac), 1)), "day", 0)


def test_the_most_confident_comes_first_and_single_windows_last() -> None:
    recordings = {
        "sure": scored([0.1] * 4, [0.02, 0.01, 0.03, 0.9], (0, 1)),
        "unsure": scored([0.1] * 4, [0.6] * 4, (0, 0)),
        "mostly right": scored([0.1] * 4, [0.9, 0.9, 0.3, 0.8], (0, 1)),
        "right": scored([0.1] * 4, [0.1] * 4, (0, 0)),
        "hidden": scored([0.9] * 4, [0.0] * 4, (1, 1)),
        "unknown": scored([0.1] * 4, [0.9] * 4, (0, -1)),
    }
    result = contradictions(recordings, LABELS, {0: RULE})
    assert [
        (contradiction.recording_id, contradiction.label, contradiction.state, contradiction.whole)
        for contradiction in result
    ] == [
        ("sure", "fridge", "on", True),
        ("unsure", "fridge", "off", True),
        ("mostly right", "fridge", "on", False),
    ]
    assert (result[0].worst_window, result[0].share) == (1, 0.75)
    assert result[0].to_json()["score"] == 0.025
    assert contradictions(recordings, LABELS, {0: RULE}, least_share=0.5)[-1].recording_id == "unsure"
