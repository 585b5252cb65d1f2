import numpy as np
import pytest

from ossicle.core.decisions.states import StateRule
from ossicle.core.errors import UsageError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.inference.states.fit import (
    ScoredStates,
    cross_fit_states,
    fit_states,
    rule_middle,
    steady_scores,
    target_delay_s,
)
from ossicle.inference.states.fit_settings import StateFitSettings

PLAN = ChunkPlan(rate=1000, hop_samples=500, window_samples=2000, core_frames=1, context_frames=0)
LABELS = ("ac", "fridge")
MASKS = {"ac": ("fridge",)}
QUICK = StateFitSettings(
    switches=60,
    frames=(3, 7),
    debounce=(1, 2),
    hysteresis=(0.0, 2.0),
    holds_s=(0.0,),
    stretch_min_s=10,
    stretch_max_s=50,
)


def scored(ac, fridge, group, fold, seed=0, noise=0.15, n=120):
    """Two labels whose scores are high while they are on; under the AC the fridge is heard wrongly."""
    rng = np.random.default_rng([seed, ac, fridge, fold])
    level = np.array([0.75 if ac else 0.25, 0.5 if ac else 0.7 if fridge else 0.2])
    scores = np.clip(level + rng.normal(0, noise, (n, 2)), 0.01, 0.99).astype(np.float32)
    return ScoredStates(scores, np.tile(np.array([ac, fridge], np.int8), (n, 1)), group, fold)


def corpus(**changes):
    parts = [("day", 0), ("night", 1)]
    return [scored(ac, fridge, *part, **changes) for part in parts for ac in (0, 1) for fridge in (0, 1)]


def fitted(recordings, settings=QUICK):
    return fit_states(recordings, LABELS, PLAN, MASKS, LABELS, settings)


def test_the_rule_finds_the_switches_in_time_with_few_false_ones():
    fit = fitted(corpus(noise=0.12))
    bare = StateFitSettings(switches=60, smoothings=("none",), debounce=(1,), hysteresis=(0.0,), holds_s=(0.0,))
    plain = fitted(corpus(noise=0.12), bare)
    assert (fit.decision.masks, fit.decision.priority) == (MASKS, LABELS)
    for label, label_fit in fit.labels.items():
        assert label_fit.found >= 0.95
        assert label_fit.delay_s <= target_delay_s(PLAN, QUICK) == 3.0
        assert 0.3 < rule_middle(label_fit.rule) < 0.7
        assert 10 * label_fit.false_per_hour < plain.labels[label].false_per_hour


def test_the_same_scores_give_the_same_decision():
    first, again = fitted(corpus()), fitted(corpus())
    assert first.decision == again.decision
    assert [fit.to_json() for fit in first.labels.values()] == [fit.to_json() for fit in again.labels.values()]


def test_a_held_out_fold_has_no_part_in_its_decision():
    recordings = corpus()
    poisoned = [
        ScoredStates(
            1 - recording.scores if recording.fold == 1 else recording.scores,
            recording.truth,
            recording.group,
            recording.fold,
        )
        for recording in recordings
    ]
    clean = cross_fit_states(recordings, LABELS, PLAN, MASKS, LABELS, QUICK)
    other = cross_fit_states(poisoned, LABELS, PLAN, MASKS, LABELS, QUICK)
    assert clean[1].decision == other[1].decision
    assert clean[0].decision != other[0].decision


def test_what_is_hidden_has_no_part_in_the_rule_of_the_hidden_label():
    recordings = corpus()
    changed = [
        ScoredStates(
            np.where([[False, True]], np.float32(0.9), recording.scores),
            recording.truth,
            recording.group,
            recording.fold,
        )
        if recording.truth[0, 0]
        else recording
        for recording in recordings
    ]
    assert fitted(recordings).decision == fitted(changed).decision


def test_a_label_without_one_of_its_states_is_named_with_what_to_record():
    never_off = [recording for recording in corpus() if recording.truth[0, 1] or recording.truth[0, 0]]
    with pytest.raises(UsageError, match=r"no scored recording has 'fridge' off for 4\.5 s where nothing hides it"):
        fitted(never_off)


def test_a_target_that_no_rule_meets_is_reported():
    how = StateFitSettings(switches=60, frames=(3,), debounce=(3,), hysteresis=(0.0,), holds_s=(0.0,), delay_s=0.5)
    assert any("median delay of the rule is" in line for line in fitted(corpus(), how).warnings)
    hopeless = [scored(ac, fridge, "day", 0, noise=1.5) for ac in (0, 1) for fridge in (0, 1)]
    assert any("of the replayed switches within 3 s, less than 95%" in line for line in fitted(hopeless).warnings)


def test_stretches_of_changing_truth_are_cut_where_it_changes():
    truth = np.array([[0, 0]] * 10 + [[0, 1]] * 10 + [[1, 1]] * 10 + [[-1, 1]] * 10, np.int8)
    scored_states = ScoredStates(np.tile(np.arange(40, dtype=np.float32)[:, None] / 40, 2), truth, "a", 0)
    fridge = steady_scores([scored_states], LABELS, "fridge", MASKS, 9)
    assert [(round(float(part.scores[0] * 40)), len(part.scores), part.on) for part in fridge] == [
        (0, 10, False),
        (10, 10, True),
    ]
    ac = steady_scores([scored_states], LABELS, "ac", MASKS, 9)
    assert [(round(float(part.scores[0] * 40)), len(part.scores), part.on) for part in ac] == [
        (0, 20, False),
        (20, 10, True),
    ]
    assert steady_scores([scored_states], LABELS, "ac", MASKS, 21) == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"threshold_from": 0.9, "threshold_to": 0.1}, "threshold_from = 0.9 must not be above"),
        ({"frames": (4,)}, "frames has 4, which must be odd"),
        ({"debounce": ()}, "debounce is empty"),
        ({"smoothings": ("mean",)}, "is not one of: none, median, ema"),
        ({"stretch_min_s": 130.0}, "must not be above stretch_max_s"),
        ({"within_s": 20.0}, "must be shorter than stretch_min_s"),
    ],
)
def test_impossible_settings_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        StateFitSettings(**values)


def test_the_middle_of_a_rule_is_between_its_thresholds():
    assert rule_middle(StateRule(on=0.7, off=0.7)) == pytest.approx(0.7)
    assert 0.0 < rule_middle(StateRule(on=1.0, off=0.0)) < 1.0
