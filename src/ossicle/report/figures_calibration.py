"""Figure of calibration: do scores mean what they say?"""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ossicle.report.data import ReliabilityBin
from ossicle.report.style import BLUE, INK, SOFT, styled, unit_axis


@styled
def reliability_figure(bins: Sequence[ReliabilityBin]) -> Figure:
    """Share of positive frames against the mean score of each bin; below, how much time each bin holds."""
    figure = Figure(figsize=(5.6, 4.2), layout="constrained")
    axes, below = figure.subplots(2, sharex=True, height_ratios=(4, 1))
    axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1.0, linestyle=":")
    filled = [one for one in bins if np.isfinite(one.share_positive)]
    means, shares = [one.mean_score for one in filled], [one.share_positive for one in filled]
    axes.plot(means, shares, color=BLUE, marker="o", markersize=5)
    axes.annotate("scores too low", (0.03, 0.9), fontsize=9, color=SOFT)
    axes.annotate("scores too high", (0.97, 0.06), fontsize=9, color=SOFT, ha="right")
    axes.set(title="What scores are worth as probabilities", xlim=(-0.02, 1.02))
    unit_axis(axes, "share positive")
    total = sum(one.seconds for one in bins)
    heights = [one.seconds / total if total else 0.0 for one in bins]
    widths = [one.up_to - one.above for one in bins]
    below.bar([one.above for one in bins], heights, width=widths, align="edge", color=BLUE, edgecolor="white")
    below.set_yscale("log")
    # Words: matplotlib's own exponents are mathematics, which the page's text does not set.
    below.set_yticks([1e-4, 1e-2, 1], ["0.01 %", "1 %", "100 %"], fontsize=8)
    below.set(ylim=(1e-5, 1.5), xlabel="score of a frame")
    below.set_ylabel("of the time", color=INK)
    return figure
