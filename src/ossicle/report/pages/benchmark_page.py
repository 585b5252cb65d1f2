"""The page of a benchmark: one HTML file that needs no network and no other file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from ossicle.artefacts.files import write_text
from ossicle.metrics.reports.event_report import Estimate
from ossicle.report import words
from ossicle.report.figures.benchmark import (
    MOST_TAPES,
    boundary_figure,
    hardest_figure,
    leaderboard_figure,
    pr_figure,
    rates_figure,
    tape_map_figure,
)
from ossicle.report.figures.style import data_address
from ossicle.report.pages.benchmark_tables import (
    Chosen,
    board,
    boundary_rows,
    chosen,
    curve,
    hardest_tapes,
    tape_map,
)
from ossicle.report.pages.template import render_page

BASES = {
    "cross-fitted": "for each tape with the threshold chosen on the other tapes: what to expect on a new tape",
    "bundle": "with the bundle's own decision, fitted without this corpus",
    "in-sample": "with the threshold chosen on these same recordings: better than to expect on a new tape",
}
_RATES = ("precision", "recall", "f1")
_MOST_READINGS = 24
_MOST_ROWS = 60


def write_benchmark_page(
    path: Path, tables: Mapping[str, pl.DataFrame], about: Mapping[str, Any], notebook: str = ""
) -> None:
    """Write the page of a benchmark's tables (from ``benchmark_tables.read_tables``) atomically.

    ``about``: the content of ``benchmark.json``. ``notebook``: file name of the notebook beside the page; empty if
    there is none. Equal tables give equal bytes.
    """
    write_text(path, render(tables, about, notebook))


def render(tables: Mapping[str, pl.DataFrame], about: Mapping[str, Any], notebook: str = "") -> str:
    """Return the page as text."""
    criterion = str(about["criteria"][0])
    readings = chosen(tables["metrics"], criterion)
    shown = readings[:_MOST_READINGS]
    boards = [
        (basis, reason, rows, data_address(leaderboard_figure(rows, basis)) if _any(rows, "f1") else "")
        for basis, reason in BASES.items()
        if len(rows := board(tables["leaderboard"], criterion, basis))
    ]
    boundaries = boundary_rows(tables["boundaries"], shown, criterion)
    curves = [(reading.name, curve(tables["metrics"], reading, criterion)) for reading in shown]
    drawn = [(name, rows) for name, rows in curves if _any(rows, "precision") and _any(rows, "recall")]
    hardest = hardest_tapes(tables["per_tape"], readings, criterion)
    return render_page(
        "benchmark.html",
        f"{about['title']}: benchmark",
        about=about,
        criterion=criterion,
        marks=sorted({mark for mark in tables["leaderboard"]["marks"].to_list() if mark}),
        headline=_headline(tables["leaderboard"], criterion),
        boards=[(basis, reason, rows.to_dicts(), image) for basis, reason, rows, image in boards],
        estimate=_estimate,
        readings=[_reading(tables, reading, criterion) for reading in shown],
        readings_left=len(readings) - len(shown),
        pr_image=data_address(pr_figure(drawn)) if drawn else "",
        boundary_image=data_address(boundary_figure(boundaries)) if boundaries["pairs"].sum() else "",
        boundaries=boundaries.to_dicts(),
        hardest_image=data_address(hardest_figure(hardest)) if _any(hardest, "recall") else "",
        hardest=hardest.head(_MOST_ROWS).to_dicts(),
        hardest_left=max(0, len(hardest) - _MOST_ROWS),
        qualities=_qualities(tables["per_quality"], shown, criterion),
        most_tapes=MOST_TAPES,
        notebook=notebook,
    )


def _headline(leaderboard: pl.DataFrame, criterion: str) -> dict[str, Any]:
    for basis in BASES:
        rows = board(leaderboard, criterion, basis)
        if len(rows):
            return {"basis": basis, **rows.row(0, named=True)}
    return {}


def _reading(tables: Mapping[str, pl.DataFrame], reading: Chosen, criterion: str) -> dict[str, Any]:
    rows, cells = curve(tables["metrics"], reading, criterion), tape_map(tables["per_tape"], reading, criterion)
    return {
        "name": reading.name,
        "marks": reading.row["marks"],
        "step_s": reading.row["step_s"],
        "window_s": reading.row["window_s"],
        "rates_image": data_address(rates_figure(rows, reading.name, reading.threshold)) if _any(rows, *_RATES) else "",
        "rows": rows.to_dicts(),
        "map_image": data_address(tape_map_figure(cells, f"{reading.name}: recall by tape")) if len(cells) else "",
    }


def _any(rows: pl.DataFrame, *names: str) -> bool:
    """Return whether anything is defined in these columns: axes without a value would say nothing."""
    return any(rows[name].is_not_null().any() for name in names)


def _qualities(per_quality: pl.DataFrame, readings: list[Chosen], criterion: str) -> list[dict[str, Any]]:
    blocks = []
    for reading in readings:
        rows = curve(per_quality, reading, criterion).filter(pl.col("threshold") == reading.threshold)
        blocks += [
            {"name": reading.name, "threshold": reading.threshold, **row} for row in rows.sort("quality").to_dicts()
        ]
    return blocks


def _estimate(row: Mapping[str, Any], name: str) -> tuple[str, str]:
    """Return a figure and its interval in words."""
    nan = float("nan")
    value, low, high = (nan if row[key] is None else row[key] for key in (name, f"{name}_low", f"{name}_high"))
    return words.number(value, 3), words.interval(Estimate(value, low, high), 3)
