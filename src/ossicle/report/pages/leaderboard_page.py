"""The page of a leaderboard: one small HTML file that needs no network and no other file."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ossicle.artefacts.files import write_text
from ossicle.metrics.reports.event_report import Estimate
from ossicle.report import words
from ossicle.report.pages.template import render_page


def write_leaderboard_page(path: Path, title: str, board: Mapping[str, Any]) -> None:
    """Write the page of a board (``Board.to_json`` of the step) atomically. Equal boards give equal bytes."""
    write_text(path, render(title, board))


def render(title: str, board: Mapping[str, Any]) -> str:
    """Return the page as text."""
    rows: Sequence[Mapping[str, Any]] = board["rows"]
    shown: Mapping[str, str] = board["figures"]
    return render_page(
        "leaderboard.html",
        f"{title}: leaderboard",
        columns=shown,
        rows=[_row(row, shown) for row in rows],
        criteria=sorted({str(row["criterion"]) for row in rows if row["criterion"]}),
        seeds=[
            {
                "names": ", ".join(group["names"]),
                "n": len(group["names"]),
                "figures": [_spread(group.get(name)) for name in shown],
            }
            for group in board["over_seeds"]
        ],
    )


def _row(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    best = row["to_best"]
    return {
        "name": row["name"],
        "gate": row["gate"],
        "note": row["note"],
        "differs": row.get("differs", ()),
        "training": words.duration(row["training_s"]),
        "figures": [_figure(row.get(name), signed=False) for name in columns],
        "to_best": _figure(best, signed=True),
        # An interval that contains 0 does not distinguish the two.
        "apart": best is not None and best["high"] is not None and best["high"] < 0,
    }


def _figure(figure: Mapping[str, float | None] | None, *, signed: bool) -> tuple[str, str]:
    """Return a figure and its interval in words."""
    nan = float("nan")
    known = {} if figure is None else {key: figure for key, figure in figure.items() if figure is not None}
    value, low, high = (known.get(key, nan) for key in ("value", "low", "high"))
    if not signed:
        return words.number(value, 3), words.interval(Estimate(value, low, high), 3)
    between = "" if math.isnan(low + high) else f"{words.signed(low, 3)} to {words.signed(high, 3)}"
    return words.signed(value, 3), between


def _spread(spread: Mapping[str, float] | None) -> str:
    return words.MISSING if spread is None else f"{spread['mean']:.3f} ± {spread['deviation']:.3f}"
