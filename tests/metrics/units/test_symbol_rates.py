import numpy as np
import pytest
from scipy.stats import entropy

from ossicle.metrics.units.symbol_rates import symbol_counts, symbol_rates


def test_rates_of_one_recording_worked_out_by_hand():
    made = symbol_rates(symbol_counts([np.array([0, 0, 1, 1]), np.array([2])], 4, 0.02)[None], ["a"])
    assert made.bitrate.value == pytest.approx(50 * entropy([2, 2, 1], base=2))
    assert made.bitrate_runs.value == pytest.approx(3 / 0.1 * np.log2(3))
    assert made.repeat_rate.value == pytest.approx(2 / 3)


def test_recordings_add_up_and_have_an_interval():
    generator = np.random.default_rng(0)
    spoken = [[generator.integers(8, size=100)] for _ in range(30)]
    made = symbol_rates(np.stack([symbol_counts(one, 8, 0.02) for one in spoken]), ["a"] * 30)
    assert made.bitrate.value == pytest.approx(50 * 3, rel=0.01)
    assert made.bitrate.low <= made.bitrate.value
    assert made.repeat_rate.low < 1 / 8 < made.repeat_rate.high


def test_empty_segments_leave_the_rates_undefined():
    made = symbol_rates(symbol_counts([np.zeros(0, dtype=np.int16)], 4, 0.02)[None], ["a"]).to_json()
    assert made["bitrate"]["value"] is made["repeat_rate"]["value"] is None
