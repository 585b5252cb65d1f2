"""Runs of all thresholds, and the nearest lower values they come from, against looking everywhere."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.metrics.psds.score_runs import nearest_below, score_runs
from ossicle.metrics.psds.threshold_changes import detection_changes

levels = st.lists(st.integers(0, 9), min_size=0, max_size=60).map(lambda values: np.array(values, dtype=np.float32))


def runs_at(scores: np.ndarray, threshold: float) -> list[tuple[int, int]]:
    on = np.concatenate([[False], scores >= threshold, [False]]).astype(int)
    starts, stops = np.flatnonzero(np.diff(on) == 1), np.flatnonzero(np.diff(on) == -1)
    return list(zip(starts.tolist(), stops.tolist(), strict=True))


@settings(deadline=None, max_examples=150)
@given(levels)
def test_each_run_lives_where_thresholds_make_it(scores: np.ndarray) -> None:
    runs = score_runs(scores)
    result = list(zip(runs.start.tolist(), runs.stop.tolist(), strict=True))
    assert len(set(result)) == len(result)
    for threshold in np.arange(-1, 11):
        alive = (runs.death < threshold) & (threshold <= runs.level)
        assert sorted(np.array(result).reshape(-1, 2)[alive].tolist()) == [
            list(run) for run in runs_at(scores, threshold)
        ]


@settings(deadline=None, max_examples=150)
@given(levels)
def test_peaks_and_valleys_count_the_runs(scores: np.ndarray) -> None:
    peaks, valleys = detection_changes(scores)
    for threshold in np.arange(-1, 11):
        assert (peaks >= threshold).sum() - (valleys >= threshold).sum() == len(runs_at(scores, threshold))


def test_nearest_below_by_looking_back() -> None:
    generator = np.random.default_rng(0)
    for n in (1, 2, 3, 64, 65, 1000):
        values = (
            generator.integers(0, 40, n) if n < 1000 else np.sort(generator.random(n))[:: generator.choice([1, -1])]
        )
        for or_equal in (False, True):
            result = nearest_below(values, np.arange(n, dtype=np.int32), or_equal=or_equal)
            for place, value in enumerate(values):
                lower = values[:place] <= value if or_equal else values[:place] < value
                assert result[place] == (np.flatnonzero(lower)[-1] if lower.any() else -1)
