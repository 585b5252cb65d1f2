"""The decision of a fold is fitted to the others: changing its own scores changes nothing for it."""

from dataclasses import replace

import numpy as np
import pytest

from ossicle.core.decisions.states import StateDecision
from ossicle.core.errors import UsageError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.evaluation.states.fold_figures import CROSS_FITTED, IN_SAMPLE
from ossicle.evaluation.states.out_of_fold import fit_decisions
from ossicle.inference.states.fit import ScoredStates
from ossicle.inference.states.fit_settings import StateFitSettings

PLAN = ChunkPlan(rate=8000, hop_samples=4000, window_samples=8000, core_frames=1, context_frames=0)
HOW = StateFitSettings(smoothings=("none",), frames=(3,), debounce=(1,), hysteresis=(0.0,), holds_s=(0.0,), switches=20)


def scored(on: bool, fold: int, seed: int) -> ScoredStates:
    draw = np.random.default_rng(seed)
    scores = np.clip((0.8 if on else 0.2) + draw.normal(0, 0.05, (60, 1)), 0, 1).astype(np.float32)
    return ScoredStates(scores, np.full((60, 1), int(on), dtype=np.int8), f"g{fold}", fold)


def recordings() -> dict[str, ScoredStates]:
    return {f"{fold}{on}": scored(on, fold, 2 * fold + on) for fold in (0, 1) for on in (False, True)}


def test_poisoning_a_fold_changes_nothing_for_it() -> None:
    clean = fit_decisions(recordings(), ["ac"], PLAN, StateDecision(), HOW)
    poisoned = {
        key: replace(recording, scores=(1 - recording.scores) / 2) if recording.fold == 0 else recording
        for key, recording in recordings().items()
    }
    decisions = fit_decisions(poisoned, ["ac"], PLAN, StateDecision(), HOW)
    assert decisions.folds[0].fitted.decision == clean.folds[0].fitted.decision
    assert decisions.folds[1].fitted.decision != clean.folds[1].fitted.decision
    assert {fold.basis for fold in decisions.folds.values()} == {CROSS_FITTED}


def test_a_fold_whose_others_lack_a_state_is_judged_in_sample_and_says_so() -> None:
    kept = {key: recording for key, recording in recordings().items() if key != "1True"}
    decisions = fit_decisions(kept, ["ac"], PLAN, StateDecision(), HOW)
    assert decisions.folds[0].basis == IN_SAMPLE
    assert "'ac' on" in decisions.folds[0].reason
    assert decisions.folds[0].fitted is decisions.final
    assert decisions.folds[1].basis == CROSS_FITTED


def test_without_a_state_in_all_folds_there_is_no_decision() -> None:
    with pytest.raises(UsageError, match="no scored recording has 'ac' off"):
        fit_decisions(
            {key: recording for key, recording in recordings().items() if "True" in key},
            ["ac"],
            PLAN,
            StateDecision(),
            HOW,
        )
