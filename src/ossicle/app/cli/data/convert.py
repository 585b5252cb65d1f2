"""``ossicle convert``: annotations from one format into another."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ossicle.app.cli.options import Json, LabelColumn, LabelNames
from ossicle.app.cli.printable import json_text, printable
from ossicle.core.errors import EXIT_INCOMPLETE
from ossicle.core.text.counting import counted
from ossicle.corpus.formats.label_map import parse_label_map
from ossicle.corpus.formats.reading.reader import Reading
from ossicle.corpus.formats.registry import EVENT_FORMATS, FORMATS, ReadOptions, WriteOptions, format_named
from ossicle.corpus.formats.window_tables.window_labels import WindowPlan
from ossicle.corpus.formats.writing.conversion import Conversion, convert_annotations


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(convert)


def convert(
    place: Annotated[
        Path, typer.Argument(metavar="INPUT", help="Annotations: a file, or a folder of them (any depth).")
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="File or folder to write; existing files are never overwritten.")
    ],
    to: Annotated[
        str, typer.Option("--to", help=f"Format to write: {', '.join(EVENT_FORMATS)}, opensoundscape, dcase-scores.")
    ],
    from_: Annotated[
        str,
        typer.Option("--from", help=f"Format to read: {', '.join(FORMATS)}; auto detects the format of each file."),
    ] = "auto",
    label_column: LabelColumn = "auto",
    default_label: Annotated[
        str, typer.Option(help="Label for rows without a label. Empty: such rows are an error.")
    ] = "",
    template: Annotated[
        str,
        typer.Option(
            help="With --from names: pattern of the file names, as in 'ac-{ac:on|off}-fridge-{fridge:on|off}-{part}'."
        ),
    ] = "",
    label_field: Annotated[
        list[str] | None,
        typer.Option(
            help="With --from names: FIELD uses the value of that field as label; FIELD=VALUE uses FIELD as label for "
            "files with that value. Repeatable."
        ),
    ] = None,
    audio: Annotated[
        Path | None, typer.Option(help="Folder of the recordings, to find their paths, suffixes and durations.")
    ] = None,
    durations: Annotated[
        Path | None, typer.Option(help="Table `filename duration` (seconds); needed for windows.")
    ] = None,
    durations_out: Annotated[
        Path | None, typer.Option(help="Also write a table of all durations to this file: `filename duration`.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Lowest score at which a window becomes an event; for tables of scores.")
    ] = None,
    window_s: Annotated[float, typer.Option(min=0.001, help="Length of windows, in seconds.")] = 3.0,
    step_s: Annotated[
        float | None,
        typer.Option(min=0.001, help="Distance between window starts, in seconds. Default: the window length."),
    ] = None,
    min_overlap_s: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Lowest overlap with an event at which a window gets its label, in seconds. Default: 0.25, or half "
            "the event if that is less.",
        ),
    ] = None,
    high_hz: Annotated[
        float, typer.Option(min=0.0, help="Upper frequency to write to Raven for rows without frequencies, in Hz.")
    ] = 8000.0,
    label_map: LabelNames = None,
    as_json: Json = False,
) -> None:
    """Convert annotations from one format to another. Anything lost in the conversion is reported.

    Exit code 2: the input is malformed, ambiguous or contradicts itself; nothing was written. Exit code 3: some rows or
    files were skipped.
    """
    conversion = Conversion(
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
        label_map=parse_label_map(label_map or (), "--map"),
    )
    done = convert_annotations(place, out, conversion)
    for note in done.account.notes:
        print(printable(f"ossicle: {note}"), file=sys.stderr)
    noun = "window" if conversion.target.shape == "windows" else "event"
    if as_json:
        facts = {"rows": done.rows, "recordings": done.recordings, "notes": done.account.notes}
        print(json_text({**facts, "files": [str(path) for path in done.files]}))
    else:
        files = str(done.files[0]) if len(done.files) == 1 else f"{len(done.files)} files in {out}"
        print(printable(f"{counted(done.rows, noun)} of {counted(done.recordings, 'recording')}: {files}"))
    if done.account.incomplete:
        raise typer.Exit(EXIT_INCOMPLETE)
