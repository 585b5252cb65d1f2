"""Rows of tables of events, of CSV and of Raven alike: the cells of a row to a selection."""

from collections.abc import Sequence

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.missing_values import stated
from ossicle.corpus.formats.cells.rows import (
    RawSelection,
    check_band,
    check_times,
    number,
    optional_number,
    parse_channel,
    parse_quality,
)
from ossicle.corpus.formats.columns.roles import Columns
from ossicle.corpus.formats.session_times import SessionRow


def session_rows(columns: Columns, line: int, cells: Sequence[str]) -> list[SessionRow]:
    """Return the calls of a row with the times of the table, one for each label.

    A row that is no call is returned once, without a label, since it still says where in a session its file lies; none
    if it has no times.

    Parameters
    ----------
    columns
        The columns of the table.
    line, cells
        The line of the row, and its cells.

    Raises
    ------
    FormatError
        Naming file and line, for cells that cannot be read.
    """
    where = f"{columns.table.path}, line {line}"
    if not (columns.verdicts or columns.classes or columns.text(cells, "start") or columns.text(cells, "end")):
        raise FormatError(
            f"{where}: has neither a start nor an end; fill them in, or remove the row if it is a remark or a total"
        )
    labels = columns.labels_of(cells, where)
    if not labels and not stated(columns.text(cells, "start")) and not stated(columns.text(cells, "end")):
        return []

    def value(name: str, noun: str) -> float | None:
        figure = optional_number(columns.text(cells, name), where, noun)
        return None if figure is None else figure * columns.scales.get(name, 1.0)

    start = number(columns.text(cells, "start"), where, "the begin time" if columns.of_raven else "the start")
    end = number(columns.text(cells, "end"), where, "the end time" if columns.of_raven else "the end")
    start, end = start * columns.scales.get("start", 1.0), end * columns.scales.get("end", 1.0)
    check_times(start, end, where)
    low, high = value("low", "the low frequency"), value("high", "the high frequency")
    check_band(low, high, where)
    offset = value("offset", "the file offset")
    if offset is not None and offset < 0:
        raise FormatError(f"{where}: the file offset {offset:g} s is negative; correct it")
    quality = parse_quality(columns.text(cells, "quality"), where)
    score = stated(columns.text(cells, "score")) or columns.text(cells, "confidence")
    confidence = optional_number(score, where, "the score")
    channel = parse_channel(columns.text(cells, "channel"), where)
    file, end_file = columns.file(cells), columns.text(cells, "end_file")
    return [
        SessionRow(
            line, RawSelection(start, end, label, low, high, quality, confidence, file, channel), offset, end_file
        )
        for label in labels or ("",)
    ]
