"""One score of a recording: equal for any blocks, and the padding behind the end weighs nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.scores.pooling import RecordingPool, as_judged, pooled
from ossicle.core.tracks import ScoreTrack


@given(st.integers(1, 30), st.floats(0.0, 1.0), st.integers(0, 1000), st.lists(st.integers(0, 6), max_size=6))
@settings(deadline=None, max_examples=80)
def test_blocks_of_any_size_give_the_score_of_a_slow_loop(n: int, share: float, seed: int, sizes: list[int]) -> None:
    scores = np.random.default_rng(seed).random((n, 2)).astype(np.float32)
    duration_s = 5.0 * (n - 1 + share)
    track = ScoreTrack(("a", "b"), scores, 5.0, duration_s)
    for pool in ("max", "mean"):
        fold, start = RecordingPool(pool, 2, 5.0), 0
        for size in (*sizes, n):
            fold.feed(scores[start : start + size])
            start = min(start + size, n)
        assert fold.finish(duration_s) == pytest.approx(pooled(track, pool), abs=1e-6)
    seconds = [min(5.0, duration_s - 5.0 * k) for k in range(n)] if duration_s > 0 else [1.0]
    slow = sum(second * row.astype(np.float64) for second, row in zip(seconds, scores, strict=True)) / sum(seconds)
    assert pooled(track, "mean") == pytest.approx(slow, abs=1e-6)
    assert pooled(track, "max").tolist() == scores.max(axis=0).tolist()


def test_a_track_is_judged_as_it_is_or_at_its_mean() -> None:
    track = ScoreTrack(("a",), np.array([[0.2], [0.8]], dtype=np.float32), 5.0, 10.0)
    assert as_judged(track, "max") is track
    assert as_judged(track, "mean").scores.tolist() == [[0.5], [0.5]]


def test_no_frames_and_unknown_pools_are_refused() -> None:
    with pytest.raises(ValueError, match="without frames"):
        RecordingPool("max", 1, 1.0).finish(0.0)
    with pytest.raises(ValueError, match="not one of"):
        RecordingPool("median", 1, 1.0)
