"""Made voices with a known pitch, and real ones."""

from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from ossicle.audio.pitch.track import track_f0


def harmonics(f0_hz, rate, tilt=1.0, level=0.1):
    """Return harmonics of a contour (n,) in Hz below Nyquist, each falling by a power of its number; 0 is silent."""
    angle = 2 * np.pi * np.cumsum(f0_hz) / rate
    out = np.zeros(len(f0_hz))
    for k in range(1, 40):
        out += np.where((f0_hz > 0) & (k * f0_hz < 0.45 * rate), np.sin(k * angle + k * k) / k**tilt, 0.0)
    return (level * out).astype(np.float32)


def spoken_files(real_data: Path) -> list[Path]:
    """Return some recordings of several speakers; skips where there are none."""
    digits = sorted((real_data / "spoken_digits").glob("*.wav"))[::170]
    mboshi = sorted((real_data / "mboshi" / "audio").glob("*.flac"))[::240]
    if not digits or not mboshi:
        pytest.skip(f"no recordings of spoken_digits and mboshi in {real_data}")
    return [*digits, *mboshi]


def read(path):
    """Return samples, at most 3 s, and their rate."""
    samples, rate = soundfile.read(path, dtype="float32", frames=48000)
    return samples, rate


def by_both(samples, rate) -> tuple[np.ndarray, np.ndarray]:
    """Return F0 by Ossicle and by pYIN of librosa every 10 ms, (n,) each; 0 where it is unvoiced."""
    length = 1024 if rate >= 16000 else 512
    hz, voiced, _ = librosa.pyin(samples, fmin=50, fmax=500, sr=rate, hop_length=rate // 100, frame_length=length)
    ours = track_f0(samples, rate).f0_hz
    n = min(len(ours), len(hz))
    return ours[:n], np.where(voiced, hz, 0.0)[:n]
