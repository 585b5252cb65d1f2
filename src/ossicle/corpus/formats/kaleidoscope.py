"""Read and write Kaleidoscope tables (Wildlife Acoustics), which BirdNET-Analyzer writes too.

A CSV with one row per match: the file as ``INDIR``, ``FOLDER`` and ``IN FILE``, its ``OFFSET`` and ``DURATION`` in
seconds, and the best match as ``TOP1MATCH`` (older BirdNET: ``common_name``). ``confidence`` is the score. ``TOP1DIST``
is a distance in Kaleidoscope (lower is better) but a score in BirdNET 2, so it is used as a score only if the caller
requests it. Columns are found by name in any case and order.
"""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ossicle.core.digest import normal_path
from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.delimited import (
    Delimited,
    escape_cell,
    figure,
    read_delimited,
    unescape_cell,
    write_delimited,
)
from ossicle.corpus.formats.cells.rows import RawSelection, check_times, checked_label, number, optional_number
from ossicle.corpus.formats.event_table import EventTable

LABEL_COLUMNS = ("top1match", "common_name", "manual id")
_PLACE = ("indir", "folder", "in file")
_NEEDED = ("in file", "offset", "duration")


def read_kaleidoscope(
    path: Path, *, label_column: str = "auto", default_label: str | None = None, distance_is_score: bool = False
) -> EventTable:
    """Return the matches of a table.

    Raises
    ------
    FormatError
        Naming file and line, for anything that cannot be read without guessing.
    """
    table = read_delimited(path)
    places = table.places()
    for name in _NEEDED:
        if name not in places:
            listed = ", ".join(table.header) or "none"
            raise FormatError(f"{path}, line 1: the column {name.upper()!r} is missing (found: {listed})")
    label = _label_place(table, places, label_column, default_label)
    score = next((places[name] for name in ("confidence", "top1dist")[: 1 + distance_is_score] if name in places), None)
    rows = []
    for line, cells in table.rows:
        where = f"{path}, line {line}"
        file = "/".join(part for part in (_folder(cells, places, name) for name in _PLACE) if part)
        if not cells[places["in file"]].strip():
            raise FormatError(f"{where}: IN FILE is empty; name the recording")
        start = number(cells[places["offset"]], where, "the offset")
        length = number(cells[places["duration"]], where, "the duration")
        check_times(start, start + length, where)
        rows.append(
            RawSelection(
                start_s=start,
                end_s=start + length,
                label=checked_label("" if label is None else unescape_cell(cells[label]), default_label, where),
                confidence=None if score is None else optional_number(cells[score], where, "the confidence"),
                begin_path=file,
            )
        )
    used = {places[name] for name in (*_PLACE, *_NEEDED) if name in places} | {label, score} - {None}
    return EventTable(
        tuple(rows),
        tuple(sorted({row.begin_path for row in rows})),
        table.unread([one for one in used if one is not None]),
    )


def write_kaleidoscope(path: Path, rows: Iterable[RawSelection]) -> None:
    """Write matches as CSV atomically, sorted by file and time; times and scores have 6 decimals."""
    lines = []
    for row in sorted(rows, key=lambda one: (one.begin_path, one.start_s, one.end_s, one.label)):
        place = PurePosixPath(normal_path(row.begin_path))
        folder = "" if str(place.parent) == "." else str(place.parent)
        cells = ["", escape_cell(folder), escape_cell(place.name), figure(row.start_s), figure(row.end_s - row.start_s)]
        lines.append([*cells, escape_cell(row.label), figure(row.confidence)])
    write_delimited(path, ["INDIR", "FOLDER", "IN FILE", "OFFSET", "DURATION", "TOP1MATCH", "confidence"], lines)


def is_kaleidoscope(header: Iterable[str]) -> bool:
    """Return whether these headings are those of a Kaleidoscope table."""
    return {name.lower() for name in header}.issuperset(_NEEDED)


def _folder(cells: tuple[str, ...], places: dict[str, int], name: str) -> str:
    return unescape_cell(cells[places[name]]).strip().rstrip("/\\") if name in places else ""


def _label_place(table: Delimited, places: dict[str, int], wanted: str, default_label: str | None) -> int | None:
    name = wanted.strip().lower()
    if name in places and name != "auto":
        return places[name]
    found = [places[one] for one in LABEL_COLUMNS if one in places]
    if name != "auto" or (not found and default_label is None):
        raise FormatError(
            f"{table.path}, line 1: there is no label column {wanted!r}; "
            f"set label_column to one of: {', '.join(table.header)}"
        )
    return found[0] if found else None
