"""The figures of acoustic units on stdout: the worst fold, the mean, and what chance gives."""

from collections.abc import Mapping
from typing import Any

from ossicle.app.cli.tables.cells import MISSING, figure_cell, interval_cell
from ossicle.app.cli.tables.insufficient import insufficient_because
from ossicle.report.unit_figure_names import DIGITS, FIGURES

Row = tuple[str, ...]


def unit_rows(metrics: Mapping[str, Any]) -> tuple[Row, list[Row]]:
    """Return the header and a row for each figure that there is; figures of the features come last.

    Parameters
    ----------
    metrics
        ``metrics.json`` of a project for acoustic units.
    """
    units, group = metrics["units"], metrics["protocol"]["group"]
    header = (f"units, {metrics['protocol']['basis']}", "worst fold", "which", "mean", "by chance")
    rows = [_row(_name(key, group), units[key], DIGITS.get(key, 3)) for key in FIGURES if key in units]
    features = units.get("features", {})
    rows += [
        (
            f"{_name(key, group)}, features",
            interval_cell(features[key]),
            "all",
            MISSING,
            _cell(features[key], "shuffled"),
        )
        for key in FIGURES
        if key in features
    ]
    return header, rows


def unit_remarks(metrics: Mapping[str, Any]) -> list[str]:
    """Return the lines below the table."""
    return [str(metrics["protocol"]["in_words"]), *metrics["notes"], *insufficient_because(metrics)]


def _name(key: str, group: str) -> str:
    return f"{FIGURES[key]} {group}" if key.startswith("abx_") else FIGURES[key]


def _row(name: str, figure: Mapping[str, Any], digits: int) -> Row:
    interval = interval_cell(figure)
    if digits != 3 and figure["value"] is not None:
        low, high = (figure_cell(figure[bound], digits=digits) for bound in ("low", "high"))
        interval = figure_cell(figure["value"], digits=digits) + ("" if MISSING in (low, high) else f" [{low}, {high}]")
    return (
        name,
        interval,
        str(figure["fold"] or MISSING),
        figure_cell(figure["mean"], digits=digits),
        _chance(figure),
    )


def _chance(figure: Mapping[str, Any]) -> str:
    """Return what chance gives; of the AMI also what the same units reach when they are moved in time."""
    shifted = "" if figure.get("shifted") is None else f"; moved in time {figure_cell(figure['shifted'])}"
    return _cell(figure, "chance") + shifted


def _cell(figure: Mapping[str, Any], key: str) -> str:
    return figure_cell(figure.get(key))
