"""Figure of calibration: do scores equal the share of positives?"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ossicle.report.data import ReliabilityBin
from ossicle.report.figures.style import BLUE, INK, ORANGE, SOFT, styled, unit_axis


@styled
def reliability_figure(
    curves: Sequence[tuple[str, Sequence[ReliabilityBin]]], item: str = "a frame", share: str = "of the time"
) -> Figure:
    """Draw the share of positives against the mean score of each bin; below, the share of all items in each bin.

    ``curves``: at most a name and bins for before and after; ``item`` and ``share`` describe what is scored and
    counted.
    """
    figure = Figure(figsize=(5.6, 4.2), layout="constrained")
    axes, below = figure.subplots(2, sharex=True, height_ratios=(4, 1))
    axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1.0, linestyle=":")
    for (name, bins), colour, dashes in zip(curves, (BLUE, ORANGE), ("-", "--"), strict=False):
        filled = [reliability_bin for reliability_bin in bins if np.isfinite(reliability_bin.share_positive)]
        means, shares = (
            [reliability_bin.mean_score for reliability_bin in filled],
            [reliability_bin.share_positive for reliability_bin in filled],
        )
        axes.plot(means, shares, color=colour, linestyle=dashes, marker="o", markersize=5, label=name)
        _weights(below, bins, colour, filled=colour == BLUE)
    if len(curves) > 1:
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.1))
    axes.annotate("scores too low", (0.03, 0.9), fontsize=9, color=SOFT)
    axes.annotate("scores too high", (0.97, 0.06), fontsize=9, color=SOFT, ha="right")
    axes.set(title="What scores are worth as probabilities", xlim=(-0.02, 1.02))
    unit_axis(axes, "share positive")
    below.set_yscale("log")
    # Plain text: matplotlib writes exponents as formulas, which the page's text does not support.
    below.set_yticks([1e-4, 1e-2, 1], ["0.01 %", "1 %", "100 %"], fontsize=8)
    below.set(ylim=(1e-5, 1.5), xlabel=f"score of {item}")
    below.set_ylabel(share, color=INK)
    return figure


def _weights(below: Axes, bins: Sequence[ReliabilityBin], colour: str, *, filled: bool) -> None:
    total = sum(reliability_bin.weight for reliability_bin in bins)
    heights = [reliability_bin.weight / total if total else 0.0 for reliability_bin in bins]
    widths = [reliability_bin.up_to - reliability_bin.above for reliability_bin in bins]
    look = (
        {"color": colour, "edgecolor": "white"} if filled else {"fill": False, "edgecolor": colour, "linestyle": "--"}
    )
    below.bar([reliability_bin.above for reliability_bin in bins], heights, width=widths, align="edge", **look)
