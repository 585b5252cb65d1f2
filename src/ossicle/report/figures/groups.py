"""Figure of the F1 of every group, with its interval: where the detector works and where it does not."""

import math
from collections.abc import Mapping
from statistics import median

from matplotlib.figure import Figure

from ossicle.metrics.reports.event_report import EventScores
from ossicle.report.figures.style import BLUE, INK, ORANGE, SKY, styled
from ossicle.report.words import number

MAX_BARS = 40
# Up to this many bars are shown even if most groups are small.
_MANY = 20
# The F1 of fewer annotations than this is mostly chance.
_FEW = 5


def says_something(per_group: Mapping[str, EventScores]) -> bool:
    """Return whether groups are few enough, or most of them large enough, for a figure of each group."""
    return len(per_group) <= _MANY or median(event_scores.n_reference for event_scores in per_group.values()) >= _FEW


def bars_shown(per_group: Mapping[str, EventScores]) -> list[tuple[str, EventScores]]:
    """Return the groups in the figure from best to worst F1, groups without F1 last; of very many only the worst."""

    def order(item: tuple[str, EventScores]) -> tuple[bool, float, str]:
        f1 = item[1].rates.f1.value
        return (not math.isfinite(f1), -f1 if math.isfinite(f1) else 0.0, item[0])

    return sorted(per_group.items(), key=order)[-MAX_BARS:]


@styled
def groups_figure(per_group: Mapping[str, EventScores], pooled: float) -> Figure:
    """Draw horizontal bars of F1 by group with intervals; a dashed line at the ``pooled`` F1."""
    shown = bars_shown(per_group)
    figure = Figure(figsize=(9.6, 1.1 + 0.3 * len(shown)), layout="constrained")
    axes = figure.subplots()
    for row, (_, scores) in enumerate(shown):
        f1 = scores.rates.f1
        axes.barh(row, f1.value if math.isfinite(f1.value) else 0.0, height=0.68, color=SKY, zorder=2)
        if math.isfinite(f1.low) and math.isfinite(f1.high):
            axes.plot([f1.low, f1.high], [row, row], color=BLUE, linewidth=2.2, solid_capstyle="butt", zorder=3)
        counts = f"{number(f1.value, 3)}  ({scores.tp} of {scores.n_reference} found, {scores.fp} false)"
        axes.text(1.03, row, counts, va="center", fontsize=9, color=INK)
    if math.isfinite(pooled):
        axes.axvline(pooled, color=ORANGE, linewidth=1.4, linestyle="--", zorder=4)
        axes.annotate(
            f"pooled {number(pooled, 3)}",
            (pooled, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            color=ORANGE,
        )
    axes.set_yticks(range(len(shown)), [shortened(name) for name, _ in shown])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set(xlim=(0, 1.0), ylim=(len(shown) - 0.4, -0.6), xlabel="F1")
    return figure


def shortened(name: str, most: int = 32) -> str:
    """Return a long name without its middle.

    >>> shortened("a" * 20 + "b" * 20, 11)
    'aaaaa…bbbbb'
    """
    if len(name) <= most:
        return name
    half = (most - 1) // 2
    return f"{name[:half]}…{name[-half:]}"
