"""How a table is laid out in its text: the character between cells, and the line that holds the headings.

Spreadsheets write semicolons where the comma separates decimals, put a line ``sep=;`` first, and export titles and
notes above the headings. Other programs begin such lines with ``#``, and some that of the headings too.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ossicle.corpus.formats.cells.text_files import split_lines

# Headings stand among the first lines; more would be a table of another kind.
_MOST_LINES = 40
_MOST_CHARACTERS = 200_000
_DELIMITERS = ("\t", ";", ",", "|")
_DECLARED = re.compile(r'"?sep=(.)"?[\s;,]*', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The character between cells, and the number of lines before the headings."""

    delimiter: str = ","
    skipped: int = 0


def find_dialect(
    text: str, is_header: Callable[[Sequence[str]], bool] | None = None, *, below_titles: bool = False
) -> Dialect:
    """Return how a table is laid out.

    Parameters
    ----------
    text
        The text of the table.
    is_header
        Says whether cells are the headings of a known table. The first line for which it is true holds the headings;
        without it, or if there is none, that is the first line that is neither blank nor a comment.
    below_titles
        Whether headings count only below comments and lines with fewer cells, since a row could be taken for them.
    """
    lines = split_lines(text[:_MOST_CHARACTERS])[:_MOST_LINES]
    declared = match[1] if lines and (match := _DECLARED.fullmatch(lines[0])) else ""
    written = [(number, line) for number, line in enumerate(lines) if line.strip() and (number or not declared)]
    for number, line in written if is_header is not None else ():
        usual = declared or delimiter_of(line)
        for delimiter in (usual,) if declared or below_titles else (usual, *_DELIMITERS):
            cells = line_cells(line, delimiter)
            above = (earlier for place, earlier in written if place < number) if below_titles else ()
            if is_header is not None and is_header(cells) and all(_is_title(one, delimiter, cells) for one in above):
                return Dialect(delimiter, number)
    number, line = _first_row(written, declared)
    return Dialect(declared or delimiter_of(line), number)


def _first_row(written: Sequence[tuple[int, str]], declared: str) -> tuple[int, str]:
    """Return the first line that is no comment, by its number: the last of those with ``#`` if it has as many cells."""
    n_comments = next((k for k, (_, line) in enumerate(written) if not line.lstrip().startswith("#")), 0)
    if not written or not n_comments:
        return written[0] if written else (0, "")
    last, row = written[n_comments - 1][1], written[n_comments][1]
    delimiter = declared or delimiter_of(row)
    n_cells = len(line_cells(row, delimiter))
    is_row = n_cells > 1 and len(line_cells(last, delimiter)) == n_cells
    return written[n_comments - is_row]


def _is_title(line: str, delimiter: str, headings: Sequence[str]) -> bool:
    """Return whether a line above these headings is a comment, or has fewer cells; spreadsheets add empty ones."""
    cells = line_cells(line, delimiter)
    return line.lstrip().startswith("#") or len(cells) < len(headings) or sum(map(bool, cells)) == 1


def delimiter_of(line: str) -> str:
    """Return the character between the cells of a line: a tab if it holds one, else semicolon, comma or vertical bar.

    >>> delimiter_of("1,5;2,5;hum"), delimiter_of("file,start_time,end_time"), delimiter_of("start|end|label")
    (';', ',', '|')
    """
    bare = re.sub(r'"[^"]*"', "", line)
    if "\t" in bare:
        return "\t"
    # Beside others a vertical bar may stand within a label.
    if "|" in bare and ";" not in bare and "," not in bare:
        return "|"
    return ";" if 0 < bare.count(";") >= bare.count(",") else ","


def line_cells(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line without outer blanks, or the line itself if its quotes are damaged."""
    try:
        return [
            cell.strip()
            for cell in next(csv.reader([line], delimiter=delimiter, strict=True, skipinitialspace=True), [])
        ]
    except csv.Error:
        return [line]


def has_blanks_before_quotes(text: str, delimiter: str) -> bool:
    """Return whether blanks stand between a delimiter and the quote that begins a cell, as in tables of AudioSet.

    Parameters
    ----------
    text
        The text of the table.
    delimiter
        The character between cells.

    Returns
    -------
    bool
        Whether any cell is quoted so; blanks before quotes within a cell do not count.

    Examples
    --------
    >>> has_blanks_before_quotes('a, 0.0, "x,y"', ","), has_blanks_before_quotes('a,"x, ""y"" z"', ",")
    (True, False)
    """
    mark = re.escape(delimiter)
    if re.search(rf'{mark} ++"', text) is None:
        return False
    quoted = r'"(?:[^"]|"")*+"'
    cell = re.compile(rf"(?:\A|{mark}|[\r\n])(?:(?P<late> ++{quoted})(?=[\r\n]|{mark}|\Z)|{quoted}|[^{mark}\r\n]*+)")
    return any(match["late"] for match in cell.finditer(text))


def plain_records(text: str, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Return the cells of each line from the headings on, as Raven writes them: quotes count only around a whole cell.

    Lines are counted from 1.
    """
    for line, content in enumerate(split_lines(text)[dialect.skipped :], start=dialect.skipped + 1):
        yield line, [_unquoted(cell) for cell in content.split(dialect.delimiter)]


def _unquoted(cell: str) -> str:
    bare = cell.strip()
    if len(bare) < 2 or bare[0] != '"' or bare[-1] != '"' or '"' in bare[1:-1].replace('""', ""):
        return cell
    return bare[1:-1].replace('""', '"')
