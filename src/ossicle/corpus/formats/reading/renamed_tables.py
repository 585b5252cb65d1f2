"""Annotations under suffixes that no reader takes: found by their text, and named with what to do.

Only the beginning of a file is looked at. Such suffixes are also those of measurements, so where a suffix says nothing
about its content, only text that a reader would take under another name counts.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from ossicle.artefacts.filesystem.reading import open_regular
from ossicle.core.errors import FormatError
from ossicle.corpus.formats.audacity import is_audacity
from ossicle.corpus.formats.cells.delimited import heading_key
from ossicle.corpus.formats.cells.dialect import find_dialect, line_cells
from ossicle.corpus.formats.cells.text_files import decoded, split_lines
from ossicle.corpus.formats.columns.headings import FILE, has_label, has_times
from ossicle.corpus.formats.kaleidoscope import is_kaleidoscope
from ossicle.corpus.formats.reading.unread_files import why_unread
from ossicle.corpus.naming.file_listing import shown
from ossicle.corpus.notes import Note

_OF_ANYTHING = frozenset({"", ".asc", ".dat"})
OTHER_TEXT: frozenset[str] = _OF_ANYTHING | frozenset(
    {".tab", ".lbl", ".label", ".labels", ".ann", ".annot", ".annotation", ".annotations", ".selection", ".selections"}
    | {".seg", ".segments"}
)
"""Suffixes, lower-case with their dot, of text files that are looked into."""
_MOST_BYTES = 100_000
_MOST_LINES = 50
_NUMBER = re.compile(r"[+-]?\d*[.,]?\d*(e[+-]?\d+)?|[+-]?(nan|inf)", re.IGNORECASE)


def renamed_tables(folder: Path, names: Iterable[str]) -> list[Note]:
    """Return warnings about text files that hold annotations under a suffix that is not read.

    Parameters
    ----------
    folder
        The folder.
    names
        Paths below it of files with a suffix of ``OTHER_TEXT``.

    Returns
    -------
    list of Note
        One for all files of a suffix with the same remedy.
    """
    found: dict[tuple[str, str, bool], list[tuple[str, str]]] = defaultdict(list)
    for name in names:
        suffix = PurePosixPath(name).suffix
        try:
            text = _beginning(folder / name)
        except (OSError, FormatError):
            # No text, so no table: such suffixes may be those of anything.
            continue
        dialect = find_dialect(text, _is_header)
        lines = [line for line in split_lines(text)[dialect.skipped :] if line.strip()]
        cells = [line_cells(line, dialect.delimiter) for line in lines[:_MOST_LINES]]
        of_anything = suffix.lower() in _OF_ANYTHING
        known = _is_known(text, cells, labelled=of_anything)
        reason = "" if known or of_anything else why_unread(cells, dialect.delimiter)
        if known or reason:
            # Where blanks stand between the cells, tabs must first.
            separated = "\t" not in text and any(len(row) > 1 for row in cells)
            found[suffix, ".csv" if separated else ".txt", known].append((shown(name), reason))
    return [_note(suffix, target, files) for (suffix, target, _), files in found.items()]


def _note(suffix: str, target: str, files: Sequence[tuple[str, str]]) -> Note:
    """Return the note on files of a suffix: their names, and why they would not be read under the suffix ``target``."""
    name, reason = files[0]
    then = "then " if reason else ""
    if len(files) == 1:
        unread = f"looks like annotations, but {f'its suffix {suffix!r} is not read' if suffix else 'it has no suffix'}"
        cause = f", and {reason}" if reason else ""
        return Note(
            "table_not_read", name, f"{unread}{cause}; {then}rename it to {target}, or move it away if it is a copy"
        )
    others = f"and {len(files) - 1} more of its suffix" if suffix else f"and {len(files) - 1} more without a suffix"
    unread = f"look like annotations, but {f'{suffix!r} is not read' if suffix else 'they have no suffix'}"
    cause = f", and of the first is true: {reason}" if reason else ""
    return Note(
        "table_not_read",
        name,
        f"{others} {unread}{cause}; {then}rename them to {target}, or move them away if they are copies",
    )


def _beginning(path: Path) -> str:
    """Return the whole lines in the first bytes of a file."""
    with open_regular(path) as file:
        raw = file.read(_MOST_BYTES)
        complete = not file.read(1)
    if complete:
        return decoded(path, raw).text
    # In UTF-16 and UTF-32 a line end is not one byte, and the number of bytes is a multiple of theirs.
    if b"\0" not in raw:
        raw = raw[: max(raw.rfind(b"\n"), raw.rfind(b"\r")) + 1]
    text = decoded(path, raw).text
    return text[: max(text.rfind("\n"), text.rfind("\r")) + 1]


def _is_header(cells: Iterable[str]) -> bool:
    header = list(cells)
    return has_times(header) or is_kaleidoscope(header)


def _is_known(text: str, cells: Sequence[Sequence[str]], *, labelled: bool) -> bool:
    """Return whether a reader takes a text under another name; ``labelled``: tracks without headings need a word."""
    if not cells:
        return False
    if is_audacity(text):
        words = any(len(row) > 2 and row[2] and not _NUMBER.fullmatch(row[2]) for row in cells)
        return all(2 <= len(row) <= 4 for row in cells) and (words or not labelled)
    names_files = not {heading_key(name) for name in cells[0]}.isdisjoint(FILE)
    return is_kaleidoscope(cells[0]) or (has_times(cells[0]) and (has_label(cells[0]) or names_files))
