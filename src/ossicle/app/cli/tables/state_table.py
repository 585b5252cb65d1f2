"""The figures of states on stdout: one row for each fold, the worst first, and whether the data support them."""

from collections.abc import Mapping, Sequence
from typing import Any

from ossicle.app.cli.tables.cells import figure_cell, interval_cell
from ossicle.app.cli.tables.insufficient import insufficient_because

Row = tuple[str, ...]


def state_rows(metrics: Mapping[str, Any]) -> tuple[Row, list[Row]]:
    """Return the header and the rows: every fold, the worst first, then the mean, the gap and the in-sample figures."""
    states = metrics["states"]
    labels, hideable = list(states["f1"]), list(states["f1_unmasked"])
    header = ("states, out of fold", "accuracy", *(f"F1 {label}" for label in labels))
    header += (*(f"F1 {label}, not hidden" for label in hideable), "files", "basis")
    folds = sorted(states["folds"].items(), key=lambda pair: _value(pair[1]["state_accuracy"]))
    rows = [_fold_row(name, fold, labels, hideable) for name, fold in folds]
    summary = [states["state_accuracy"], *(states["f1"][label] for label in labels)]
    summary += [*(states["f1_unmasked"][label] for label in hideable), states["files"]["state_accuracy"]]
    rows += [
        (f"{name} of folds", *(figure_cell(figures[name]) for figures in summary), str(metrics["protocol"]["decision"]))
        for name in ("mean", "gap")
    ]
    rows.append(_fold_row("all folds", metrics["in_sample"]["states"], labels, hideable))
    return header, rows


def remarks(metrics: Mapping[str, Any]) -> list[str]:
    """Return the lines below the table."""
    protocol = metrics["protocol"]
    lines = [
        f"headline: {protocol['headline']}; windows of {protocol['window_s']:g} s every {protocol['hop_s']:g} s; files "
        f"by the median of their windows; intervals {protocol['intervals']}",
        *metrics["warnings"],
    ]
    if because := insufficient_because(metrics):
        lines += because
        lines.append(
            "insufficient: record at least 5 independent recordings with each label on, and with it off, in every "
            f"{protocol['group']}, before trusting these figures"
        )
    return lines


def _fold_row(name: str, fold: Mapping[str, Any], labels: Sequence[str], hideable: Sequence[str]) -> Row:
    cells = [
        fold["state_accuracy"],
        *(fold["f1"][label] for label in labels),
        *(fold["f1_unmasked"][label] for label in hideable),
    ]
    return (name, *map(interval_cell, cells), figure_cell(fold["files"]["state_accuracy"]["value"]), fold["basis"])


def _value(figure: Mapping[str, Any]) -> float:
    return float("inf") if figure["value"] is None else float(figure["value"])
