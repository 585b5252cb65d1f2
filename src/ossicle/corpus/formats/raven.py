"""Read and write Raven selection tables (Cornell Lab of Ornithology, Raven Pro user's manual, chapter 6).

A table is tab-separated text with a header line. Raven writes one row for each view of a selection (waveform and
spectrogram, and each channel), so rows that differ only in the view are one selection; the spectrogram's row is kept. A
header without rows means that somebody looked and found nothing. In tables over several files, times run on from file
to file (``session_times``). Columns are found by name in any case and order; times are written with 6 decimals.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from ossicle.artefacts.files import write_text
from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.delimited import heading_key, read_delimited
from ossicle.corpus.formats.cells.rows import RawSelection, cell_text
from ossicle.corpus.formats.columns.choice import columns_of
from ossicle.corpus.formats.columns.headings import (
    RAVEN_END,
    RAVEN_END_FILE,
    RAVEN_LABEL,
    RAVEN_OFFSET,
    RAVEN_START,
)
from ossicle.corpus.formats.columns.roles import Columns
from ossicle.corpus.formats.columns.session_rows import session_rows
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.session_times import NO_LENGTHS, FileLengths, SessionRow, place_in_files

# Columns that are fields of a row, or that number the rows and name their view. Of several, the first counts.
_KEYS: Mapping[str, Sequence[str]] = {
    **{key: (key,) for key in ("selection", "view", "channel", "quality", "comments", "score", "confidence")},
    "start": (RAVEN_START,),
    "end": (RAVEN_END,),
    "offset": (RAVEN_OFFSET,),
    "end_file": RAVEN_END_FILE,
    "low": ("low_freq_hz",),
    "high": ("high_freq_hz",),
}


def read_raven(path: Path, *, label_column: str = "auto", default_label: str | None = None) -> list[RawSelection]:
    """Return the rows of :func:`read_raven_table`."""
    return list(read_raven_table(path, label_column=label_column, default_label=default_label).rows)


def read_raven_table(
    path: Path, *, label_column: str = "auto", default_label: str | None = None, lengths: FileLengths = NO_LENGTHS
) -> EventTable:
    """Return the selections of a table in the order of the file; none for a table with only a header.

    Parameters
    ----------
    path
        The table.
    label_column
        Name of a column, its number counted from 1, or ``auto`` for the first column of ``RAVEN_LABEL`` with a value.
    default_label
        Label for empty cells and for a missing label column.
    lengths
        Lengths of the recordings, for tables over several files.

    Raises
    ------
    FormatError
        Naming file and line, for anything that cannot be read without guessing.
    """
    table = read_delimited(path, is_raven_header, plain=True)
    if not table.header:
        raise FormatError(f"{path}: is empty, without even a header line; a reviewed recording without calls needs one")
    fields = table.fields(_KEYS)
    for name, title in (("start", "Begin Time (s)"), ("end", "End Time (s)")):
        if name not in fields:
            raise FormatError(
                f"{table.where}: the column {title!r} is missing (found: {', '.join(table.header)}); "
                "export the selection table from Raven with it"
            )
    columns = columns_of(table, fields, RAVEN_LABEL, label_column, default_label, lengths)
    columns = replace(columns, escaped=False)
    _require_files(columns)
    selected = _without_doubled_views(columns)
    session = [
        _with_quality(columns, cells, row) for line, cells in selected for row in session_rows(columns, line, cells)
    ]
    rows, notes = place_in_files(path, session, lengths)
    return EventTable(
        rows=tuple(rows),
        files=tuple(sorted({*(row.begin_path for row in rows), *map(columns.file, dict(selected).values())} - {""})),
        unread=_unread(columns),
        doubled=len(table.rows) - len(selected),
        own=True,
        notes=(*notes, *columns.notes()),
    )


def _require_files(columns: Columns) -> None:
    """Reject a table in which some rows name their file and others do not."""
    rows = columns.table.rows
    empty = [line for line, cells in rows if not columns.file(cells)]
    if columns.files and empty and len(empty) < len(rows):
        name = columns.table.header[columns.files[0]]
        raise FormatError(
            f"{columns.table.path}, line {empty[0]}: {name!r} is empty, and other rows name their file; fill it in"
        )


def is_raven_header(header: Iterable[str]) -> bool:
    """Return whether these headings are those of a Raven table."""
    return RAVEN_START in {heading_key(name) for name in header}


def raven_text(rows: Iterable[RawSelection], *, audio_name: str = "", default_high_hz: float = 8000.0) -> str:
    """Return a table as text; ``Begin File``, ``Score`` and ``Quality`` are columns if any row has a value.

    Raven needs a frequency range: a row without one gets 0 to ``default_high_hz``.
    """
    ordered = sorted(rows, key=lambda row: (row.start_s, row.end_s, row.label))
    scored = any(row.confidence is not None for row in ordered)
    graded = any(row.quality is not None for row in ordered)
    header = ["Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)"]
    header += ["Begin File"] * bool(audio_name) + ["Annotation"] + ["Score"] * scored + ["Quality"] * graded
    lines = ["\t".join(header)]
    for count, row in enumerate(ordered, start=1):
        low = 0.0 if row.low_hz is None else row.low_hz
        high = max(default_high_hz, low) if row.high_hz is None else row.high_hz
        cells = [str(count), "Spectrogram 1", str(row.channel or 1)]
        cells += [f"{value:.6f}" for value in (row.start_s, row.end_s, low, high)]
        cells += [_quoted(cell_text(audio_name, "the file name"))] * bool(audio_name)
        cells += [_quoted(cell_text(row.label, "the label"))]
        cells += ["" if row.confidence is None else f"{row.confidence:.6f}"] * scored
        cells += ["" if row.quality is None else str(row.quality)] * graded
        lines.append("\t".join(cells))
    return "\n".join(lines) + "\n"


def write_raven(
    path: Path, rows: Iterable[RawSelection], *, audio_name: str = "", default_high_hz: float = 8000.0
) -> None:
    """Write :func:`raven_text` to a file, atomically."""
    write_text(path, raven_text(rows, audio_name=audio_name, default_high_hz=default_high_hz))


def raven_name(audio_path: str) -> str:
    """Return the name that Raven gives to the first table of a recording.

    >>> raven_name("deep/night.23_tape.flac")
    'night.23_tape.Table.1.selections.txt'
    """
    return f"{PurePosixPath(audio_path).stem}.Table.1.selections.txt"


def _with_quality(columns: Columns, cells: Sequence[str], row: SessionRow) -> SessionRow:
    """Return a row with the quality of its comment, if it has none of its own."""
    quality = _quality_of_comment(columns, cells)
    return row if quality is None else replace(row, row=replace(row.row, quality=quality))


def _quality_of_comment(columns: Columns, cells: Sequence[str]) -> int | None:
    """Return the quality that a comment is: in tables of the alpaca pipeline the whole comment is ``Q3``."""
    comment = columns.text(cells, "comments")
    stated_so = "quality" not in columns.fields and len(comment) == 2 and comment[0] in "Qq" and comment[1] in "1234"
    return int(comment[1]) if stated_so else None


def _unread(columns: Columns) -> dict[str, int]:
    """Return the number of non-empty cells in the columns that no selection holds; qualities are no comments."""
    place = columns.fields.get("comments")
    left_over = dict(columns.table.unread(columns.used - ({place} - {*columns.labels})))
    if place is not None:
        name = columns.table.header[place]
        qualities = sum(_quality_of_comment(columns, cells) is not None for _, cells in columns.table.rows)
        left_over[name] = left_over.get(name, 0) - qualities
    return {name: count for name, count in left_over.items() if count > 0}


def _without_doubled_views(columns: Columns) -> list[tuple[int, tuple[str, ...]]]:
    """Keep one of the rows that share number, times, file and label and differ in view or channel."""
    row_cells: list[tuple[int, tuple[str, ...]]] = []
    places: dict[tuple[str, ...], int] = {}
    views: dict[tuple[str, ...], set[tuple[str, str]]] = {}
    for line, cells in columns.table.rows:
        number_and_times = tuple(columns.text(cells, name) for name in ("selection", "start", "end"))
        key = (*number_and_times, *(cells[column].strip() for column in (*columns.files, *columns.labels)))
        view = (columns.text(cells, "view"), columns.text(cells, "channel"))
        if key[0] and key in places and view not in views[key]:
            views[key].add(view)
            if _is_waveform(columns, row_cells[places[key]][1]) and not _is_waveform(columns, cells):
                row_cells[places[key]] = (line, cells)
            continue
        places[key] = len(row_cells)
        views[key] = {view}
        row_cells.append((line, cells))
    return row_cells


def _is_waveform(columns: Columns, cells: Sequence[str]) -> bool:
    return columns.text(cells, "view").lower().startswith("waveform")


def _quoted(text: str) -> str:
    """Add spreadsheet quotes to a cell that begins with a quote, which pandas and spreadsheets would otherwise
    remove.
    """
    return '"' + text.replace('"', '""') + '"' if text.startswith('"') else text
