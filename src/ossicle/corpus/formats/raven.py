"""Read and write Raven selection tables (Cornell Lab of Ornithology, Raven Pro user's manual, chapter 6).

A table is tab-separated text with a header line. Raven writes one row for each view of a selection (waveform and
spectrogram, and each channel), so rows that differ only in the view are one selection; the spectrogram's row is kept. A
header without rows means that somebody looked and found nothing. In tables over several files, times run on from file
to file (``session_times``). Columns are found by name in any case and order; times are written with 6 decimals.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ossicle.artefacts.files import write_text
from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.decimals import with_decimal_points
from ossicle.corpus.formats.cells.delimited import Delimited, heading_key, read_delimited
from ossicle.corpus.formats.cells.event_columns import (
    RAVEN_LABEL,
    empty_label_hint,
    file_columns,
    stated_file,
)
from ossicle.corpus.formats.cells.event_columns import (
    label_column as find_label_column,
)
from ossicle.corpus.formats.cells.missing_values import has_label, stated
from ossicle.corpus.formats.cells.review_marks import review_marks
from ossicle.corpus.formats.cells.rows import (
    RawSelection,
    cell_text,
    check_band,
    check_times,
    checked_label,
    number,
    optional_number,
    parse_channel,
    parse_quality,
)
from ossicle.corpus.formats.cells.time_pairs import refuse_other_times
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.session_times import NO_LENGTHS, FileLengths, SessionRow, place_in_files

START, END, OFFSET = "begin_time_s", "end_time_s", "file_offset_s"
END_FILE = ("end_path", "end_file")
# Columns that are fields of a row, or that number the rows and name their view. Of several, the first counts.
_COLUMNS = {
    **{key: (key,) for key in ("selection", "view", "channel", "quality", "comments")},
    "start": (START,),
    "end": (END,),
    "offset": (OFFSET,),
    "end_file": END_FILE,
    "low": ("low_freq_hz",),
    "high": ("high_freq_hz",),
    "score": ("score",),
    "confidence": ("confidence",),
}
_TITLES = {START: "Begin Time (s)", END: "End Time (s)"}


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
    places = {quantity: column for quantity, keys in _COLUMNS.items() if (column := table.find(keys)) is not None}
    for quantity, key in (("start", START), ("end", END)):
        if quantity not in places:
            raise FormatError(
                f"{table.where}: the column {_TITLES[key]!r} is missing (found: {', '.join(table.header)}); "
                "export the selection table from Raven with it"
            )
    numbers = {
        places[quantity]
        for quantity in ("start", "end", "offset", "low", "high", "score", "confidence")
        if quantity in places
    }
    table = with_decimal_points(table, numbers)
    refuse_other_times(table, places["start"], places["end"])
    files = file_columns(table, lambda name: lengths.seconds(name) is not None)
    _require_files(table, files)
    label, others = find_label_column(table, RAVEN_LABEL, label_column, default_label)
    reader = _Reader(table, places, files, label, others, default_label)
    selected = reader.without_doubled_views()
    rows, notes = place_in_files(path, [reader.selection(line, cells) for line, cells in selected], lengths)
    return EventTable(
        rows=tuple(rows),
        files=tuple(sorted({row.begin_path for row in rows} - {""})),
        unread=reader.unread(),
        doubled=len(table.rows) - len(selected),
        own=True,
        notes=(*notes, *review_marks(table, () if label is None else (label,))),
    )


def _require_files(table: Delimited, files: Sequence[int]) -> None:
    """Reject a table in which some rows name their file and others do not."""
    empty = [line for line, cells in table.rows if not stated_file(cells, files).strip()]
    if files and empty and len(empty) < len(table.rows):
        name = table.header[files[0]]
        raise FormatError(
            f"{table.path}, line {empty[0]}: {name!r} is empty, and other rows name their file; fill it in"
        )


def is_raven_header(header: Iterable[str]) -> bool:
    """Return whether these headings are those of a Raven table."""
    return START in {heading_key(name) for name in header}


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


@dataclass(frozen=True, slots=True)
class _Reader:
    """A table with the indices of its columns: by purpose, of the file, of the label, and of other labels."""

    table: Delimited
    places: Mapping[str, int]
    files: Sequence[int]
    label: int | None
    others: Sequence[int]
    default_label: str | None

    def text(self, cells: Sequence[str], quantity: str) -> str:
        """Return the cell of a column without outer blanks, "" if the table has no such column."""
        return cells[self.places[quantity]].strip() if quantity in self.places else ""

    def selection(self, line: int, cells: Sequence[str]) -> SessionRow:
        """Return a row with the times of the table."""
        where = f"{self.table.path}, line {line}"
        start = number(self.text(cells, "start"), where, "the begin time")
        end = number(self.text(cells, "end"), where, "the end time")
        check_times(start, end, where)
        low, high = (
            optional_number(self.text(cells, name), where, f"the {name} frequency") for name in ("low", "high")
        )
        check_band(low, high, where)
        offset = optional_number(self.text(cells, "offset"), where, "the file offset")
        if offset is not None and offset < 0:
            raise FormatError(f"{where}: the file offset {offset:g} s is negative; correct it")
        label = "" if self.label is None else cells[self.label]
        if (
            not has_label(label)
            and self.default_label is None
            and (hint := empty_label_hint(self.table, cells, self.others))
        ):
            raise FormatError(f"{where}: {hint}")
        row = RawSelection(
            start_s=start,
            end_s=end,
            label=checked_label(label, self.default_label, where),
            low_hz=low,
            high_hz=high,
            quality=self.quality(cells, where),
            confidence=optional_number(
                stated(self.text(cells, "score")) or self.text(cells, "confidence"), where, "the score"
            ),
            begin_path=stated_file(cells, self.files).strip(),
            channel=parse_channel(self.text(cells, "channel"), where),
        )
        return SessionRow(line, row, offset, self.text(cells, "end_file"))

    def quality(self, cells: Sequence[str], where: str) -> int | None:
        """Return the quality of a row, None if it has none."""
        if "quality" in self.places:
            return parse_quality(self.text(cells, "quality"), where)
        # In tables of the alpaca pipeline the whole comment is the quality, ``Q3``.
        comment = self.text(cells, "comments")
        return int(comment[1]) if len(comment) == 2 and comment[0] in "Qq" and comment[1] in "1234" else None

    def unread(self) -> dict[str, int]:
        """Return the number of non-empty cells in the columns that no selection holds; qualities are no comments."""
        used = {column for quantity, column in self.places.items() if quantity != "comments"} | {*self.files}
        left_over = dict(self.table.unread(used if self.label is None else used | {self.label}))
        if "comments" in self.places and "quality" not in self.places:
            name = self.table.header[self.places["comments"]]
            left_over[name] = left_over.get(name, 0) - sum(
                self.quality(cells, "") is not None for _, cells in self.table.rows
            )
        return {name: count for name, count in left_over.items() if count > 0}

    def without_doubled_views(self) -> list[tuple[int, tuple[str, ...]]]:
        """Keep one of the rows that share number, times, file and label and differ in view or channel."""
        row_cells: list[tuple[int, tuple[str, ...]]] = []
        places: dict[tuple[str, ...], int] = {}
        views: dict[tuple[str, ...], set[tuple[str, str]]] = {}
        named = [*self.files, *([] if self.label is None else [self.label])]
        for line, cells in self.table.rows:
            number_and_times = tuple(self.text(cells, name) for name in ("selection", "start", "end"))
            key = (*number_and_times, *(cells[column].strip() for column in named))
            view = (self.text(cells, "view"), self.text(cells, "channel"))
            if key[0] and key in places and view not in views[key]:
                views[key].add(view)
                if self._is_waveform(row_cells[places[key]][1]) and not self._is_waveform(cells):
                    row_cells[places[key]] = (line, cells)
                continue
            places[key] = len(row_cells)
            views[key] = {view}
            row_cells.append((line, cells))
        return row_cells

    def _is_waveform(self, cells: Sequence[str]) -> bool:
        return self.text(cells, "view").lower().startswith("waveform")


def _quoted(text: str) -> str:
    """Add spreadsheet quotes to a cell that begins with a quote, which pandas and spreadsheets would otherwise
    remove.
    """
    return '"' + text.replace('"', '""') + '"' if text.startswith('"') else text
