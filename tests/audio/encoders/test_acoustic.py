import numpy as np
import pytest

from ossicle.audio.encoders import acoustic
from ossicle.audio.encoders.acoustic import BLOCKS, FRONT, PERCENTILES, AcousticEncoder
from ossicle.audio.features.logmel import log_mel
from ossicle.core.model_input.frontend import analysis_window

RATE = 16000
SECONDS = 2


def noise(seed: int = 1, gain: float = 0.01) -> np.ndarray:
    return (gain * np.random.default_rng(seed).standard_normal(SECONDS * RATE)).astype(np.float32)


def blocks(waveform: np.ndarray) -> dict[str, np.ndarray]:
    (token,) = AcousticEncoder().encode(waveform[None])[0]
    edges = np.cumsum([0, *BLOCKS.values()])
    return {name: token[a:b] for name, a, b in zip(BLOCKS, edges[:-1], edges[1:], strict=True)}


def levels(found: dict[str, np.ndarray], share: int) -> np.ndarray:
    at = PERCENTILES.index(share) * FRONT.n_mels
    return found["levels"][at : at + FRONT.n_mels]


def test_a_window_gives_one_finite_token_whatever_it_contains():
    encoder = AcousticEncoder()
    loud = np.ones(RATE, np.float32)
    loud[::2] = -1
    for waveform in (np.zeros(4096, np.float32), loud, np.full(RATE, 0.5, np.float32), noise()):
        result = encoder.encode(waveform[None])
        assert result.shape == (1, 1, encoder.spec.dim)
        assert result.dtype == np.float32
        assert np.isfinite(result).all()


def test_windows_that_are_too_short_are_refused():
    with pytest.raises(ValueError, match="at least 4096"):
        AcousticEncoder().encode(np.zeros((1, 4095), np.float32))


def test_an_embedding_does_not_depend_on_its_batch():
    batch = np.stack([noise(seed) for seed in range(3)])
    together = AcousticEncoder().encode(batch)
    for one, found in zip(batch, together, strict=True):
        np.testing.assert_array_equal(AcousticEncoder().encode(one[None])[0], found)


def test_levels_are_percentiles_of_the_log_mel_spectrogram():
    waveform = noise()
    spectrogram = log_mel(waveform, FRONT)
    for share in PERCENTILES:
        np.testing.assert_allclose(
            levels(blocks(waveform), share), np.percentile(spectrogram, share, axis=0), atol=1e-3
        )


def test_gain_moves_the_levels_and_nothing_else():
    quiet, loud = blocks(noise()), blocks(2 * noise())
    six_db = 20 * np.log10(2)
    np.testing.assert_allclose(levels(loud, 30) - levels(quiet, 30), six_db, atol=1e-3)
    for name in ("lines", "modulation"):
        np.testing.assert_allclose(loud[name], quiet[name], atol=1e-2, err_msg=name)


def test_a_bird_in_a_tenth_of_the_window_leaves_the_low_percentiles():
    steady, chirp = noise(), noise()
    at = slice(RATE // 2, RATE // 2 + RATE // 5)
    chirp[at] += 0.3 * np.sin(2 * np.pi * 4000 * np.arange(RATE // 5) / RATE).astype(np.float32)
    band = int(np.argmax(log_mel(chirp, FRONT).max(axis=0)))
    before, after = blocks(steady), blocks(chirp)
    mean = len(PERCENTILES) * FRONT.n_mels + band
    assert after["levels"][mean] - before["levels"][mean] > 2
    assert abs(levels(after, 15)[band] - levels(before, 15)[band]) < 0.7


def test_a_hum_below_the_noise_of_its_band_stands_out_as_a_line():
    hum = 0.002 * np.sin(2 * np.pi * 200 * np.arange(SECONDS * RATE) / RATE).astype(np.float32)
    with_hum, without = blocks(noise() + hum)["lines"], blocks(noise())["lines"]
    line = 200 * 4096 // RATE // 2
    assert np.argmax(with_hum - without) in (line - 1, line, line + 1)
    assert (with_hum - without).max() > 6


def test_the_modulation_of_a_sound_is_in_its_octave():
    times = np.arange(SECONDS * RATE) / RATE
    for hz, octave in ((1.5, 0), (3.0, 1), (6.0, 2), (12.0, 3), (24.0, 4)):
        varied = (noise() * (1 + 0.9 * np.sin(2 * np.pi * hz * times))).astype(np.float32)
        result = (blocks(varied)["modulation"] - blocks(noise())["modulation"]).reshape(4, 6).mean(axis=0)
        assert np.argmax(result) == octave


def test_lines_equal_a_loop_over_frames_and_bins():
    waveform = noise()
    window = analysis_window(4096).astype(np.float64)
    frames = [waveform[at : at + 4096] * window for at in range(0, len(waveform) - 4096 + 1, 1024)]
    typical = 10 * np.log10(np.median([np.abs(np.fft.rfft(frame)[:2048]) ** 2 for frame in frames], axis=0))
    padded = [typical[max(k, 0)] for k in range(-16, 160)]
    deviation = [typical[k] - np.mean(padded[k : k + 33]) for k in range(128)]
    expected = [max(deviation[k : k + 2]) for k in range(0, 128, 2)]
    np.testing.assert_allclose(acoustic._lines(waveform), expected, atol=2e-2)
