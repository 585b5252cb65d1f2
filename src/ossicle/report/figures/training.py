"""Figure of the training curves: losses and learning rate by epoch."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from ossicle.report.data import TrainingCurve
from ossicle.report.figures.style import CYCLE, legend_text, styled


def points(epochs: Sequence[Mapping[str, Any]], key: str) -> tuple[list[float], list[float]]:
    """Return the epochs at which ``key`` was measured, and its values."""
    points_of_curve = [(epoch["epoch"], epoch[key]) for epoch in epochs if math.isfinite(epoch.get(key, math.nan))]
    return [epoch for epoch, _ in points_of_curve], [value for _, value in points_of_curve]


@styled
def training_figure(curves: Sequence[TrainingCurve]) -> Figure:
    """Draw training loss (dashed), validation loss (solid), inner loss (dotted) and learning rate of every training."""
    # The legend has six names in a row, and takes nothing from the axes.
    figure = Figure(figsize=(9.6, 3.3 + 0.2 * -(-len(curves) // 6)), layout="constrained")
    losses, rates = figure.subplots(1, 2, width_ratios=[2, 1])
    for index, curve in enumerate(curves):
        colour = CYCLE[index % len(CYCLE)]
        losses.plot(*points(curve.epochs, "train_loss"), color=colour, linewidth=1.0, linestyle="--")
        if any("inner_loss" in line for line in curve.epochs):
            losses.plot(*points(curve.epochs, "inner_loss"), color=colour, linewidth=1.2, linestyle=":")
        losses.plot(
            *points(curve.epochs, "val_loss"), color=colour, marker="o", markersize=3.5, label=legend_text(curve.name)
        )
        rates.plot(*points(curve.epochs, "learning_rate"), color=colour, linewidth=1.4)
    inner = any("inner_loss" in line for curve in curves for line in curve.epochs)
    kinds = (
        "training (dashed), inner groups (dotted), held-out (solid)" if inner else "training (dashed), held-out (solid)"
    )
    losses.set(xlabel="epoch", ylabel="loss", title=f"Loss: {kinds}")
    losses.set_ylim(bottom=0)
    rates.set(xlabel="epoch", title="Learning rate")
    for axes in (losses, rates):
        axes.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(*losses.get_legend_handles_labels(), loc="outside lower left", ncols=6)
    return figure
