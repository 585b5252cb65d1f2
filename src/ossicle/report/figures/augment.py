"""Figure of a log-mel spectrogram as the network receives it: bands over time, scaled to its own maximum."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ossicle.report.figures.style import styled
from ossicle.report.words import significant

LEFT, RIGHT = 0.17, 0.97
RANGE_DB = 80.0
_TICKS = 6


@styled
def log_mel_figure(log_mel: NDArray[np.float32], hop_s: float, centres_hz: Sequence[float]) -> Figure:
    """Draw ``log_mel`` (n_rows, n_mels) in dB, a row every ``hop_s``; ``centres_hz`` (n_mels,) name the bands.

    White to dark covers the range from :data:`RANGE_DB` below the maximum up to it; masked parts are one even grey.
    """
    figure = Figure(figsize=(4.4, 2.5))
    axes = figure.add_axes((LEFT, 0.19, RIGHT - LEFT, 0.78))
    top = float(log_mel.max())
    level = np.clip((log_mel.T - top) / RANGE_DB + 1.0, 0.0, 1.0)
    # In steps, which compress well, and unscaled in the SVG: the browser scales.
    grey = np.round(255 * (1 - np.round(level * 31) / 31)).astype(np.uint8)
    extent = (0.0, len(log_mel) * hop_s, -0.5, len(centres_hz) - 0.5)
    picture = np.repeat(grey[..., None], 3, axis=-1)
    axes.imshow(picture, extent=extent, origin="lower", aspect="auto", interpolation="none")
    bands = np.linspace(0, len(centres_hz) - 1, _TICKS).round().astype(int)
    axes.set_yticks(bands, [significant(centres_hz[band] / 1000, 2) for band in bands])
    axes.set(xlabel="time in the crop (s)", ylabel="kHz")
    axes.grid(visible=False)
    return figure
