"""The event log of a session or a file as a table on stderr: how often and how long each label was on."""

from collections.abc import Mapping, Sequence
from typing import Any

from ossicle.app.cli.tables.cells import MISSING
from ossicle.app.cli.tables.table import print_rows

_HEADER = ("label", "count", "seconds on", "duty cycle", "mean s", "longest s")


def print_label_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the rows of :meth:`ossicle.live.label_log.LabelLog.summary` on stderr; what is undefined is "–"."""
    cells = [
        (
            row["label"],
            str(row["count"]),
            f"{row['on_s']:.1f}",
            MISSING if row["duty_cycle"] is None else f"{100 * row['duty_cycle']:.1f} %",
            MISSING if row["mean_s"] is None else f"{row['mean_s']:.1f}",
            MISSING if row["longest_s"] is None else f"{row['longest_s']:.1f}",
        )
        for row in rows
    ]
    print_rows(_HEADER, cells, stderr=True)
