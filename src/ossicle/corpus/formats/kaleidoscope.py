"""Read and write Kaleidoscope tables (Wildlife Acoustics), which BirdNET-Analyzer writes too.

A CSV with one row per match: the file as ``INDIR``, ``FOLDER`` and ``IN FILE``, its ``OFFSET`` and ``DURATION`` in
seconds, and its identification. What a person entered (``MANUAL ID``) counts before the best match (``TOP1MATCH``,
``AUTO ID``; older BirdNET: ``common_name``). ``confidence`` is the score. ``TOP1DIST`` is a distance in Kaleidoscope
(lower is better) but a score in BirdNET 2, so it is used as a score only if the caller requests it. Columns are found
by name in any case and order.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from ossicle.core.digest import normal_path
from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.decimals import with_decimal_points
from ossicle.corpus.formats.cells.delimited import (
    Delimited,
    escape_cell,
    figure,
    heading_key,
    read_delimited,
    unescape_cell,
    write_delimited,
)
from ossicle.corpus.formats.cells.missing_values import has_label
from ossicle.corpus.formats.cells.rows import RawSelection, check_times, number, optional_number
from ossicle.corpus.formats.columns.choice import with_labels
from ossicle.corpus.formats.columns.roles import Columns
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.notes import Note

LABELS = ("manual_id", "top1match", "auto_id", "common_name")
"""Keys of the columns of identifications, that of a person first."""
_PLACE = ("indir", "folder", "in_file")
_NEEDED = ("in_file", "offset", "duration")


def read_kaleidoscope(
    path: Path, *, label_column: str = "auto", default_label: str | None = None, distance_is_score: bool = False
) -> EventTable:
    """Return the matches of a table.

    Parameters
    ----------
    path
        The table.
    label_column
        Name or number of the label column; ``auto``: in each row the first of ``LABELS`` with a value.
    default_label
        Label of rows without one.
    distance_is_score
        Whether ``TOP1DIST`` is a score.

    Raises
    ------
    FormatError
        Naming file and line, for anything that cannot be read without guessing.
    """
    table = read_delimited(path, is_kaleidoscope)
    keys = {key: (key,) for key in (*_PLACE, *_NEEDED)} | {"score": ("confidence", "top1dist")[: 1 + distance_is_score]}
    fields = table.fields(keys)
    for key in _NEEDED:
        if key not in fields:
            listed = ", ".join(table.header) or "none"
            name = key.replace("_", " ").upper()
            raise FormatError(f"{table.where}: the column {name!r} is missing (found: {listed})")
    table = with_decimal_points(table, {fields[name] for name in ("offset", "duration", "score") if name in fields})
    columns = with_labels(Columns(table, fields, default_label=default_label), LABELS, label_column, by_row=True)
    rows = []
    files = set()
    by_hand = 0
    for line, cells in table.rows:
        where = f"{path}, line {line}"
        if not columns.text(cells, "in_file"):
            raise FormatError(f"{where}: IN FILE is empty; name the recording")
        start = number(columns.text(cells, "offset"), where, "the offset")
        length = number(columns.text(cells, "duration"), where, "the duration")
        check_times(start, start + length, where)
        label = next((column for column in columns.labels if has_label(cells[column])), None)
        score = optional_number(columns.text(cells, "score"), where, "the confidence")
        file = "/".join(part for key in _PLACE if (part := _folder(columns.text(cells, key))))
        files.add(file)
        texts = columns.labels_of(cells, where)
        by_hand += bool(texts) and label is not None and heading_key(table.header[label]) == LABELS[0]
        rows += [RawSelection(start, start + length, text, confidence=score, begin_path=file) for text in texts]
    mixed = (
        f"{by_hand} of {len(rows)} rows are labelled by MANUAL ID, the others by {_titles(table, columns.labels[1:])}"
    )
    return EventTable(
        tuple(rows),
        tuple(sorted(files)),
        table.unread(columns.used),
        notes=(*([Note("mixed_labels", "", mixed)] * (0 < by_hand < len(rows))), *columns.notes()),
    )


def write_kaleidoscope(path: Path, rows: Iterable[RawSelection]) -> None:
    """Write matches as CSV atomically, sorted by file and time; times and scores have 6 decimals."""
    lines = []
    for row in sorted(
        rows,
        key=lambda raw_selection: (
            raw_selection.begin_path,
            raw_selection.start_s,
            raw_selection.end_s,
            raw_selection.label,
        ),
    ):
        audio_path = PurePosixPath(normal_path(row.begin_path))
        folder = "" if str(audio_path.parent) == "." else str(audio_path.parent)
        cells = [
            "",
            escape_cell(folder),
            escape_cell(audio_path.name),
            figure(row.start_s),
            figure(row.end_s - row.start_s),
        ]
        lines.append([*cells, escape_cell(row.label), figure(row.confidence)])
    write_delimited(path, ["INDIR", "FOLDER", "IN FILE", "OFFSET", "DURATION", "TOP1MATCH", "confidence"], lines)


def is_kaleidoscope(header: Iterable[str]) -> bool:
    """Return whether these headings are those of a Kaleidoscope table."""
    return {heading_key(name) for name in header}.issuperset(_NEEDED)


def _folder(cell: str) -> str:
    return unescape_cell(cell).strip().rstrip("/\\")


def _titles(table: Delimited, places: Sequence[int]) -> str:
    return " or ".join(table.header[column] for column in places) or "the default label"
