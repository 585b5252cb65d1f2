import numpy as np
import pytest

from ossicle.report.figures.spectrogram import MAX_BINS, MAX_FRAMES, grey_levels, spectrogram


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_a_tone_is_where_and_as_loud_as_it_is(rate: int) -> None:
    at = np.arange(rate) / rate
    tone = np.where((at >= 0.4) & (at < 0.6), np.sin(2 * np.pi * 1500 * at), 0).astype(np.float32)
    result = spectrogram(tone, rate)
    loudest, frame = np.unravel_index(np.argmax(result.db), result.db.shape)
    row_hz = result.joined * result.bin_hz
    assert loudest * row_hz <= 1500 + result.bin_hz / 2
    assert (loudest + 1) * row_hz >= 1500 - result.bin_hz / 2
    assert result.db.max() == pytest.approx(0, abs=1.5)
    loud = np.flatnonzero(result.db[loudest] > -6.5) * result.hop_s
    assert loud[0] == pytest.approx(0.4, abs=2 * result.hop_s)
    assert loud[-1] == pytest.approx(0.6, abs=2 * result.hop_s)
    assert 0.4 < frame * result.hop_s < 0.6


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000, 192000])
def test_the_picture_covers_the_sound(rate: int) -> None:
    result = spectrogram(np.zeros(rate, np.float32), rate)
    first_s, last_s, low_hz, high_hz = result.extent
    assert first_s <= 0 < 1 <= last_s + result.hop_s
    assert low_hz <= 0
    assert rate / 2 - result.bin_hz <= high_hz <= rate / 2 + result.bin_hz
    assert result.db.shape[0] <= MAX_BINS + 1


def test_it_stays_small_for_long_sounds() -> None:
    assert spectrogram(np.zeros(16000 * 60, np.float32), 16000).db.shape[1] <= MAX_FRAMES + 1


def test_loud_is_dark_and_silence_is_white() -> None:
    assert (grey_levels(np.full((3, 4), -120.0, np.float32)) == 255).all()
    grey = grey_levels(np.linspace(-80, 0, 101, dtype=np.float32)[None])[0]
    assert grey[0] == 255
    assert grey[-1] == 0
    assert (np.diff(grey.astype(int)) <= 0).all()
    assert grey_levels(np.zeros((0, 0), np.float32)).size == 0
