"""A picture of one clip: its spectrogram alone, without axes, for browsing training sets."""

from pathlib import Path

import numpy as np
from matplotlib.image import imsave
from numpy.typing import NDArray

from ossicle.artefacts.files import whole_file
from ossicle.report.figures.spectrogram import spectrogram

RANGE_DB = 80.0
HEIGHT_PX = 256
LEAST_WIDTH_PX = 128


def clip_pixels(samples: NDArray[np.float32], rate: int, low_hz: float, high_hz: float) -> NDArray[np.float32]:
    """Return levels in [0, 1] of samples (n,) between two frequencies, lowest row first: float32, (rows, columns).

    1 is the loudest point, 0 is :data:`RANGE_DB` below it. Silence is all 0.
    """
    sound_spectrogram = spectrogram(samples, rate)
    centres = (
        np.arange(len(sound_spectrogram.db)) * sound_spectrogram.joined + (sound_spectrogram.joined - 1) / 2
    ) * sound_spectrogram.bin_hz
    # At least the nearest row, however narrow the band.
    keep = (centres >= low_hz) & (centres <= high_hz)
    keep[np.argmin(np.abs(centres - (low_hz + high_hz) / 2))] = True
    db = sound_spectrogram.db[keep]
    if not np.any(samples):
        return np.zeros_like(db)
    top = float(db.max())
    level: NDArray[np.float32] = np.clip((db - top) / RANGE_DB + 1.0, 0.0, 1.0).astype(np.float32)
    return level


def write_picture(path: Path, samples: NDArray[np.float32], rate: int, low_hz: float, high_hz: float) -> None:
    """Write :func:`clip_pixels` as a PNG in the colours of ``magma``, low frequencies at the bottom, atomically.

    The picture is about :data:`HEIGHT_PX` high and at least :data:`LEAST_WIDTH_PX` wide: pixels are repeated, not
    blended.
    """
    level = clip_pixels(samples, rate, low_hz, high_hz)
    tall, wide = max(1, HEIGHT_PX // len(level)), max(1, -(-LEAST_WIDTH_PX // level.shape[1]))
    pixels = np.repeat(np.repeat(level, tall, axis=0), wide, axis=1)
    with whole_file(path) as part:
        imsave(part, pixels, cmap="magma", vmin=0.0, vmax=1.0, origin="lower", format="png")
