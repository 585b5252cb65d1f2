"""Figures of states: F1 of windows against the threshold, and the losses of heads."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ossicle.report.data import TrainingCurve
from ossicle.report.figures.style import BLUE, CYCLE, DASHES, SOFT, legend_text, styled, unit_axis
from ossicle.report.figures.training import points


@styled
def state_threshold_figure(label: str, curve: Mapping[str, Any], threshold: float, names: Mapping[str, str]) -> Figure:
    """Draw F1 of the windows of one label against the threshold.

    Parameters
    ----------
    label
        The label.
    curve
        ``thresholds``, ``f1`` and ``folds`` (F1 by fold), and ``plateau`` as ``ThresholdCurve.to_json`` gives them.
    threshold
        The threshold of windows and files.
    names
        Name of each fold by its number as text.
    """
    figure = Figure(figsize=(5.6, 3.5), layout="constrained")
    axes = figure.subplots()
    thresholds = np.array(curve["thresholds"], dtype=np.float64)
    for index, (fold, values) in enumerate(curve["folds"].items()):
        style = DASHES[(index + 1) % len(DASHES)]
        colour = CYCLE[(index + 1) % len(CYCLE)]
        axes.plot(thresholds, _values(values), color=colour, linestyle=style, label=legend_text(names.get(fold, fold)))
    axes.plot(thresholds, _values(curve["f1"]), color=BLUE, linewidth=2.4, label="all")
    if curve["plateau"] is not None:
        axes.axvspan(curve["plateau"]["low"], curve["plateau"]["high"], color=SOFT, alpha=0.15, linewidth=0)
    axes.axvline(threshold, color=SOFT, linewidth=1.0, linestyle=":")
    axes.set(xlabel=f"threshold (middle of the plateau: {threshold:.3g})", title=label, xlim=(0, 1))
    unit_axis(axes, "F1 of windows")
    figure.legend(loc="outside lower center", ncols=4)
    return figure


@styled
def head_losses_figure(curves: Sequence[TrainingCurve]) -> Figure:
    """Draw training loss (dashed) and the loss of inner held-out recordings, where measured, of every head."""
    figure = Figure(figsize=(7.0, 3.3), layout="constrained")
    axes = figure.subplots()
    for index, curve in enumerate(curves):
        colour = CYCLE[index % len(CYCLE)]
        name = legend_text(curve.name)
        axes.plot(*points(curve.epochs, "train_loss"), color=colour, linewidth=1.2, linestyle="--", label=name)
        axes.plot(*points(curve.epochs, "val_loss"), color=colour, linewidth=1.8)
    axes.set(xlabel="epoch", ylabel="loss")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside lower left", ncols=6)
    return figure


def _values(figures: Sequence[float | None]) -> list[float]:
    return [float("nan") if figure is None else figure for figure in figures]
