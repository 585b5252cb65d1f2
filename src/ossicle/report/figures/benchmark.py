"""Figures of a benchmark, each drawn from the rows of the table beside it."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from ossicle.report.figures.groups import shortened
from ossicle.report.figures.style import (
    BLUE,
    CYCLE,
    DASHES,
    GREEN,
    INK,
    ORANGE,
    SKY,
    SOFT,
    legend_text,
    styled,
    unit_axis,
)

MOST_TAPES = 40
_LONGEST = 40
"""Letters of a name beside bars: a longer one takes the room of the bars."""
_LONGEST_IN_LEGEND = 22
"""Letters of a name in a legend of two columns: longer ones are cut at the edges of the figure."""
_BOX = ("q05_ms", "q25_ms", "q50_ms", "q75_ms", "q95_ms")


@styled
def rates_figure(rows: pl.DataFrame, title: str, best: float) -> Figure:
    """Draw precision, recall and F1 of a reading against the threshold, with the interval of F1; ``best`` is marked."""
    figure = Figure(figsize=(5.6, 3.5), layout="constrained")
    axes = figure.subplots()
    thresholds = values(rows, "threshold")
    axes.fill_between(thresholds, values(rows, "f1_low"), values(rows, "f1_high"), color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(thresholds, values(rows, "precision"), color=ORANGE, linestyle="--", linewidth=1.4, label="precision")
    axes.plot(thresholds, values(rows, "recall"), color=GREEN, linestyle="-.", linewidth=1.4, label="recall")
    axes.plot(thresholds, values(rows, "f1"), color=BLUE, linewidth=2.4, marker="o", markersize=4, label="F1")
    axes.axvline(best, color=SOFT, linewidth=1.0, linestyle=":")
    axes.set(xlabel="threshold", title=shortened(title, _LONGEST))
    unit_axis(axes, "rate")
    figure.legend(loc="outside lower center", ncols=3)
    return figure


@styled
def pr_figure(curves: Sequence[tuple[str, pl.DataFrame]]) -> Figure:
    """Draw precision against recall of every reading (name and rows) as the threshold changes."""
    # The legend has two names in a row, and takes nothing from the axes.
    figure = Figure(figsize=(5.6, 3.3 + 0.2 * -(-len(curves) // 2)), layout="constrained")
    axes = figure.subplots()
    for index, (name, rows) in enumerate(curves):
        axes.plot(
            values(rows, "recall"),
            values(rows, "precision"),
            color=CYCLE[index % len(CYCLE)],
            linestyle=DASHES[index // len(CYCLE) % len(DASHES)],
            marker="o",
            markersize=4,
            label=legend_text(shortened(name, _LONGEST_IN_LEGEND)),
        )
    axes.set(xlabel="recall", title="Precision and recall over thresholds", xlim=(-0.02, 1.02))
    unit_axis(axes, "precision")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


@styled
def leaderboard_figure(rows: pl.DataFrame, title: str) -> Figure:
    """Draw bars of F1 with intervals, the best on top; ``rows`` come from ``benchmark_tables.board``."""
    figure = Figure(figsize=(8.0, 1.2 + 0.34 * max(1, len(rows))), layout="constrained")
    axes = figure.subplots()
    positions, f1 = np.arange(len(rows)), values(rows, "f1")
    axes.barh(positions, np.nan_to_num(f1), color=SKY, height=0.7)
    axes.hlines(positions, values(rows, "f1_low"), values(rows, "f1_high"), color=INK, linewidth=1.6)
    axes.set_yticks(positions, [_beside(name) for name in rows["name"].to_list()])
    axes.invert_yaxis()
    axes.set(xlabel="event F1", xlim=(0, 1.02), title=title)
    axes.grid(axis="y", visible=False)
    return figure


@styled
def tape_map_figure(rows: pl.DataFrame, title: str) -> Figure:
    """Draw the recall of every tape (rows) at every threshold (columns), from ``benchmark_tables.tape_map``."""
    tapes, thresholds, recall = tape_grid(rows)
    figure = Figure(figsize=(8.0, 1.6 + 0.26 * max(1, len(tapes))), layout="constrained")
    axes = figure.subplots()
    shown = axes.imshow(recall, vmin=0.0, vmax=1.0, cmap="cividis", aspect="auto", interpolation="nearest")
    axes.set_yticks(range(len(tapes)), [_beside(name) for name in tapes])
    # Long names of tapes leave room for a few numbers; more lie over each other.
    step = max(1, -(-len(thresholds) // 6))
    axes.set_xticks(range(0, len(thresholds), step), [f"{value:g}" for value in thresholds[::step]])
    axes.set(xlabel="threshold", title=title)
    axes.grid(visible=False)
    figure.colorbar(shown, ax=axes, label="recall")
    return figure


def tape_grid(rows: pl.DataFrame) -> tuple[list[str], list[float], np.ndarray]:
    """Return tapes, thresholds and recall (n_tapes, n_thresholds) of a map; of very many tapes those with the lowest
    recall.
    """
    means = rows.group_by("tape").agg(pl.col("recall").mean()).sort(["recall", "tape"])
    tapes = sorted(means["tape"].to_list()[:MOST_TAPES])
    thresholds = sorted(rows["threshold"].unique().to_list())
    recall = np.full((len(tapes), len(thresholds)), np.nan)
    for row in rows.iter_rows(named=True):
        if row["tape"] in tapes and row["recall"] is not None:
            recall[tapes.index(row["tape"]), thresholds.index(row["threshold"])] = row["recall"]
    return tapes, thresholds, recall


@styled
def boundary_figure(rows: pl.DataFrame) -> Figure:
    """Draw boxes of the errors of start and end: quartiles and median, whiskers from 5 to 95 %; negative means
    early.
    """
    figure = Figure(figsize=(8.0, 1.4 + 0.42 * max(1, len(rows))), layout="constrained")
    axes = figure.subplots()
    rows_with_pairs = rows.filter(pl.col("pairs") > 0)
    boxes = [
        {
            "label": f"{_beside(row['name'])}, {row['boundary']}",
            **dict(zip(("whislo", "q1", "med", "q3", "whishi"), (row[name] for name in _BOX), strict=True)),
        }
        for row in rows_with_pairs.iter_rows(named=True)
    ]
    axes.bxp(
        boxes, showfliers=False, orientation="horizontal", widths=0.6, medianprops={"color": ORANGE, "linewidth": 2}
    )
    axes.axvline(0.0, color=SOFT, linewidth=1.0, linestyle=":")
    axes.invert_yaxis()
    axes.set(xlabel="predicted minus annotated time (ms)", title="Boundary errors of matched events")
    return figure


@styled
def hardest_figure(rows: pl.DataFrame) -> Figure:
    """Draw the recall of the hardest tapes over all readings; ``rows`` come from ``benchmark_tables.hardest_tapes``."""
    hardest = rows.filter(pl.col("recall").is_not_null()).head(MOST_TAPES)
    figure = Figure(figsize=(8.0, 1.2 + 0.28 * max(1, len(hardest))), layout="constrained")
    axes = figure.subplots()
    axes.barh(np.arange(len(hardest)), values(hardest, "recall"), color=SKY, height=0.7)
    axes.set_yticks(np.arange(len(hardest)), [_beside(name) for name in hardest["tape"].to_list()])
    axes.invert_yaxis()
    axes.set(xlabel="recall over all readings", xlim=(0, 1.02), title="Hardest tapes")
    axes.grid(axis="y", visible=False)
    return figure


def _beside(name: str) -> str:
    return legend_text(shortened(name, _LONGEST))


def values(rows: pl.DataFrame, name: str) -> np.ndarray:
    """Return a column of figures as float64; NaN where undefined."""
    return rows[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
