"""``ossicle convert``: annotations from one format into another."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from ossicle.app.cli.options import Json
from ossicle.core.errors import EXIT_INCOMPLETE
from ossicle.corpus.formats.conversion import Conversion, convert_annotations
from ossicle.corpus.formats.reader import Reading
from ossicle.corpus.formats.registry import EVENT_FORMATS, FORMATS, ReadOptions, WriteOptions, format_named
from ossicle.corpus.formats.window_labels import WindowPlan


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(convert)


def convert(
    place: Annotated[
        Path, typer.Argument(metavar="INPUT", help="Annotations: a file, or a folder of them (any depth).")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="File or folder to write; nothing is written over.")],
    to: Annotated[
        str, typer.Option("--to", help=f"Format to write: {', '.join(EVENT_FORMATS)}, opensoundscape, dcase-scores.")
    ],
    from_: Annotated[
        str,
        typer.Option("--from", help=f"Format to read: {', '.join(FORMATS)}; auto where each file says what it is."),
    ] = "auto",
    label_column: Annotated[str, typer.Option(help="Label column: a name, a number from 1, or auto.")] = "auto",
    default_label: Annotated[
        str, typer.Option(help="Label of rows that have none; empty: such rows are refused.")
    ] = "",
    template: Annotated[
        str, typer.Option(help="Of names: what they look like, as in 'ac-{ac:on|off}-fridge-{fridge:on|off}-{part}'.")
    ] = "",
    label_field: Annotated[
        list[str] | None,
        typer.Option(help="Of names: FIELD labels with its value, FIELD=VALUE with FIELD where it has it; repeatable."),
    ] = None,
    audio: Annotated[
        Path | None, typer.Option(help="Folder of the recordings: gives their paths, suffixes and durations.")
    ] = None,
    durations: Annotated[Path | None, typer.Option(help="Table `filename duration` (seconds), for windows.")] = None,
    durations_out: Annotated[
        Path | None, typer.Option(help="Write the durations of all recordings here too: `filename duration`.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Least score of a window that is an event; for tables of scores.")
    ] = None,
    window_s: Annotated[float, typer.Option(min=0.001, help="Length of windows, in seconds.")] = 3.0,
    step_s: Annotated[
        float | None, typer.Option(min=0.001, help="From window to window, in seconds; else their length.")
    ] = None,
    min_overlap_s: Annotated[
        float, typer.Option(min=0.0, help="Least overlap of an event with a window that it labels, in seconds.")
    ] = 0.25,
    high_hz: Annotated[
        float, typer.Option(min=0.0, help="Upper end in Raven of rows without frequencies, in Hz.")
    ] = 8000.0,
    as_json: Json = False,
) -> None:
    """Convert annotations from one format into another; what it cannot hold is said.

    Exit code 2 says that the input is malformed, ambiguous or contradicts itself (nothing was written), 3 that rows or
    files were left out.
    """
    how = Conversion(
        reading=Reading(
            format=None if from_ == "auto" else format_named(from_),
            options=ReadOptions(label_column, default_label or None),
            template=template,
            label_fields=tuple(label_field or ()),
            threshold=threshold,
        ),
        target=format_named(to, writing=True),
        audio=audio,
        durations=durations,
        durations_out=durations_out,
        plan=WindowPlan(window_s, window_s if step_s is None else step_s, min_overlap_s),
        options=WriteOptions(high_hz),
    )
    done = convert_annotations(place, out, how)
    for note in done.account.notes:
        print(f"ossicle: {note}", file=sys.stderr)
    what = "windows" if how.target.shape == "windows" else "events"
    if as_json:
        told = {"rows": done.rows, "recordings": done.recordings, "notes": done.account.notes}
        print(json.dumps({**told, "files": [str(path) for path in done.files]}, indent=2, ensure_ascii=False))
    else:
        files = str(done.files[0]) if len(done.files) == 1 else f"{len(done.files)} files in {out}"
        print(f"{done.rows} {what} of {done.recordings} recordings: {files}")
    if done.account.incomplete:
        raise typer.Exit(EXIT_INCOMPLETE)
