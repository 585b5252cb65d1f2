r"""Read and write Audacity label tracks (Audacity manual, "Importing and exporting labels").

``start<TAB>end<TAB>label`` without a header; a line ``\<TAB>low<TAB>high`` gives the frequencies in Hz of the label
before it (negative: not set). BirdNET adds the confidence as a fourth cell. A file without lines means that somebody
looked and found nothing.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ossicle.artefacts.files import write_text
from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.decimals import with_decimal_points
from ossicle.corpus.formats.cells.delimited import Delimited
from ossicle.corpus.formats.cells.rows import (
    RawSelection,
    cell_text,
    check_times,
    checked_label,
    number,
    optional_number,
)
from ossicle.corpus.formats.cells.text_files import read_text, split_lines

_UNSET = "-1.000000"


def read_audacity(path: Path, *, default_label: str | None = None) -> list[RawSelection]:
    """Return the labels of a track in the order of the file.

    Raises
    ------
    FormatError
        Naming file and line, if a label cannot be read.
    """
    selections: list[RawSelection] = []
    for line, cells in _lines(path):
        where = f"{path}, line {line}"
        if cells[0].strip() == "\\":
            if not selections or len(cells) != 3:
                raise FormatError(f"{where}: a frequency line needs a label before it, and two figures")
            low, high = (number(cell, where, "a frequency") for cell in cells[1:])
            if low > high >= 0:
                raise FormatError(f"{where}: the low frequency {low:g} Hz is above the high {high:g} Hz; swap them")
            selections[-1] = replace(
                selections[-1], low_hz=low if low >= 0 else None, high_hz=high if high >= 0 else None
            )
            continue
        if not 2 <= len(cells) <= 4:
            raise FormatError(f"{where}: has {len(cells)} cells; write start, end and label with tabs between them")
        label, confidence = (*cells[2:], "", "")[:2]
        start, end = number(cells[0], where, "the start"), number(cells[1], where, "the end")
        check_times(start, end, where)
        score = optional_number(confidence, where, "the confidence")
        selections.append(RawSelection(start, end, checked_label(label, default_label, where), confidence=score))
    return selections


def is_audacity(text: str) -> bool:
    """Return whether a text begins with a line of an Audacity label track, with decimal points or commas."""
    first = next((line for line in split_lines(text) if line.strip()), "").split("\t")
    try:
        float(first[0].replace(",", ".")), float(first[1].replace(",", "."))
    except (ValueError, IndexError):
        return False
    return True


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Return the cells of each line that is not blank, its numbers with decimal points."""
    lines = [
        (line, text.split("\t")) for line, text in enumerate(split_lines(read_text(path)), start=1) if text.strip()
    ]
    places = [(1, 2) if cells[0].strip() == "\\" else (0, 1, 3) for _, cells in lines]
    numbers = tuple(
        (line, tuple(cells[column] if column < len(cells) else "" for column in number_places))
        for (line, cells), number_places in zip(lines, places, strict=True)
    )
    pointed = with_decimal_points(Delimited(path, (), numbers, delimiter="\t"))
    for (_, cells), number_places, (_, pointed_cells) in zip(lines, places, pointed.rows, strict=True):
        for column, text in zip(number_places, pointed_cells, strict=True):
            cells[column : column + 1] = [text] if column < len(cells) else []
    return lines


def write_audacity(path: Path, rows: Iterable[RawSelection]) -> None:
    """Write a label track atomically; frequency lines follow the rows with a known frequency.

    A fourth cell is read but not written, because other readers of labels fail on it.
    """
    lines: list[str] = []
    for row in sorted(
        rows, key=lambda raw_selection: (raw_selection.start_s, raw_selection.end_s, raw_selection.label)
    ):
        label = cell_text(row.label, "the label")
        lines.append(f"{row.start_s:.6f}\t{row.end_s:.6f}\t{label}\n")
        if row.low_hz is not None or row.high_hz is not None:
            low, high = (_UNSET if value is None else f"{value:.6f}" for value in (row.low_hz, row.high_hz))
            lines.append(f"\\\t{low}\t{high}\n")
    write_text(path, "".join(lines))
