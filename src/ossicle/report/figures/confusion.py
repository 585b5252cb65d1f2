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
    n = len(labels)
    size = min(max(2.2 + 0.42 * n, 3.6), 16.0)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(_shades(counts), aspect="equal", interpolation="none")
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
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=8, color=INK)
    return figure


def _shades(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a colour for each cell, (n_labels, n_labels, 3): white mixed with the colour of right or wrong."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    colours = np.where(np.eye(len(counts), dtype=np.bool_)[..., None], to_rgb(BLUE), to_rgb(ORANGE))
    strength = np.where(counts > 0, 0.08 + 0.6 * shares, 0.0)[..., None]
    out: NDArray[np.float64] = 1 - strength * (1 - colours)
    return out
