"""``ossicle cutouts``: write the events of any table as audio files."""

import sys
from collections import defaultdict
from pathlib import Path
from typing import Annotated

import typer

from ossicle.app.api.audio_files import find_audio
from ossicle.app.cli.options import Json, Recordings
from ossicle.app.cli.printable import json_text, printable
from ossicle.artefacts.filesystem.reading import what_is_at
from ossicle.core.errors import EXIT_INCOMPLETE, AudioError, UsageError
from ossicle.core.text.counting import counted
from ossicle.corpus.clips.event_cutouts import INDEX, CutOuts
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.reading.folder_reader import LOST
from ossicle.corpus.formats.registry import SUFFIXES
from ossicle.corpus.indexing.annotation_files import SECOND_TABLE, read_annotation_files
from ossicle.corpus.naming.file_listing import files_below
from ossicle.corpus.naming.table_pairing import Pairing

Pad = Annotated[
    float, typer.Option("--pad", min=0.0, max=60.0, help="Sound to keep before and after each event, in seconds.")
]


# Notes on tables of which events are missing.
_LOST = LOST | {"unmatched_rows", "unmatched_table", SECOND_TABLE}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(cutouts)


def cutouts(
    events: Annotated[
        Path, typer.Argument(help="Table of events, or a folder of them: Raven, Audacity, CSV, Parquet.")
    ],
    audio: Recordings,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the audio files; created if missing.")],
    pad_s: Pad = 0.0,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", help="Only events with this label. Repeatable.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write each event of a table as an audio file, `<stem>_<start ms>_<end ms>.wav`, and list them in `cutouts.csv`.

    Sample rates and channels do not change. Exit code 3: a recording could not be read, or events belong to none of
    the given recordings or lie beyond their ends; each is listed.
    """
    if not events.exists():
        raise UsageError(f"{events}: {what_is_at(events)}; give a table of events, or a folder of them")
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file; give a folder")
    recordings = dict(find_audio(audio))
    folder = events if events.is_dir() else events.parent
    tables = files_below(events, SUFFIXES) if events.is_dir() else [events.name]
    read = read_annotation_files(folder, tables, Pairing(recordings), label_column="auto", default_label="event")
    by_recording: dict[str, list[RawSelection]] = defaultdict(list)
    for name, row in read.rows:
        if not label or row.label in label:
            by_recording[name].append(row)
    notes: list[str] = []
    lost: list[str] = []
    for note in read.notes:
        text = f"{note.where or events.name}: {note.message}"
        (lost if note.kind in _LOST else notes).append(text)
    cut = CutOuts(out, recordings, pad_s)
    cut.refuse(by_recording)
    for name, rows in sorted(by_recording.items()):
        try:
            cut.write(name, recordings[name], _distinct(rows))
        except AudioError as problem:
            lost.append(str(problem))
    lost += cut.empty
    cut.write_index()
    if as_json:
        facts = {"written": [cut_out.file for cut_out in cut.written], "index": str(out / INDEX), "lost": lost}
        print(json_text(facts))
    else:
        print(printable(f"{counted(len(cut.written), 'event')} of {counted(len(by_recording), 'recording')} in {out}"))
    for line in (*notes, *lost):
        print(printable(line), file=sys.stderr)
    if lost:
        raise typer.Exit(EXIT_INCOMPLETE)


def _distinct(rows: list[RawSelection]) -> list[RawSelection]:
    """Return rows without duplicates: a recording's Raven table and the common CSV hold the same events."""
    distinct: dict[tuple[int, int, str], RawSelection] = {}
    for row in rows:
        distinct.setdefault((round(1000 * row.start_s), round(1000 * row.end_s), row.label), row)
    return list(distinct.values())
