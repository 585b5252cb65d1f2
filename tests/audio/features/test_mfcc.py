"""MFCCs of a baseline, against librosa's transform of the same mel spectrogram."""

import librosa
import numpy as np

from ossicle.audio.features.logmel import log_mel
from ossicle.audio.features.mfcc import _FRONT, N_COEFFICIENTS, N_FEATURES, mfcc_features


def test_coefficients_are_those_of_librosa() -> None:
    samples = np.random.default_rng(0).standard_normal(6000).astype(np.float32)
    samples /= np.abs(samples).max()
    mel = np.maximum(log_mel(samples, _FRONT), -100.0)
    oracle = librosa.feature.mfcc(S=mel.T, n_mfcc=N_COEFFICIENTS)
    result = mfcc_features(samples)
    np.testing.assert_allclose(result[:N_COEFFICIENTS], oracle.mean(axis=1), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(result[N_COEFFICIENTS : 2 * N_COEFFICIENTS], oracle.std(axis=1), rtol=1e-3, atol=1e-3)


def test_levels_do_not_matter_and_any_length_has_features() -> None:
    samples = np.random.default_rng(1).standard_normal(3000).astype(np.float32)
    np.testing.assert_allclose(mfcc_features(samples), mfcc_features(0.01 * samples), atol=1e-2)
    for n in (0, 1, 500):
        result = mfcc_features(np.zeros(n, dtype=np.float32))
        assert result.shape == (N_FEATURES,)
        assert np.isfinite(result).all()
