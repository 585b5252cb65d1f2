import json

import numpy as np
import pytest
from tests.evaluation.units.resynthesis.made import judged

from ossicle.evaluation.units.resynthesis.figures import FIGURES, PHASE_BLIND, figures_to_json, resynthesis_figures
from ossicle.evaluation.units.unit_figures import Resampling
from ossicle.metrics.speech.pitch_errors import PitchErrors


def some(n=12, seed=0):
    generator = np.random.default_rng(seed)
    return [judged(mcd_db=float(mcd), log_mel_db=float(mcd) + 1) for mcd in generator.uniform(4, 8, n)]


def test_figures_are_means_over_segments_and_sums_over_frames():
    pairs = [
        judged(mcd_db=4.0, pitch=PitchErrors(4.0, 1, 0, 10), made_seconds=1.8),
        judged(mcd_db=7.0, pitch=PitchErrors(0.0, 3, 5, 10), seconds=6.0, made_seconds=6.0),
    ]
    result = resynthesis_figures(pairs, ["a", "b"], ["ada", "ada"])
    assert set(result) == set(FIGURES)
    assert result["mcd_db"].value == pytest.approx(5.5)
    assert result["f0_rmse_cents"].value == pytest.approx(1.0)
    assert result["voicing_error"].value == pytest.approx(0.25)
    assert result["length_ratio"].value == pytest.approx(7.8 / 8)


def test_undefined_figures_of_a_segment_are_left_out_and_of_all_are_null():
    nothing = {"si_sdr_db": float("nan"), "pitch": PitchErrors(0.0, 0, 0, 50)}
    result = resynthesis_figures([judged(**nothing), judged(si_sdr_db=-8.0)], ["a", "b"], ["x", "x"])
    assert result["si_sdr_db"].value == -8.0
    written = figures_to_json(resynthesis_figures([judged(**nothing)] * 3, ["a", "b", "c"], ["x"] * 3))
    assert written["f0_rmse_cents"] == {"value": None, "low": None, "high": None}
    assert written["si_sdr_db"]["value"] is None
    assert written["voicing_error"]["value"] == 0.0
    assert "NaN" not in json.dumps(written)
    assert all(estimate.value != estimate.value for estimate in resynthesis_figures([], [], []).values())


def test_segments_of_one_recording_are_drawn_together():
    pairs = some()
    alone = resynthesis_figures(pairs, [f"r{i}" for i in range(12)], ["ada"] * 12)["mcd_db"]
    # Each recording holds the same segment four times: the intervals may not shrink for it.
    four = resynthesis_figures(pairs * 4, [f"r{i}" for i in range(12)] * 4, ["ada"] * 48)["mcd_db"]
    assert four.value == pytest.approx(alone.value)
    assert (four.low, four.high) == pytest.approx((alone.low, alone.high))
    apart = resynthesis_figures(pairs * 4, [f"r{i}" for i in range(48)], ["ada"] * 48)["mcd_db"]
    assert apart.high - apart.low < 0.7 * (alone.high - alone.low)


def test_the_interval_is_that_of_resampled_means():
    pairs = some(20)
    values = np.array([pair.mcd_db for pair in pairs])
    draws = np.random.default_rng(1).choice(values, (20_000, 20)).mean(axis=1)
    estimate = resynthesis_figures(pairs, [str(i) for i in range(20)], ["ada"] * 20, Resampling(4000, 0))["mcd_db"]
    assert estimate.value == pytest.approx(values.mean(), abs=1e-6)
    assert (estimate.low, estimate.high) == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.05)


def test_one_recording_has_no_interval():
    estimate = resynthesis_figures(some(3), ["a"] * 3, ["ada"] * 3)["mcd_db"]
    assert np.isfinite(estimate.value)
    assert np.isnan([estimate.low, estimate.high]).all()


def test_ratios_of_waveforms_are_marked():
    assert {"si_sdr_db", "snr_db"} == PHASE_BLIND


def test_lists_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="2 pairs, 1 recordings and 2 groups"):
        resynthesis_figures(some(2), ["a"], ["x", "y"])
