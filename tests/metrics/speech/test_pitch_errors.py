import numpy as np
import pytest
from mir_eval import melody
from tests.metrics.speech.slow_references import slow_pitch

from ossicle.metrics.speech.pitch_errors import pitch_errors


def contour_pairs(count=20):
    for seed in range(count):
        generator = np.random.default_rng(seed)
        n = generator.integers(5, 60)
        reference, other = generator.uniform(60, 400, n), generator.uniform(60, 400, n + generator.integers(-3, 4))
        reference[generator.random(n) < 0.3], other[generator.random(len(other)) < 0.3] = 0.0, 0.0
        yield reference, other


def test_errors_equal_those_of_twenty_pairs_frame_by_frame_and_of_mir_eval():
    for reference, other in contour_pairs():
        errors, (rmse, error) = pitch_errors(reference, other), slow_pitch(reference.tolist(), other.tolist())
        assert (errors.rmse_cents, errors.voicing_error) == pytest.approx((rmse, error), rel=1e-12)
        n = min(len(reference), len(other))
        voicing = (reference[:n] > 0).astype(float), (other[:n] > 0).astype(float)
        cents = [melody.hz2cents(hz[:n]) for hz in (reference, other)]
        both = (voicing[0] > 0) & (voicing[1] > 0)
        assert errors.rmse_cents == pytest.approx(np.sqrt(np.mean((cents[0] - cents[1])[both] ** 2)), rel=1e-9)
        recall, false_alarm = melody.voicing_measures(*voicing)
        voiced = voicing[0].sum()
        wrong = (1 - recall) * voiced + false_alarm * (n - voiced)
        assert errors.voicing_error == pytest.approx(wrong / n, abs=1e-9)


def test_a_figure_without_voiced_frames_is_undefined_and_never_zero():
    unvoiced, voiced = np.zeros(10), np.full(10, 100.0)
    assert np.isnan(pitch_errors(unvoiced, unvoiced).rmse_cents)
    assert np.isnan(pitch_errors(unvoiced, voiced).rmse_cents)
    assert pitch_errors(unvoiced, unvoiced).voicing_error == 0.0
    assert pitch_errors(unvoiced, voiced).voicing_error == 1.0
    assert np.isnan(pitch_errors(np.zeros(0), voiced).voicing_error)


def test_a_semitone_counts_the_same_in_a_low_and_in_a_high_voice():
    low, high = np.full(5, 80.0), np.full(5, 320.0)
    semitone = 2 ** (1 / 12)
    assert pitch_errors(low, low * semitone).rmse_cents == pytest.approx(100)
    assert pitch_errors(high, high / semitone).rmse_cents == pytest.approx(100)


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_impossible_pitches_are_refused(wrong):
    with pytest.raises(ValueError, match="at least 0 Hz"):
        pitch_errors(np.array([wrong]), np.array([100.0]))
