"""Results of BirdNET-Analyzer in any of its output types: Raven table, CSV, Parquet, Kaleidoscope, Audacity labels.

The label is the common name; ``label_column`` may name another column, such as ``Scientific name``. BirdNET's own
labels are ``Scientific_Common`` (until version 2 ``Scientific, Common`` in Audacity files). A row ``nocall`` means that
a file was analysed and nothing was found. Columns are those of BirdNET-Analyzer 1 to 3.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ossicle.corpus.formats.audacity import is_audacity, read_audacity
from ossicle.corpus.formats.cells.delimited import heading_key, read_header
from ossicle.corpus.formats.cells.text_files import read_text
from ossicle.corpus.formats.event_csv import SUFFIXES as TABLE_SUFFIXES
from ossicle.corpus.formats.event_csv import read_events
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.kaleidoscope import is_kaleidoscope, read_kaleidoscope
from ossicle.corpus.formats.raven import read_raven_table
from ossicle.corpus.formats.session_times import NO_LENGTHS, FileLengths

_NO_CALL = "nocall"
_SCIENTIFIC = "scientific_name"
_PAIR = re.compile(r"_|, ")


def read_birdnet(
    path: Path, *, label_column: str = "auto", default_label: str | None = None, lengths: FileLengths = NO_LENGTHS
) -> EventTable:
    """Return the detections in a file of any of BirdNET's types.

    Raises
    ------
    FormatError
        Naming file and line, if the file is malformed.
    """
    if path.suffix.lower() in TABLE_SUFFIXES:
        text = "" if path.suffix.lower() == ".parquet" else read_text(path)
        if is_kaleidoscope(read_header(path, text, is_kaleidoscope)):
            table = read_kaleidoscope(
                path, label_column=label_column, default_label=default_label, distance_is_score=True
            )
        else:
            table = read_events(path, label_column=label_column, default_label=default_label, lengths=lengths)
    elif is_audacity(text := read_text(path)) or not text.strip():
        name_index = 0 if heading_key(label_column) == _SCIENTIFIC else -1
        rows = read_audacity(path, default_label=default_label)
        table = EventTable(
            tuple(replace(row, label=_PAIR.split(row.label, maxsplit=1)[name_index]) for row in rows), own=True
        )
    else:
        table = read_raven_table(path, label_column=label_column, default_label=default_label, lengths=lengths)
    detections = tuple(row for row in table.rows if row.label.lower() != _NO_CALL)
    return replace(table, rows=detections, files=_files(table))


def is_birdnet(header: Iterable[str]) -> bool:
    """Return whether these headings are those of a Raven table, a CSV or a Parquet file from BirdNET."""
    keys = {heading_key(name) for name in header}
    return keys >= {"common_name", "confidence"} and not keys.isdisjoint({"scientific_name", "species_code"})


def _files(table: EventTable) -> tuple[str, ...]:
    return tuple(sorted({*table.files, *(row.begin_path for row in table.rows if row.begin_path)}))
