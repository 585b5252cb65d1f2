"""Writers of audio files in every format, and the signal that shows where time is: clicks in faint noise."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

Encode = Callable[..., Path]


@pytest.fixture
def encode(tmp_path: Path) -> Encode:
    """Encode float samples (n,) or (n, channels) to a file of the name's format; gives its path."""

    def write(name: str, samples: np.ndarray, rate: int, subtype: str | None = None) -> Path:
        path = tmp_path / name
        if path.suffix in {".m4a", ".webm"}:
            _write_ffmpeg(path, samples, rate)
        elif path.suffix == ".opus":
            soundfile.write(path, samples, rate, format="OGG", subtype="OPUS")
        else:
            kind = {".aif": "AIFF"}.get(path.suffix, path.suffix[1:].upper())
            soundfile.write(path, samples, rate, format=kind, subtype=subtype)
        return path

    return write


def _write_ffmpeg(path: Path, samples: np.ndarray, rate: int) -> None:
    """AAC in MP4 with its index in front (as phones stream it), or Opus in WebM."""
    planar = np.ascontiguousarray(samples.reshape(len(samples), -1).T, dtype=np.float32)
    layout = {1: "mono", 2: "stereo"}[len(planar)]
    codec, container = ("aac", "ipod") if path.suffix == ".m4a" else ("libopus", "webm")
    options = {"movflags": "faststart"} if codec == "aac" else {}
    with av.open(str(path), "w", format=container, options=options) as file:
        stream = file.add_stream(codec, rate=rate)
        stream.bit_rate, stream.layout = 128_000, layout
        stream.codec_context.open()
        frame = av.AudioFrame.from_ndarray(planar, format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        cutter = av.AudioResampler(
            format=stream.format.name, layout=layout, rate=rate, frame_size=stream.codec_context.frame_size
        )
        for piece in cutter.resample(frame) + cutter.resample(None):
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))


@pytest.fixture
def clicks() -> Callable[..., np.ndarray]:
    """Faint noise of ``seconds`` with a click of 0.9 at 1.000 s and one of -0.9 at 2.000 s."""

    def make(rate: int, seconds: float = 3.0, noise: float = 1e-3) -> np.ndarray:
        samples = np.random.default_rng(0).normal(0, noise, int(rate * seconds)).astype(np.float32)
        samples[rate] = 0.9
        samples[2 * rate] = -0.9
        return samples

    return make
