from itertools import pairwise

import numpy as np
import pytest

from ossicle.core.decisions.states import StateDecision, StateRule, state_stretches
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.inference.states.fold import StateFold
from ossicle.inference.states.replay import replay
from ossicle.inference.states.splices import SplicedScores, SteadyScores, log_odds, spliced
from ossicle.metrics.states.switches import JudgedStates, StateStretch, switch_figures

PLAN = ChunkPlan(rate=1000, hop_samples=500, window_samples=2000, core_frames=1, context_frames=0)


def steady(level, on, group="a", n=80, seed=0):
    noise = np.random.default_rng(seed).normal(0, 0.08, n)
    return SteadyScores(np.clip(level + noise, 0, 1), on, group)


SOURCES = [steady(0.8, True), steady(0.2, False), steady(0.7, True, "b", seed=1), steady(0.3, False, "b", seed=2)]


def test_sequences_switch_as_often_as_asked_and_each_stays_in_its_group():
    sequences = spliced(SOURCES, PLAN, 40, (5.0, 20.0), seed=1)
    assert [len(spliced_scores.switches) for spliced_scores in sequences] == [20, 20]
    for spliced_scores, (low, high) in zip(sequences, [(0.2, 0.8), (0.3, 0.7)], strict=True):
        states = [state for _, state in spliced_scores.switches]
        assert all(a != b for a, b in pairwise(states))
        starts = [0, *(frame for frame, _ in spliced_scores.switches)]
        for start, end, on in zip(starts[1:], [*starts[2:], len(spliced_scores.scores)], states, strict=True):
            inside = spliced_scores.scores[start + 2 : end - 2]
            assert 10 <= end - start <= 44
            assert np.median(inside) == pytest.approx(high if on else low, abs=0.1)


def test_the_same_seed_gives_the_same_sequences_and_another_others():
    spliced_scores, again, other = (spliced(SOURCES, PLAN, 10, (5.0, 20.0), seed=seed)[0] for seed in (1, 1, 2))
    assert (spliced_scores.scores.tolist(), spliced_scores.switches) == (again.scores.tolist(), again.switches)
    assert spliced_scores.switches != other.switches


def test_a_window_across_a_switch_hears_both_states():
    sources = [SteadyScores(np.full(40, level), level > 0.5, "a") for level in (0.9, 0.1)]
    (spliced_scores,) = spliced(sources, PLAN, 4, (5.0, 8.0), seed=0)
    odds = np.log(0.9 / 0.1) * np.array([-0.75, -0.25, 0.25, 0.75])
    for frame, on in spliced_scores.switches:
        expected = 1 / (1 + np.exp(-odds if on else odds))
        np.testing.assert_allclose(spliced_scores.scores[frame - 2 : frame + 2], expected)
        assert (spliced_scores.scores[frame - 3], spliced_scores.scores[frame + 2]) == pytest.approx(
            (0.1, 0.9) if on else (0.9, 0.1)
        )


def test_stress_changes_the_level_of_each_stretch_and_adds_noise_to_each_frame():
    sources = [SteadyScores(np.full(80, level), level > 0.5, "a") for level in (0.8, 0.2)]
    (calm,), (hard,) = (spliced(sources, PLAN, 60, (20.0, 20.0), seed=4, stress=stress) for stress in (0.0, 0.5))
    assert calm.switches == hard.switches
    added = log_odds(hard.scores) - log_odds(calm.scores)
    edges = [frame for frame, _ in hard.switches]
    inside = [added[a + 2 : b - 2] for a, b in pairwise(edges)]
    assert np.mean([np.std(stretch) for stretch in inside]) == pytest.approx(0.5, rel=0.1)
    assert np.std([np.mean(stretch) for stretch in inside]) == pytest.approx(0.5, rel=0.25)


def test_groups_with_one_state_are_pooled_and_one_state_alone_is_refused():
    sources = [steady(0.8, True, "a"), steady(0.2, False, "b")]
    assert len(spliced(sources, PLAN, 10, (5.0, 20.0), seed=0)) == 1
    with pytest.raises(ValueError, match="one of the two states"):
        spliced(sources[:1], PLAN, 10, (5.0, 20.0), seed=0)


RULES = [
    StateRule(on=0.5, off=0.5),
    StateRule(on=0.6, off=0.4, smoothing="median", frames=7, debounce=2),
    StateRule(on=0.62, off=0.55, smoothing="ema", frames=3),
    StateRule(on=0.95, off=0.9),
    StateRule(on=0.5, off=0.5, min_on_s=15.0, min_off_s=15.0),
]


def test_counts_and_delays_equal_those_of_the_fold_and_the_figures_of_switches():
    """The slow way: each rule alone through the stream's fold, judged by ``metrics.states.switches``."""
    sequences = spliced(SOURCES, PLAN, 60, (5.0, 30.0), seed=3)
    done = replay(sequences, RULES, PLAN, within_s=3.0)
    first = 2  # The first frame whose window lies within the recording: so many rows before count for nothing.
    for index, rule in enumerate(RULES):
        judged = []
        for sequence in sequences:
            fold = StateFold(StateDecision({"x": rule}), ("x",), PLAN)
            rows = np.concatenate([np.zeros(first), sequence.scores])[:, None]
            # ``core.decisions.states`` rounds nothing, and scores are float64 in the replay.
            changes = fold.feed(rows)
            end_s = len(rows) * PLAN.hop_s
            edges = [0.0, *((frame + first) * PLAN.hop_s for frame, _ in sequence.switches), end_s]
            states = [not sequence.switches[0][1], *(state for _, state in sequence.switches)]
            truth = [
                StateStretch(a, b, "x", "on" if on else "off", None)
                for a, b, on in zip(edges[:-1], edges[1:], states, strict=True)
            ]
            judged.append(JudgedStates(truth, changes, end_s, "g"))
            assert state_stretches(changes, ["x"], end_s)
        figures = switch_figures(judged, ["x"], within_s=3.0, n_bootstrap=0)["x"]
        assert (done.n_switches, done.n_found[index]) == (figures.n_switches, figures.n_found)
        assert done.false[index] == figures.n_false
        if figures.n_found:
            assert done.delay_s[index] == pytest.approx(figures.delay_median_s)
        else:
            assert done.delay_s[index] == np.inf


def test_a_change_to_the_wrong_state_is_false_and_a_late_one_too():
    spliced_scores = SplicedScores(np.array([0.0] * 10 + [0.0] * 8 + [1.0] * 10), ((10, True),))
    late = replay([spliced_scores], [StateRule()], PLAN, within_s=3.0)
    assert (late.n_found.tolist(), late.false.tolist(), late.delay_s.tolist()) == ([0], [1], [np.inf])
    in_time = replay([spliced_scores], [StateRule()], PLAN, within_s=6.0)
    # Eight frames of 0.5 s until the score rises, half a frame to its middle, half a window until it has arrived.
    assert (in_time.n_found.tolist(), in_time.false.tolist(), in_time.delay_s.tolist()) == (
        [1],
        [0],
        [4.0 + 0.25 + 1.0],
    )
