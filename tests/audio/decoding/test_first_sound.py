"""Where sound begins, whatever the rate, the channels, the codec and the blocks."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ossicle.audio.decoding import decode
from ossicle.audio.decoding.first_sound import first_sound_s


def late(path: Path, silence_s: float, rate: int = 44100, *, channels: int = 1, noise: float = 0.0) -> Path:
    """Write a decaying hit after silence, in the last channel."""
    generator = np.random.default_rng(0)
    n, begin = round((silence_s + 0.3) * rate), round(silence_s * rate)
    samples = noise * generator.uniform(-1, 1, (n, channels))
    times = np.arange(n - begin) / rate
    samples[begin:, -1] += 0.8 * np.exp(-times / 0.05) * generator.uniform(-1, 1, n - begin)
    soundfile.write(path, samples, rate, format="AIFF" if path.suffix == ".aif" else None)
    return path


@pytest.mark.parametrize("name", ["a.wav", "a.WAV", "a.flac", "a.aif", "a.mp3"])
@pytest.mark.parametrize("silence_s", [0.0, 0.25, 1.0])
def test_the_sound_begins_after_the_silence(tmp_path: Path, name: str, silence_s: float) -> None:
    result = first_sound_s(late(tmp_path / name, silence_s))
    assert result == pytest.approx(silence_s, abs=0.003)


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (22050, 2), (96000, 2)])
def test_any_rate_any_channel_and_noise_before(tmp_path: Path, rate: int, channels: int) -> None:
    path = late(tmp_path / "a.wav", 0.5, rate, channels=channels, noise=0.005)
    assert first_sound_s(path) == pytest.approx(0.5, abs=0.003)


@pytest.mark.parametrize("block", [1, 7, 44, 1000])
def test_blocks_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    path = late(tmp_path / "a.wav", 0.02)
    whole = first_sound_s(path)
    blocks = decode.AudioSource.blocks
    monkeypatch.setattr(decode.AudioSource, "blocks", lambda self: blocks(self, block_samples=block))
    assert first_sound_s(path) == whole


def test_silence_has_no_beginning(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(4410), 44100)
    assert first_sound_s(tmp_path / "a.wav") is None


@pytest.mark.parametrize("offset", [0.3, -0.02])
@pytest.mark.parametrize("silence_s", [0.0, 1.0])
def test_a_constant_offset_is_no_sound(tmp_path: Path, offset: float, silence_s: float) -> None:
    samples, rate = soundfile.read(late(tmp_path / "a.wav", silence_s))
    soundfile.write(tmp_path / "b.wav", samples * 0.6 + offset, rate)
    assert first_sound_s(tmp_path / "b.wav") == pytest.approx(silence_s, abs=0.003)
    soundfile.write(tmp_path / "c.wav", np.full(4410, offset), rate)
    assert first_sound_s(tmp_path / "c.wav") is None


def test_only_the_channel_that_is_read_counts(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    samples = np.column_stack([generator.uniform(-0.1, 0.1, 16000), np.r_[np.zeros(8000), np.full(8000, 0.9)]])
    samples[8000:, 1] *= generator.uniform(-1, 1, 8000)
    soundfile.write(tmp_path / "a.wav", samples, 8000)
    results = [first_sound_s(tmp_path / "a.wav", channel) for channel in ("mean", "first", "2", "loudest")]
    assert results == pytest.approx([0.0, 0.0, 1.0, 1.0], abs=0.003)
