"""Read the annotation files of a folder into rows with their recordings.

The content decides the format (``corpus.formats``). A file of no known format that is not named after a recording is
noted and skipped. Malformed tables are all reported at once and stop the index, since skipping a table would turn calls
into background.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ossicle.core.errors import FormatError
from ossicle.corpus.formats import event_csv
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.reading.folder_reader import each, events_of_source
from ossicle.corpus.formats.registry import FORMATS, ReadOptions, guess
from ossicle.corpus.naming.file_listing import shown
from ossicle.corpus.naming.table_pairing import Pairing, same_file_name
from ossicle.corpus.notes import Note

_UNKNOWN = "is neither a Raven nor an Audacity table"


@dataclass(slots=True)
class AnnotationFiles:
    """Content of a folder of annotation files: (recording path, row) pairs, the reviewed recordings, and notes."""

    rows: list[tuple[str, RawSelection]] = field(default_factory=list)
    reviewed: set[str] = field(default_factory=set)
    notes: list[Note] = field(default_factory=list)


def read_annotation_files(
    folder: Path, tables: Sequence[str], pairing: Pairing, *, label_column: str, default_label: str | None
) -> AnnotationFiles:
    """Read ``tables`` (paths below ``folder``) and match their rows with recordings; FormatError lists every malformed
    table.
    """
    out = AnnotationFiles()

    def read(table: str) -> None:
        if shown(table) != table:
            out.notes.append(Note("not_annotations", shown(table), "its name is not valid UTF-8, so it was not read"))
        else:
            _read_one(folder, table, pairing, label_column, default_label, out)

    each(tables, read)
    return out


def _read_one(
    folder: Path, table: str, pairing: Pairing, label_column: str, default_label: str | None, out: AnnotationFiles
) -> None:
    path = folder / table
    own, ambiguous = _own(table, pairing)
    known = guess(path)
    if known is None and (own is not None or ambiguous is not None):
        # Named after a recording, so it should be its table: the reader reports what is wrong with it.
        known = FORMATS["csv" if path.suffix.lower() in event_csv.SUFFIXES else "raven"]
    if known is None or known.read is None:
        what = "has no columns for start and end" if path.suffix.lower() in event_csv.SUFFIXES else _UNKNOWN
        out.notes.append(Note("not_annotations", table, f"{what} and was not read"))
        return
    read = known.read(path, ReadOptions(label_column=label_column, default_label=default_label))
    events = events_of_source(read, str(path))
    _pair(table, events.rows, events.files, own, ambiguous, pairing, out)


def _own(table: str, pairing: Pairing) -> tuple[str | None, FormatError | None]:
    """Return the recording that a table is named after, or why it is ambiguous (its rows may still name it)."""
    try:
        return pairing.of_table(table), None
    except FormatError as problem:
        return None, problem


def _pair(
    table: str,
    rows: Sequence[RawSelection],
    files: Sequence[str],
    own: str | None,
    ambiguous: FormatError | None,
    pairing: Pairing,
    out: AnnotationFiles,
) -> None:
    places: dict[str, str | None] = {"": own}
    for stated in files:
        if own is not None and same_file_name(stated, own):
            places[stated] = own
            continue
        found = pairing.of_path(stated, table)
        # A table over one file may state the name of that file before it was moved or converted.
        places[stated] = own if found is None and len(files) == 1 else found
    if ambiguous is not None and (not files or any(not row.begin_path for row in rows)):
        raise ambiguous
    if own is not None:
        out.reviewed.add(own)
    out.reviewed.update(place for stated, place in places.items() if place is not None and stated)
    lost: Counter[str] = Counter()
    for row in rows:
        place = places[row.begin_path]
        if place is None:
            lost[row.begin_path] += 1
        else:
            out.rows.append((place, row))
    for stated, count in sorted(lost.items()):
        about = f"{count} rows speak of {stated!r}, which is" if stated else f"{count} rows are of a recording that is"
        out.notes.append(Note("unmatched_rows", table, f"{about} not in the audio folder; they were skipped"))
    if own is None and not rows and not any(place is not None for place in places.values()):
        out.notes.append(Note("unmatched_table", table, "has no rows and matches no recording"))
    elif own is None and rows and sum(lost.values()) == len(rows):
        out.notes.append(Note("unmatched_table", table, "matches no recording by its name or by its rows"))
