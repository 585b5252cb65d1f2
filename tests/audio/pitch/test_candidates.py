import numpy as np
import pytest
from scipy.stats import beta

from ossicle.audio.pitch.candidates import MOST, _below, _normalised_difference, frame_candidates


def slow_difference(frame, longest):
    """YIN's cumulative mean normalised difference, over all pairs of samples a lag apart, term by term."""
    values = [float(x) for x in frame - frame.mean()]
    means = [0.0]
    for lag in range(1, longest + 1):
        pairs = [(values[i] - values[i + lag]) ** 2 for i in range(len(values) - lag)]
        means.append(sum(pairs) / len(pairs))
    out = [1.0]
    for lag in range(1, longest + 1):
        total = sum(means[1 : lag + 1])
        out.append(means[lag] * lag / total if total > 0 else 1.0)
    return out


def test_the_difference_is_that_of_its_definition():
    generator = np.random.default_rng(0)
    frames = generator.normal(0, 0.1, (3, 60)).astype(np.float32)
    frames[1] += 0.5  # an offset changes nothing
    frames[2] = 0.1 * np.sin(np.arange(60) / 3)
    wanted = [slow_difference(frame.astype(np.float64), 25) for frame in frames]
    assert _normalised_difference(frames, 25) == pytest.approx(np.array(wanted), abs=1e-4)


def test_silence_has_no_candidates():
    candidates = frame_candidates(np.zeros((2, 400), np.float32), 8000, 50, 500)
    assert not candidates.probability.any()
    assert (candidates.f0_hz == 1).all()


def test_thresholds_have_the_distribution_of_probabilistic_yin():
    x = np.linspace(0, 1, 101)
    assert _below(x.astype(np.float32)) == pytest.approx(beta(2, 18).cdf(x), abs=1e-5)


def slow_probabilities(dips):
    """The share of thresholds, drawn from Beta(2, 18), for which each dip is the first one below."""
    out = np.zeros(len(dips))
    thresholds = beta(2, 18).ppf((np.arange(20_000) + 0.5) / 20_000)
    for threshold in thresholds:
        for place, dip in enumerate(dips):
            if dip < threshold:
                out[place] += 1 / len(thresholds)
                break
    return out


def test_a_dip_has_the_share_of_thresholds_for_which_it_is_the_first():
    times = np.arange(400) / 8000
    frame = (0.3 * np.sin(2 * np.pi * 100 * times) + np.sin(2 * np.pi * 200 * times + 1)).astype(np.float32)
    frame += np.random.default_rng(1).normal(0, 0.1, 400).astype(np.float32)
    candidates = frame_candidates(frame[None], 8000, 50, 500)
    shown = candidates.probability[0] > 0
    assert 2 <= shown.sum() <= MOST
    curve = _normalised_difference(frame[None], 161)[0]
    dips, lags = [], []
    for lag in range(16, 161):
        before, here, after = curve[lag - 1], curve[lag], curve[lag + 1]
        if here < before and here <= after and here < 1:
            shift = 0.5 * (before - after) / (before + after - 2 * here)
            dips.append(max(0.0, here - 0.25 * (before - after) * shift))
            lags.append(lag + shift)
    wanted = slow_probabilities(dips)
    order = np.argsort(-wanted, kind="stable")[: shown.sum()]
    assert candidates.probability[0, shown] == pytest.approx(wanted[order], abs=1e-3)
    assert candidates.f0_hz[0, shown] == pytest.approx(8000 / np.array(lags)[order], rel=1e-5)


def test_candidates_lie_in_the_range():
    times = np.arange(400) / 8000
    frame = np.sin(2 * np.pi * 90 * times).astype(np.float32)[None]
    candidates = frame_candidates(frame, 8000, 100, 400)
    assert (candidates.probability[candidates.f0_hz < 100] == 0).all()
