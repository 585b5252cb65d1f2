"""Tables on stdout."""

import io
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ossicle.app.cli.printable import printable, printable_line
from ossicle.app.cli.tables.cells import interval_cell
from ossicle.app.cli.tables.clip_table import clip_remarks, clip_rows
from ossicle.app.cli.tables.column_parts import WHOLE, column_parts
from ossicle.app.cli.tables.rows_shown import names_in_words, worst_shown
from ossicle.app.cli.tables.state_table import remarks, state_rows
from ossicle.app.cli.tables.unit_table import unit_remarks, unit_rows
from ossicle.app.cli.tables.vocoder_table import vocoder_remarks, vocoder_rows
from ossicle.evaluation.criteria.kinds import kind_in
from ossicle.metrics.reports.event_report import mean_in_words

_PIPE_WIDTH = 1000


def print_rows(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    total: Sequence[str] | None = None,
    *,
    stderr: bool = False,
) -> None:
    """Print a plain table, with ``total`` as a separate last row. Cells are one line of text, never markup or terminal
    commands."""
    console = Console(stderr=stderr)
    if console.is_terminal:
        for table in tables_of(header, rows, total, console.width):
            console.print(table)
        return
    (table,) = tables_of(header, rows, total)
    # A pipe has no width: rows are kept whole, and no line is filled up with blanks.
    stream = sys.stderr if stderr else sys.stdout
    written = io.TextIOWrapper(
        io.BytesIO(), stream.encoding or "utf-8", stream.errors, newline="\n", write_through=True
    )
    Console(width=_PIPE_WIDTH, file=written).print(table)
    written.seek(0)
    for line in written:
        print(printable(line.rstrip()), file=stream)


def tables_of(
    header: Sequence[str], rows: Sequence[Sequence[str]], total: Sequence[str] | None = None, width: int | None = None
) -> list[Table]:
    """Return the table, or the parts of one that is too wide for a terminal of ``width``; None: any width will do."""
    lines = [header, *rows, *([total] if total else [])]
    widths = [max(cell_len(printable_line(line[column])) for line in lines) for column in range(len(header))]
    tables = []
    for part in column_parts(widths, width or sys.maxsize):
        table = Table(box=box.SIMPLE_HEAD, show_footer=total is not None)
        for column in part:
            # A number that is broken into lines reads as two.
            whole = width is not None and column > 0 and widths[column] <= WHOLE
            footer = Text(total[column]) if total else ""
            table.add_column(Text(header[column]), footer=footer, overflow="fold", no_wrap=whole)
        for row in rows:
            table.add_row(*(Text(printable_line(row[column])) for column in part))
        tables.append(table)
    return tables


def print_metrics(metrics: Mapping[str, Any]) -> None:
    """Print the figures of ``metrics.json``, the headline first, each with its interval."""
    if "units" in metrics:
        print_rows(*unit_rows(metrics))
        for remark in unit_remarks(metrics):
            print(printable(remark))
        if "vocoder" in metrics:
            print_rows(*vocoder_rows(metrics["vocoder"]))
            for remark in vocoder_remarks(metrics["vocoder"]):
                print(printable(remark))
        return
    if "states" in metrics:
        print_rows(*state_rows(metrics))
        for remark in remarks(metrics):
            print(printable(remark))
        return
    if "clips" in metrics:
        print_rows(*clip_rows(metrics["clips"]))
        for remark in clip_remarks(metrics["clips"]):
            print(printable(remark))
    if kind_in(metrics).clips_lead:
        for note in metrics.get("notes", ()):
            print(printable(f"note: {note}"))
        return
    rows = [_row("all (out of fold)", metrics)]
    if len(metrics["per_label"]) > 1:
        macro = {
            "events": metrics["macro"],
            "n_reference": metrics["n_reference"],
            "n_predicted": metrics["n_predicted"],
        }
        rows.append(_row(f"macro {mean_in_words(metrics['macro']['labels'])}", macro))
    labels, labels_left = worst_shown(metrics["per_label"], "label")
    if len(metrics["per_label"]) > 1:
        rows += [_row(f"label {name}", {"events": figures, **figures}) for name, figures in labels.items()]
    groups, groups_left = worst_shown(metrics["per_group"], "group")
    rows += [_row(f"group {name}", {"events": figures, **figures}) for name, figures in groups.items()]
    rows.append(_row("all, in-sample", metrics["in_sample"]))
    protocol, kind = metrics["protocol"], kind_in(metrics)
    print_rows((kind.counted, "F1", "precision", "recall", "annotated", "predicted"), rows)
    if kind.ranks_recordings:
        print(printable(_ranked(metrics["recordings"])))
    for left_out in (labels_left, groups_left):
        if left_out:
            print(printable(left_out))
    few = "; few groups: the intervals are not valid for new groups" if metrics["few_groups"] else ""
    print(printable(f"{protocol['criterion']}; decision {protocol['decision']}; 95 % intervals{few}"))
    for note in metrics.get("notes", ()):
        print(printable(f"note: {note}"))


def _ranked(recordings: Mapping[str, Any]) -> str:
    """Return the figures of recordings that need no threshold."""
    over = mean_in_words(recordings["macro"]["labels"])
    parts = [
        f"macro ROC AUC {interval_cell(recordings['macro']['roc_auc'])}",
        f"cmAP {interval_cell(recordings['macro']['cmap'])}",
    ]
    if recordings["accuracy"] is not None:
        parts.insert(0, f"top-1 accuracy {interval_cell(recordings['accuracy'])}")
    parts += [] if over == "over labels" else [f"means {over}"]
    for where, labels in (("no", recordings["absent"]), ("every", recordings["everywhere"])):
        parts += [f"in {where} recording: {names_in_words(labels)}"] if labels else []
    return "; ".join(parts)


def _row(name: str, row_figures: Mapping[str, Any]) -> tuple[str, ...]:
    figures = (interval_cell(row_figures["events"][key]) for key in ("f1", "precision", "recall"))
    return (name, *figures, str(row_figures["n_reference"]), str(row_figures["n_predicted"]))
