import numpy as np
import pytest
from scipy.stats import entropy

from ossicle.metrics.units.symbol_rates import SymbolRates, symbol_counts, symbol_rates


def test_rates_of_one_recording_worked_out_by_hand():
    figures = symbol_rates(symbol_counts([np.array([0, 0, 1, 1]), np.array([2])], 4, 0.02)[None], ["a"])
    assert figures.bitrate.value == pytest.approx(50 * entropy([2, 2, 1], base=2))
    assert figures.bitrate_runs.value == pytest.approx(3 / 0.1 * np.log2(3))
    assert figures.repeat_rate.value == pytest.approx(2 / 3)


def rates(seed: int, recordings: int = 30, frames: int = 100, k: int = 64) -> SymbolRates:
    generator = np.random.default_rng(seed)
    spoken = [[generator.integers(k, size=frames)] for _ in range(recordings)]
    return symbol_rates(
        np.stack([symbol_counts(recording_units, k, 0.02) for recording_units in spoken]), ["a"] * recordings
    )


def test_recordings_add_up_and_have_an_interval():
    figures = rates(0, k=8)
    assert figures.bitrate.value == pytest.approx(50 * 3, rel=0.01)
    assert figures.repeat_rate.low < 1 / 8 < figures.repeat_rate.high


@pytest.mark.parametrize("key", ["bitrate", "bitrate_runs"])
def test_intervals_of_bitrates_contain_the_figure_and_are_as_wide_as_its_spread(key):
    """A plain bootstrap repeats recordings, which lowers the entropy: its interval ended below the figure."""
    estimates = [getattr(rates(seed), key) for seed in range(100)]
    values = np.array([estimate.value for estimate in estimates])
    reach = np.array([(estimate.high - estimate.low) / 2 for estimate in estimates])
    assert all(estimate.low < estimate.value <= estimate.high for estimate in estimates)
    assert 0.6 < reach.mean() / (1.96 * values.std()) < 1.6
    assert np.mean([estimate.low <= values.mean() <= estimate.high for estimate in estimates]) >= 0.9


def test_intervals_of_bitrates_end_where_a_bitrate_does():
    for seed in range(5):
        assert rates(seed, recordings=4, frames=20, k=2).bitrate.high <= 50 + 1e-9
    assert np.isnan([rates(0, recordings=2).bitrate.low, rates(0, recordings=2).bitrate.high]).all()


def test_empty_segments_leave_the_rates_undefined():
    figures = symbol_rates(symbol_counts([np.zeros(0, dtype=np.int16)], 4, 0.02)[None], ["a"]).to_json()
    assert figures["bitrate"]["value"] is figures["repeat_rate"]["value"] is None
