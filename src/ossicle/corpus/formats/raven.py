"""Read and write Raven selection tables (Cornell Lab of Ornithology, Raven Pro user's manual, chapter 6).

A table is tab-separated text with a header line. Raven writes one row for each view of a selection (waveform and
spectrogram, and each channel), so rows that differ only in the view are one selection; the spectrogram's row is kept. A
header without rows means that somebody looked and found nothing. In tables over several files, times run on from file
to file: ``File Offset (s)`` with ``Begin Path`` or ``Begin File`` gives the time within the file. Columns are found by
name in any case and order; times are written with 6 decimals.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path, PurePosixPath

from ossicle.artefacts.files import write_text
from ossicle.core.errors import FormatError
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
    read_text,
    split_lines,
)
from ossicle.corpus.formats.event_table import EventTable

LABEL_COLUMNS = ("annotation", "species", "common name", "tags", "sound type", "sound_type", "type")
START, END, OFFSET = "begin time (s)", "end time (s)", "file offset (s)"
LOW, HIGH = "low freq (hz)", "high freq (hz)"
# Columns that are fields of a row, or that number the rows and name their view.
_READ = frozenset(
    {"selection", "view", "channel", START, END, OFFSET, LOW, HIGH, "begin path", "begin file"}
    | {"score", "confidence", "quality"}
)
# Raven rounds the offset in the file; if it differs from the begin time by less than this, use the begin time.
_OFFSET_ROUNDING_S = 1e-3

Cells = dict[str, str]


def read_raven(path: Path, *, label_column: str = "auto", default_label: str | None = None) -> list[RawSelection]:
    """Return the rows of :func:`read_raven_table`."""
    return list(read_raven_table(path, label_column=label_column, default_label=default_label).rows)


def read_raven_table(path: Path, *, label_column: str = "auto", default_label: str | None = None) -> EventTable:
    """Return the selections of a table in the order of the file; none for a table with only a header.

    Parameters
    ----------
    path
        The table.
    label_column
        Name of a column, its number counted from 1, or ``auto`` for the first existing one of ``LABEL_COLUMNS``.
    default_label
        Label for empty cells and for a missing label column.

    Raises
    ------
    FormatError
        Naming file and line, for anything that cannot be read without guessing.
    """
    header, rows = _cells(path)
    for column in (START, END):
        if column not in header:
            raise FormatError(
                f"{path}, line 1: the column {column.title()!r} is missing (found: {', '.join(header) or 'none'}); "
                "export the selection table from Raven with it"
            )
    label_key = _label_key(path, header, label_column)
    if label_key is None and default_label is None and rows:
        raise FormatError(
            f"{path}, line 1: no label column (searched for {', '.join(LABEL_COLUMNS)}; found: {', '.join(header)}); "
            "name it with label_column"
        )
    kept = _without_doubled_views(rows, label_key)
    selections = tuple(_selection(cells, f"{path}, line {line}", label_key, default_label) for line, cells in kept)
    return EventTable(
        rows=selections,
        files=tuple(sorted({row.begin_path for row in selections} - {""})),
        unread=_unread(rows, {*_READ, label_key}),
        doubled=len(rows) - len(kept),
        own=True,
    )


def raven_header(text: str) -> tuple[str, ...]:
    """Return the columns, in lower case, named in the first line of a text."""
    return tuple(_unquoted(name).strip().lower() for line in split_lines(text)[:1] for name in line.split("\t"))


def is_raven(text: str) -> bool:
    """Return whether a text begins with the header of a Raven table."""
    return START in raven_header(text)


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


def _cells(path: Path) -> tuple[list[str], list[tuple[int, Cells]]]:
    lines = split_lines(read_text(path))
    if not lines or not lines[0].strip():
        raise FormatError(f"{path}: is empty, without even a header line; a reviewed recording without calls needs one")
    header = [_unquoted(name).strip().lower() for name in lines[0].split("\t")]
    twice = [name for name, count in Counter(header).items() if name and count > 1]
    if twice:
        raise FormatError(f"{path}, line 1: there are two columns {twice[0]!r}; rename one")
    rows: list[tuple[int, Cells]] = []
    for line, text in enumerate(lines[1:], start=2):
        if not text.strip():
            continue
        cells = [_unquoted(cell) for cell in text.split("\t")]
        if any(cell.strip() for cell in cells[len(header) :]):
            raise FormatError(f"{path}, line {line}: has {len(cells)} cells for {len(header)} columns; check its tabs")
        cells += [""] * (len(header) - len(cells))
        rows.append((line, dict(zip(header, cells, strict=False))))
    return header, rows


def _label_key(path: Path, header: Sequence[str], wanted: str) -> str | None:
    if wanted == "auto":
        return next((name for name in LABEL_COLUMNS if name in header), None)
    if wanted.strip().lower() in header:
        return wanted.strip().lower()
    if wanted.isdecimal() and 1 <= int(wanted) <= len(header):
        return header[int(wanted) - 1]
    raise FormatError(
        f"{path}, line 1: there is no label column {wanted!r}; set label_column to one of: {', '.join(header)}"
    )


def _without_doubled_views(rows: list[tuple[int, Cells]], label_key: str | None) -> list[tuple[int, Cells]]:
    """Keep one of the rows that share number, times, file and label and differ in view or channel."""
    kept: list[tuple[int, Cells]] = []
    places: dict[tuple[str, ...], int] = {}
    views: dict[tuple[str, ...], set[tuple[str, str]]] = {}
    names = ["selection", START, END, "begin path", "begin file", *([label_key] if label_key else [])]
    for line, cells in rows:
        key = tuple(cells.get(name, "").strip() for name in names)
        view = (cells.get("view", "").strip(), cells.get("channel", "").strip())
        if key[0] and key in places and view not in views[key]:
            views[key].add(view)
            if _is_waveform(kept[places[key]][1]) and not _is_waveform(cells):
                kept[places[key]] = (line, cells)
            continue
        places[key] = len(kept)
        views[key] = {view}
        kept.append((line, cells))
    return kept


def _unread(rows: list[tuple[int, Cells]], read: Collection[str | None]) -> dict[str, int]:
    """Count the non-empty cells in columns that no selection holds."""
    said = Counter(name for _, cells in rows for name, cell in cells.items() if name not in read and cell.strip())
    if "quality" not in (rows[0][1] if rows else {}):
        said["comments"] -= sum(_quality(cells, "") is not None for _, cells in rows)
    return {name or "unnamed": count for name, count in sorted(said.items()) if count > 0}


def _is_waveform(cells: Cells) -> bool:
    return cells.get("view", "").strip().lower().startswith("waveform")


def _selection(cells: Cells, where: str, label_key: str | None, default_label: str | None) -> RawSelection:
    start, end = number(cells[START], where, "the begin time"), number(cells[END], where, "the end time")
    check_times(start, end, where)
    low, high = (optional_number(cells.get(name, ""), where, name) for name in (LOW, HIGH))
    check_band(low, high, where)
    begin_path = cells.get("begin path", "").strip() or cells.get("begin file", "").strip()
    offset = optional_number(cells.get(OFFSET, ""), where, OFFSET)
    if offset is not None and begin_path and abs(offset - start) > _OFFSET_ROUNDING_S:
        if offset < 0:
            raise FormatError(f"{where}: the file offset {offset:g} s is negative; correct it")
        start, end = offset, offset + (end - start)
    return RawSelection(
        start_s=start,
        end_s=end,
        label=checked_label(cells[label_key] if label_key else "", default_label, where),
        low_hz=low,
        high_hz=high,
        quality=_quality(cells, where),
        confidence=optional_number(cells.get("score", "") or cells.get("confidence", ""), where, "the score"),
        begin_path=begin_path,
        channel=parse_channel(cells.get("channel", ""), where),
    )


def _quality(cells: Cells, where: str) -> int | None:
    if "quality" in cells:
        return parse_quality(cells["quality"], where)
    # In tables of the alpaca pipeline the whole comment is the quality, ``Q3``.
    comment = cells.get("comments", "").strip()
    return int(comment[1]) if len(comment) == 2 and comment[0] in "Qq" and comment[1] in "1234" else None


def _unquoted(cell: str) -> str:
    bare = cell.strip()
    if len(bare) < 2 or bare[0] != '"' or bare[-1] != '"' or '"' in bare[1:-1].replace('""', ""):
        return cell
    return bare[1:-1].replace('""', '"')


def _quoted(text: str) -> str:
    """Add spreadsheet quotes to a cell that begins with a quote, which pandas and spreadsheets would otherwise
    remove.
    """
    return '"' + text.replace('"', '""') + '"' if text.startswith('"') else text
