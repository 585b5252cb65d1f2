"""What a text or Parquet table is that no reader takes, why it is not read, and what to do about it.

A file that looks like annotations is a warning, because calls that are not read become background. Other files, such as
notes and the parameters of BirdNET, are only listed. Times that are not seconds from the start of the recording are
named as what they are: to rename such a column would move every call.
"""

import re
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path

from ossicle.corpus.formats.cells.delimited import heading_key
from ossicle.corpus.formats.cells.dialect import find_dialect, line_cells
from ossicle.corpus.formats.cells.text_files import load_text, split_lines
from ossicle.corpus.formats.columns.headings import (
    END,
    FILE,
    LABEL,
    PERHAPS_FILE,
    RAVEN_LABEL,
    START,
    counts_samples,
    has_times,
)
from ossicle.corpus.formats.columns.offset_advice import LENGTH, offset_advice
from ossicle.corpus.formats.columns.recordings import is_audio_name
from ossicle.corpus.formats.reading.foreign_files import foreign_content
from ossicle.corpus.formats.reading.times_in_text import is_span_in_json
from ossicle.corpus.notes import Note

_ONSETS = (
    "write start_time, end_time and label, with an end shortly after the start, or for drums a manifest "
    "(docs/manifests.md)"
)
_TABS = "write tabs between start, end and label, and start_time, end_time and label above them"
_PARAMETERS = frozenset({"segment_length", "file_splitting_duration", "segment_overlap", "overlap", "min_confidence"})
_PLACES = frozenset({"latitude", "longitude", "lat", "lon", "long", "lng", "elevation", "altitude"})
_OF_BIRDNET = re.compile(r"birdnet.*params", re.IGNORECASE)
_DURATIONS = frozenset({"filename", "duration"})
_ABOUT_TIME = re.compile(r"(^|_)(start|begin|onset|from|end|stop|offset|to|time|duration|t0|t1|tmin|tmax)(_|$)")
_DAY_S = 86_400
_MOST_SHOWN = 200
# A start, a length, two frequencies or a value, and a label; tables of measurements without headings are wider.
_MOST_MEASURED = 6
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
# Times that no renaming makes seconds from the start of the recording: minutes, milliseconds, times of the day, dates.
_OTHER_UNIT = re.compile(
    r"(^|_)(min|mins|minutes?|h|hh|hrs?|hours?|mm|clock|date|datetime|days?|utc|ms|msecs?|milliseconds?|us|usecs?"
    r"|microseconds?|ns|nanoseconds?|ticks?)(_|$)"
)
_CLOCK = re.compile(r"(\d{1,4}[-./]\d{1,2}[-./]\d{1,4}[ T]?)?(\d{1,2}:\d{2}(:\d{2})?([.,]\d+)?)?Z?")
_LABELLED = frozenset(
    {*LABEL, *RAVEN_LABEL, "name", "labels", "event_labels", "classes", "birds", "annotations", "species_code"}
    | {"ebird_code", "species_ebird_code", "com_name", "sci_name", "scientificname", "positive_labels", "auto_id"}
)
_ABOUT_LABEL = re.compile(r"(^|_)(species|labels?|taxon|taxa|annotation|class)(_|$)")
_ROWS_OF_RECORDINGS = frozenset({*FILE, *PERHAPS_FILE, "row_id"})


def unread_table(path: Path, name: str) -> Note:
    """Return what to report about a text or Parquet table that no reader recognises.

    Parameters
    ----------
    path
        The file.
    name
        Its name in the report.

    Raises
    ------
    FormatError
        The file cannot be read.
    """
    if path.suffix.lower() == ".parquet":
        return Note("table_not_read", name, "has no columns for start and end, and was not read; rename its columns")
    if _OF_BIRDNET.search(path.name):
        return Note("not_annotations", name, "holds the parameters of BirdNET, no annotations, and was not read")
    text = load_text(path).text
    if known := foreign_content(text):
        return Note("table_not_read", name, known)
    dialect = find_dialect(text)
    lines = [line for line in split_lines(text[:100_000]) if line.strip()]
    cells = [line_cells(line, dialect.delimiter) for line in lines[:50]]
    reason = why_unread(cells, dialect.delimiter)
    if reason:
        return Note("table_not_read", name, f"looks like annotations but was not read: {reason}")
    return Note("not_annotations", name, f"{_what_else(cells)} and was not read")


def why_unread(lines: Sequence[Sequence[str]], delimiter: str) -> str:
    """Return why lines that look like annotations are not read, and what to do about it.

    Parameters
    ----------
    lines
        The cells of the first lines that are not blank.
    delimiter
        The character between the cells.

    Returns
    -------
    str
        The cause and the remedy; "" if the lines do not look like annotations.
    """
    if not lines:
        return ""
    header, *rows = lines
    keys = {heading_key(name) for name in header}
    if _are_parameters(keys) or keys == _DURATIONS:
        return ""
    shown = ", ".join(header)
    if len(shown) > _MOST_SHOWN:
        shown = f"{shown[:_MOST_SHOWN]} ..."
    if any(is_span_in_json(cell) for row in lines for cell in row):
        return (
            f"some of its cells hold lists or objects with starts and ends (first line: {shown}); write a row for each "
            "event, with the columns file, start_time, end_time and label, in seconds"
        )
    separator = {"\t": "tabs", ";": "semicolons", ",": "commas"}.get(delimiter, delimiter)
    unheaded = f"it has no headings (its first line is {shown!r}, with {separator} between the cells)"
    if _is_span(header) and sum(map(_is_span, lines)) * 2 > len(lines):
        return f"{unheaded}; write start_time, end_time and label above them, in the order of the columns" + (
            f", and another name above each of the others ({len(header)} in all)" if len(header) > 3 else ""
        )
    if _is_measured(header) and all(map(_is_measured, lines)):
        return (
            f"{unheaded}, and its second number may be a length: write start_time, end_time and label above them, in "
            "the order of the columns, with the end, in seconds, in place of a length"
        )
    if _onsets_alone(header, rows):
        return f"its rows are a time and a label, without an end (first line: {shown}); {_ONSETS}"
    if _space_separated(lines):
        if _too_large(lines):
            return (
                f"its times are too large for seconds (HTK counts units of 100 ns, TIMIT samples; {shown!r}); convert "
                f"them to seconds, and {_TABS}"
            )
        return f"its cells are separated by blanks ({shown!r}); {_TABS}"
    if has_times(header):
        return f"it has no column for the label, nor one for the recording (found: {shown}); name the label column"
    spans = bool(rows) and sum(map(_is_span, rows)) * 2 > len(rows) and keys.isdisjoint(_PLACES)
    numeric = any(_NUMBER.fullmatch(cell) for row in rows for cell in row)
    labelled = keys & {*_LABELLED, *FILE} or any(map(_ABOUT_LABEL.search, keys))
    about = [name for name in header if _ABOUT_TIME.search(heading_key(name))]
    if any(map(counts_samples, header)):
        return f"its times are samples or frames; divide them by the rate and call them start_time, end_time ({shown})"
    converted = _in_other_units(header, rows, about)
    moments = {name for name in about if not LENGTH.fullmatch(heading_key(name))}
    if converted and moments <= {*converted} and (labelled or len(about) > 1):
        return (
            f"{converted[0]!r} holds no seconds from the start of the recording (found: {shown}); "
            "convert its times, and call the columns start_time and end_time"
        )
    if spans or (numeric and len(header) > 1 and ((about and labelled) or len(about) > 1 or keys & {*START, *END})):
        missing = [moment for moment, known in (("start", START), ("end", END)) if keys.isdisjoint(known)]
        wanted_headings = [f"{moment}_time" for moment in missing]
        lengths = [name for name in header if LENGTH.fullmatch(heading_key(name))]
        remedy = (
            f"rename {'them' if len(wanted_headings) > 1 else 'it'} {', '.join(wanted_headings)}, in seconds from the "
            "start of the recording"
        )
        if converted:
            remedy = (
                f"add {', '.join(wanted_headings)} in seconds from the start of the recording, which {converted[0]!r} "
                "does not hold"
            )
        if offset := offset_advice(header):
            remedy = offset
        elif missing == ["end"]:
            remedy = "add a column end_time" + (f", the start plus {lengths[0]!r}" if lengths else ", in seconds")
        elif not converted and len(missing) == 2 and (lengths or len(about) == 1):
            start = "the column of the start" if lengths else f"{about[0]!r}, if it is the start,"
            plus = f"the start plus {lengths[0]!r}, " if lengths else ""
            remedy = (
                f"rename {start} start_time and add a column end_time, {plus}in seconds from the start of the recording"
            )
        return f"no column is known for the {' and the '.join(missing)} (found: {shown}); {remedy}"
    # Beside recordings without times, a name may be that of a person or a place.
    if keys & _LABELLED - {"name"} and _name_recordings(header, rows):
        return (
            f"its rows name recordings and labels, but no column is known for the start and the end (found: {shown}); "
            "name the columns start_time and end_time, in seconds, or, if it labels whole recordings, give it as such "
            "(ossicle new --labels, [corpus.metadata])"
        )
    return ""


def _are_parameters(keys: Collection[str]) -> bool:
    """Return whether headings are those of the parameters of an analysis; detections have labels beside them."""
    return not _PARAMETERS.isdisjoint(keys) and _LABELLED.isdisjoint(keys)


def _in_other_units(header: Sequence[str], rows: Sequence[Sequence[str]], about: Collection[str]) -> list[str]:
    """Return the headings of columns of times (``about``) that hold minutes, dates or times of the day."""

    def is_clock(column: int) -> bool:
        texts = [row[column] for row in rows if column < len(row) and row[column]]
        return bool(texts) and all(not _NUMBER.fullmatch(text) and _CLOCK.fullmatch(text) for text in texts)

    return [
        name
        for column, name in enumerate(header)
        if name in about and (_OTHER_UNIT.search(heading_key(name)) or is_clock(column))
    ]


def _name_recordings(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether a column names the recording of each row, by its heading or by its cells."""
    for column, name in enumerate(header):
        texts = [row[column] for row in rows if column < len(row) and row[column]]
        if texts and (heading_key(name) in _ROWS_OF_RECORDINGS or sum(map(is_audio_name, texts)) * 2 >= len(texts)):
            return True
    return False


def _is_span(cells: Sequence[str]) -> bool:
    """Return whether neighbouring cells of a line are a start and an end; ELAN writes times of a clock between them."""
    for a, b in pairwise(cell for cell in cells if cell and ":" not in cell):
        if _NUMBER.fullmatch(a) and _NUMBER.fullmatch(b):
            return float(a.replace(",", ".")) <= float(b.replace(",", "."))
    return False


def _is_measured(cells: Sequence[str]) -> bool:
    """Return whether a line is two or more times or lengths, not below 0, and then a word."""
    numbers = [cell for cell in cells if _NUMBER.fullmatch(cell) and not cell.startswith("-")]
    words = [cell for cell in cells[2:] if cell[:1].isalpha()]
    return len(numbers) > 1 and bool(words) and len(cells) <= _MOST_MEASURED and cells[:2] == numbers[:2]


def _onsets_alone(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether most lines are a time and a word: lists of onsets, as of drums, with or without headings."""
    if len(header) != 2 or not {heading_key(name) for name in header}.isdisjoint({*START, *END}):
        return False
    pairs = [cells for cells in rows if len(cells) == 2 and _NUMBER.fullmatch(cells[0]) and cells[1]]
    n_words = sum(not _NUMBER.fullmatch(cells[1]) for cells in pairs)
    # Whole numbers before words may be the numbers of anything, unless the heading says that they are times.
    times = _ABOUT_TIME.search(heading_key(header[0])) or any("." in cells[0] for cells in pairs)
    return bool(times) and n_words * 2 > len(rows)


def _space_separated(lines: Sequence[Sequence[str]]) -> bool:
    if any(len(cells) > 1 for cells in lines):
        return False
    return sum(_is_span(cells[0].split()) for cells in lines if cells) * 2 > len(lines)


def _too_large(lines: Sequence[Sequence[str]]) -> bool:
    """Return whether cells between blanks begin with whole numbers that come to more than a day in seconds."""
    times = [cell for cells in lines if cells for cell in cells[0].split()[:2] if _NUMBER.fullmatch(cell)]
    return all(cell.isdecimal() for cell in times) and max(map(float, times), default=0.0) > _DAY_S


def _what_else(lines: Sequence[Sequence[str]]) -> str:
    keys = {heading_key(name) for name in (lines[0] if lines else ())}
    if _are_parameters(keys):
        return "holds parameters of an analysis, no annotations,"
    if keys == _DURATIONS:
        return "holds the durations of recordings, no annotations,"
    return "has no columns for start and end" if len(keys) > 1 else "is text of another kind"
