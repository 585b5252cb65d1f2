"""Levels of windows, whatever the blocks, and the loudest of them."""

import numpy as np
import pytest

from ossicle.corpus.windows.loudness import loudest, window_rms


@pytest.mark.parametrize("block", [1, 7, 100, 1000])
def test_levels_are_those_of_each_window_for_any_block(block: int) -> None:
    samples = np.random.default_rng(0).standard_normal(500).astype(np.float32)
    levels = window_rms((samples[start : start + block] for start in range(0, 500, block)), 60, 25)
    slow = [np.sqrt(np.mean(samples[start : start + 60].astype(float) ** 2)) for start in range(0, 500 - 59, 25)]
    assert levels == pytest.approx(slow)
    assert window_rms([samples[:59]], 60, 25).shape == (0,)


@pytest.mark.parametrize(
    ("n", "percent", "dropped"), [(117, 1.0, 1), (117, 0.0, 0), (200, 1.0, 2), (40, 1.0, 0), (1, 99.0, 0), (0, 1.0, 0)]
)
def test_the_share_is_rounded_and_one_window_is_left(n: int, percent: float, dropped: int) -> None:
    rms = np.random.default_rng(1).uniform(size=n)
    is_loud = loudest(rms, percent)
    assert is_loud.sum() == dropped
    if dropped:
        assert rms[is_loud].min() >= rms[~is_loud].max()
