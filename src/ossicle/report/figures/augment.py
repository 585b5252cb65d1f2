"""Figure of a log-mel spectrogram as the network receives it: bands over time, scaled to its own maximum."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ossicle.report.figures.style import styled
from ossicle.report.words import significant

LEFT, RIGHT = 0.17, 0.97
RANGE_DB = 80.0
_ROUND = tuple(digit * 10.0**power for power in range(1, 6) for digit in (1, 2, 5))
_NEAREST = 0.09
"""Least distance of two numbers, as a share of the axis: nearer ones lie over each other."""


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
    ticks = round_frequencies(centres_hz)
    axes.set_yticks(
        np.interp(ticks, centres_hz, np.arange(len(centres_hz))), [significant(hz / 1000, 2) for hz in ticks]
    )
    axes.set(xlabel="time in the crop (s)", ylabel="kHz")
    axes.grid(visible=False)
    return figure


def round_frequencies(centres_hz: Sequence[float]) -> list[float]:
    """Return the frequencies (Hz) that are written beside bands: round ones within them, from the highest down, each
    with room for its number. Without a round one within the bands, the lowest and the highest centre.

    >>> round_frequencies([50.0, 250.0, 600.0, 1200.0, 2400.0, 4800.0])
    [2000.0, 1000.0, 500.0, 200.0, 100.0]
    """
    ticks: list[float] = []
    places = np.interp(_ROUND, centres_hz, np.linspace(0.0, 1.0, len(centres_hz)))
    last = np.inf
    for hz, place in zip(_ROUND[::-1], places[::-1].tolist(), strict=True):
        if centres_hz[0] <= hz <= centres_hz[-1] and last - place >= _NEAREST:
            ticks.append(hz)
            last = place
    return ticks or sorted({float(centres_hz[0]), float(centres_hz[-1])})
