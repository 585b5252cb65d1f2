"""Levels of frames: exact, of every sample, and independent of blocks."""

import librosa
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ossicle.audio.segmentation.frame_levels import FLOOR_DBFS, HOP_SAMPLES, WINDOW_SAMPLES, frame_levels


def plain_levels(samples: np.ndarray) -> np.ndarray:
    """Return the level of each frame one by one: the obvious way."""
    frames = [samples[at : at + WINDOW_SAMPLES].astype(np.float64) for at in range(0, len(samples), HOP_SAMPLES)]
    powers = np.array([np.mean(np.square(frame)) for frame in frames])
    return 10 * np.log10(np.maximum(powers, 1e-12))


@given(st.integers(0, 3000), st.lists(st.integers(1, 900), max_size=6), st.integers(0, 9))
def test_levels_are_those_of_each_frame_in_blocks_of_any_size(n: int, sizes: list[int], seed: int) -> None:
    samples = np.random.default_rng(seed).uniform(-1, 1, n).astype(np.float32)
    cuts = [size for size in np.cumsum(sizes) if size < n]
    levels, n_samples = frame_levels(np.split(samples, cuts))
    assert n_samples == n
    np.testing.assert_allclose(levels, plain_levels(samples), atol=1e-5)
    whole, _ = frame_levels([samples])
    assert levels.tobytes() == whole.tobytes()


def test_levels_are_those_of_librosa() -> None:
    samples = np.random.default_rng(1).normal(0, 0.1, 16000).astype(np.float32)
    rms = librosa.feature.rms(y=samples, frame_length=WINDOW_SAMPLES, hop_length=HOP_SAMPLES, center=False)[0]
    levels, _ = frame_levels([samples])
    np.testing.assert_allclose(levels[: len(rms)], 20 * np.log10(rms), atol=1e-3)


def test_digital_silence_has_the_lowest_level() -> None:
    levels, _ = frame_levels([np.zeros(1000, np.float32)])
    assert levels.tolist() == [FLOOR_DBFS] * 7
