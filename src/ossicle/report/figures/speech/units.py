"""Figures of acoustic units: a spectrogram with units and words, mean spectra, usage, lengths, and the sweep of k."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import hsv_to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ossicle.report.figures.example import LEFT, RIGHT
from ossicle.report.figures.groups import shortened
from ossicle.report.figures.spectrogram import grey_levels, spectrogram
from ossicle.report.figures.style import BLUE, INK, ORANGE, SOFT, styled
from ossicle.report.units_data import SegmentCard

# Neighbouring numbers get colours that are far apart: steps of the golden ratio around the hues.
_GOLDEN = 0.618034
_BOTTOM, _TOP, _LANES_TOP = 0.16, 0.74, 0.985
_LETTER_SHARE = 0.0115


def unit_colour(unit: int) -> tuple[float, float, float]:
    """Return the colour of a unit, pale enough for dark text."""
    red, green, blue = hsv_to_rgb([unit * _GOLDEN % 1.0, 0.35 + 0.2 * (unit % 2), 0.95]).tolist()
    return red, green, blue


@styled
def segment_figure(card: SegmentCard, rate: int, hop_s: float) -> Figure:
    """Draw the spectrogram of a stretch, with its units as coloured runs and its words above.

    Parameters
    ----------
    card
        The stretch.
    rate
        Sample rate in Hz.
    hop_s
        Seconds from frame to frame.
    """
    figure = Figure(figsize=(9.4, 3.1))
    axes = figure.add_axes((LEFT / 2, _BOTTOM, RIGHT - LEFT / 2, _TOP - _BOTTOM))
    lanes = figure.add_axes((LEFT / 2, _TOP, RIGHT - LEFT / 2, _LANES_TOP - _TOP))
    start_s, end_s = card.start_s, card.start_s + max(len(card.samples), 1) / rate
    if len(card.samples):
        sound_spectrogram = spectrogram(card.samples, rate)
        first_s, last_s, low_hz, high_hz = sound_spectrogram.extent
        grey = np.repeat(grey_levels(sound_spectrogram.db)[..., None], 3, axis=-1)
        extent = (start_s + first_s, start_s + last_s, low_hz / 1000, high_hz / 1000)
        axes.imshow(grey, extent=extent, origin="lower", aspect="auto", interpolation="none")
    axes.set(xlim=(start_s, end_s), ylim=(0, rate / 2000), xlabel="time in the recording (s)", ylabel="kHz")
    axes.grid(visible=False)
    axes.ticklabel_format(axis="x", style="plain", useOffset=False)
    per_letter = _LETTER_SHARE * (end_s - start_s)
    for first, last, unit in runs(card.times_s, card.units, hop_s):
        lanes.add_patch(Rectangle((first, 0.05), last - first, 0.9, color=unit_colour(unit), linewidth=0))
        if last - first >= len(str(unit)) * per_letter:
            lanes.text((first + last) / 2, 0.5, str(unit), ha="center", va="center", fontsize=7, clip_on=True)
    for first, last, word in card.words:
        lanes.add_patch(Rectangle((first, 1.08), last - first, 0.84, fill=False, edgecolor=SOFT, linewidth=0.8))
        letters = int((last - first) / per_letter)
        if letters >= 2:
            text = shortened(word, letters)
            lanes.text((first + last) / 2, 1.5, text, ha="center", va="center", fontsize=8, color=INK, clip_on=True)
    lanes.set(xlim=(start_s, end_s), ylim=(0, 2), xticks=[])
    lanes.set_yticks([0.5, 1.5], ["units", "words" if card.words else ""])
    lanes.tick_params(axis="y", length=0, labelsize=8, pad=2)
    lanes.grid(visible=False)
    for side in lanes.spines.values():
        side.set_visible(False)
    return figure


def runs(times_s: NDArray[np.float64], units: NDArray[np.int64], hop_s: float) -> list[tuple[float, float, int]]:
    """Return start, end and unit of each run of equal units; a frame fills half a hop on each side of its centre.

    >>> runs(np.array([0.01, 0.03, 0.05]), np.array([7, 7, 2]), 0.02)
    [(0.0, 0.04, 7), (0.04, 0.06, 2)]
    """
    if not len(units):
        return []
    firsts = np.flatnonzero(np.append(True, units[1:] != units[:-1]))
    lasts = np.append(firsts[1:], len(units)) - 1
    starts, ends = times_s[firsts] - hop_s / 2, times_s[lasts] + hop_s / 2
    return [
        (round(start, 6), round(end, 6), unit)
        for start, end, unit in zip(starts.tolist(), ends.tolist(), units[firsts].tolist(), strict=True)
    ]


@styled
def spectra_figure(spectra: NDArray[np.float64], bands_hz: NDArray[np.float64], names: Sequence[int]) -> Figure:
    """Draw the mean spectrum of every unit as a column, the most frequent unit first.

    Parameters
    ----------
    spectra
        Mean level in dB, shape (n_units, n_bands); NaN where no frame was heard.
    bands_hz
        Centre of each band, shape (n_bands,).
    names
        Number of each unit.
    """
    figure = Figure(figsize=(9.4, 3.4), layout="constrained")
    axes = figure.subplots()
    if np.isfinite(spectra).any():
        low, high = np.nanquantile(spectra, [0.02, 0.98])
        shown = axes.imshow(
            spectra.T, origin="lower", aspect="auto", cmap="magma", vmin=low, vmax=high, interpolation="none"
        )
        figure.colorbar(shown, ax=axes, label="mean level (dB)", pad=0.01)
    every = max(1, len(names) // 25)
    axes.set_xticks(range(0, len(names), every), [str(unit) for unit in names[::every]])
    rows = np.unique(np.searchsorted(bands_hz, [250, 500, 1000, 2000, 4000, 8000]).clip(max=len(bands_hz) - 1))
    axes.set_yticks(rows, [f"{bands_hz[row] / 1000:.1f}" for row in rows.tolist()])
    axes.set(xlabel="unit, the most frequent first", ylabel="kHz")
    axes.grid(visible=False)
    return figure


@styled
def usage_figure(shares: Sequence[float], mean_s: Sequence[float]) -> Figure:
    """Draw the share of frames of each unit in rank order, and the mean duration of a use beside it."""
    figure = Figure(figsize=(9.4, 2.9), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.bar(np.arange(1, len(shares) + 1), 100 * np.array(shares), color=BLUE, width=0.9)
    if len(shares):
        left.axhline(100 / len(shares), color=SOFT, linewidth=1, linestyle=":")
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.set(xlabel="rank of the unit", ylabel="% of frames", title="Usage (dotted: all alike)")
    right.hist(1000 * np.array(mean_s), bins=20, color=ORANGE)
    right.set(xlabel="mean duration of a use (ms)", ylabel="units", title="Duration")
    right.yaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


@styled
def lengths_figure(lengths_s: NDArray[np.float64]) -> Figure:
    """Draw how long segments are."""
    figure = Figure(figsize=(5.6, 3.0), layout="constrained")
    axes = figure.subplots()
    axes.hist(lengths_s, bins=min(40, max(5, len(lengths_s) // 4)), color=BLUE)
    axes.set(xlabel="length (s)", ylabel="segments")
    axes.set_xlim(left=0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


@styled
def sweep_figure(sweep: Sequence[Mapping[str, float | None]]) -> Figure:
    """Draw inertia, trained on and held out, against the number of units."""
    figure = Figure(figsize=(5.6, 3.0), layout="constrained")
    axes = figure.subplots()
    for key, name, colour, dashes in (
        ("inertia", "trained on", SOFT, "--"),
        ("held_out_inertia", "held out", BLUE, "-"),
    ):
        points = [(row["k"], row[key]) for row in sweep if row.get(key) is not None]
        if points:
            axes.plot(*zip(*points, strict=True), color=colour, linestyle=dashes, marker="o", label=name)
    axes.set(xlabel="number of units", ylabel="mean squared distance", xscale="log")
    ticks = [float(row["k"] or 0) for row in sweep]
    axes.set_xticks(ticks, [f"{tick:.0f}" for tick in ticks])
    axes.minorticks_off()
    axes.legend()
    return figure
