import numpy as np
import pytest

from ossicle.metrics.resampling.jackknife import BLOCKS, block_of, jackknife_interval


def test_the_interval_of_a_mean_is_that_of_student():
    values = np.random.default_rng(0).normal(3, 2, 12)
    without = [float(np.delete(values, left_out).mean()) for left_out in range(12)]
    low, high = jackknife_interval(float(values.mean()), without)
    reach = 2.200985 * values.std(ddof=1) / np.sqrt(12)
    assert (low, high) == pytest.approx((values.mean() - reach, values.mean() + reach), rel=1e-6)


def test_limits_end_the_interval_and_two_blocks_give_none():
    assert jackknife_interval(0.9, [0.5, 0.9, 1.3], least=0.0, most=1.0) == (0.0, 1.0)
    assert np.isnan(jackknife_interval(0.9, [0.5, 0.9])).all()
    assert np.isnan(jackknife_interval(0.9, [0.5, np.nan, 0.9])).all()


def test_a_recording_is_never_divided_between_blocks():
    recordings = np.random.default_rng(1).integers(100, size=5000)
    blocks = block_of(recordings)
    assert len(np.unique(blocks)) == BLOCKS
    assert all(len(np.unique(blocks[recordings == recording])) == 1 for recording in range(100))
