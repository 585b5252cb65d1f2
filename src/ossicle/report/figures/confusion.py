"""Figure of a confusion matrix: shares of each row as shades, counts as text."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ossicle.report.figures.groups import shortened
from ossicle.report.figures.style import BLUE, INK, ORANGE, SOFT, styled

_MOST_COUNTS = 30
"""With more labels than this, counts are too small to read."""


@styled
def confusion_figure(labels: Sequence[str], counts: NDArray[np.int64]) -> Figure:
    """Draw counts (n_labels, n_labels) with the true label in rows: right answers blue, wrong ones orange.

    The shade of a cell is its share of the row; rows without clips are white.
    """
    return _matrix(labels, counts, _shades(counts), "{}")


@styled
def difference_figure(labels: Sequence[str], difference: NDArray[np.int64]) -> Figure:
    """Draw how counts (n_labels, n_labels) of one run differ from those of another, int64: what got better is blue.

    More right and fewer wrong answers are better; the shade of a cell is its share of the largest difference.
    """
    right = np.eye(len(labels), dtype=np.bool_)
    better = np.where(right, difference > 0, difference < 0)
    strength = np.abs(difference) / max(int(np.abs(difference).max(initial=0)), 1)
    return _matrix(labels, difference, _mixed_colours(better, difference != 0, strength), "{:+d}")


def _matrix(labels: Sequence[str], counts: NDArray[np.int64], shades: NDArray[np.float64], cell: str) -> Figure:
    """Draw a cell of text on its shade for each count that is not zero."""
    n = len(labels)
    size = min(max(2.2 + 0.42 * n, 3.6), 16.0)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shades, aspect="equal", interpolation="none")
    names = [shortened(label, 18) for label in labels]
    axes.set_xticks(range(n), names, rotation=90)
    axes.set_yticks(range(n), names)
    axes.set(xlabel="answer", ylabel="true label")
    axes.xaxis.set_label_position("top")
    axes.tick_params(top=True, bottom=False, labeltop=True, labelbottom=False, length=0)
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_color(SOFT)
    if n <= _MOST_COUNTS:
        for row, column in zip(*np.nonzero(counts), strict=True):
            axes.text(column, row, cell.format(counts[row, column]), ha="center", va="center", fontsize=8, color=INK)
    return figure


def _shades(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a colour for each cell, (n_labels, n_labels, 3): right answers blue, wrong ones orange."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return _mixed_colours(np.eye(len(counts), dtype=np.bool_), counts > 0, shares)


def _mixed_colours(
    good: NDArray[np.bool_], shown: NDArray[np.bool_], strength: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return white mixed with blue where something is good and orange elsewhere, (n_labels, n_labels, 3)."""
    colours = np.where(good[..., None], to_rgb(BLUE), to_rgb(ORANGE))
    part = np.where(shown, 0.08 + 0.6 * strength, 0.0)[..., None]
    colours_mixed: NDArray[np.float64] = 1 - part * (1 - colours)
    return colours_mixed
