"""Figures of rates against a variable: the threshold, the recall, the IoU threshold of a match."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ossicle.inference.decisions.fit import ThresholdCurve
from ossicle.report.data import PrCurve, SweepRow
from ossicle.report.figures.groups import shortened
from ossicle.report.figures.style import (
    BLUE,
    CYCLE,
    DASHES,
    GREEN,
    LINE,
    ORANGE,
    SOFT,
    legend_text,
    styled,
    unit_axis,
)
from ossicle.report.words import number

MOST_NAMED = 12
"""Curves that are told apart by colour and legend in one figure."""


@styled
def threshold_figure(curve: ThresholdCurve) -> Figure:
    """Draw precision, recall and F1 of one label against the ``on`` threshold, with the chosen one marked."""
    figure = Figure(figsize=(5.6, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.plot(curve.on, curve.precision, color=ORANGE, linestyle="--", linewidth=1.4, label="precision")
    axes.plot(curve.on, curve.recall, color=GREEN, linestyle="-.", linewidth=1.4, label="recall")
    axes.plot(curve.on, curve.f1, color=BLUE, linewidth=2.4, label="F1")
    on, f1 = float(curve.on[curve.chosen]), float(curve.f1[curve.chosen])
    # In the legend, because a text beside the line lies over the curves of some label.
    axes.axvline(on, color=SOFT, linewidth=1.0, linestyle=":", label=f"on = {on:.3g}, F1 {number(f1, 3)}")
    if np.isfinite(f1):
        axes.plot([on], [f1], marker="o", markersize=8, color=BLUE, markeredgecolor="white", markeredgewidth=1.5)
    axes.set(xlabel="threshold that begins an event (on)", title=shortened(curve.label, 44))
    unit_axis(axes, "rate")
    figure.legend(loc="outside lower center", ncols=4, columnspacing=1.2)
    return figure


@styled
def pr_figure(curves: Sequence[PrCurve]) -> Figure:
    """Draw precision against recall of every label, with the average precision in the legend.

    Of more than :data:`MOST_NAMED` labels, those with the lowest average precision have a colour and a name; the others
    are grey lines.
    """
    named = named_curves(curves)
    rows = -(-len(named) // 2)
    figure = Figure(figsize=(5.6, 3.0 + 0.2 * rows), layout="constrained")
    axes = figure.subplots()
    chosen = {id(curve) for curve in named}
    for curve in curves:
        if id(curve) not in chosen:
            axes.plot(*_points(curve), color=LINE, linewidth=0.8, zorder=1)
    for index, curve in enumerate(named):
        axes.plot(
            *_points(curve),
            color=CYCLE[index % len(CYCLE)],
            linestyle=DASHES[index // len(CYCLE) % len(DASHES)],
            label=legend_text(f"{shortened(curve.label, 20)} (AP {number(curve.average_precision, 3)})"),
            zorder=2,
        )
    axes.set(xlabel="recall", title="Precision and recall", xlim=(-0.02, 1.02))
    unit_axis(axes, "precision")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def named_curves(curves: Sequence[PrCurve]) -> list[PrCurve]:
    """Return the curves to name: all in the given order, or of too many those with the lowest average precision."""
    if len(curves) <= MOST_NAMED:
        return list(curves)
    return sorted(curves, key=lambda pr_curve: (_known_or_last(pr_curve.average_precision), pr_curve.label))[
        :MOST_NAMED
    ]


def _known_or_last(precision: float) -> float:
    """Return a figure for sorting; an undefined one comes last."""
    return precision if np.isfinite(precision) else 2.0


def _points(curve: PrCurve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.asarray(curve.recall, dtype=np.float64), np.asarray(curve.precision, dtype=np.float64)


@styled
def sweep_figure(rows: Sequence[SweepRow]) -> Figure:
    """Draw F1, precision and recall against the lowest IoU at which two events match."""
    figure = Figure(figsize=(5.6, 3.5), layout="constrained")
    axes = figure.subplots()
    iou = [row.iou for row in rows]
    axes.plot(iou, [row.precision for row in rows], color=ORANGE, linestyle="--", linewidth=1.4, label="precision")
    axes.plot(iou, [row.recall for row in rows], color=GREEN, linestyle="-.", linewidth=1.4, label="recall")
    axes.plot(iou, [row.f1 for row in rows], color=BLUE, linewidth=2.4, marker="o", markersize=4, label="F1")
    axes.set(xlabel="least IoU of a match", title="How exact the boundaries are")
    unit_axis(axes, "rate")
    figure.legend(loc="outside lower center", ncols=3)
    return figure
