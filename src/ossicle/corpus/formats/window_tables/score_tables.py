"""Tables with one column per label: a value for every window of a file.

Two conventions are supported. opensoundscape has one table of ``file,start_time,end_time`` and one column per class,
with 0 and 1 (or False and True) for annotations and any figure for scores; windows may overlap. DCASE has a
tab-separated file per recording, ``onset offset`` and one column per class, with touching windows (sed_scores_eval).
All times are seconds. Figures are written so that reading returns the same values.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.decimals import with_decimal_points
from ossicle.corpus.formats.cells.delimited import (
    Delimited,
    escape_cell,
    read_delimited,
    unescape_cell,
    write_delimited,
)
from ossicle.corpus.formats.cells.rows import check_times, label_text, number
from ossicle.corpus.formats.columns.headings import has_times
from ossicle.corpus.formats.window_tables.class_columns import (
    DCASE,
    OPENSOUNDSCAPE,
    TOUCH_S,
    refuse_reserved_labels,
    without_row_numbers,
)

_FIGURES = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True, slots=True)
class Windows:
    """Values in windows of one recording: ``times_s`` (n, 2) float64, ``values`` (n, n_labels) float64; sorted by
    time.
    """

    times_s: NDArray[np.float64]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """Values by file, window and label."""

    labels: tuple[str, ...]
    files: Mapping[str, Windows]

    @property
    def binary(self) -> bool:
        """Whether all values are 0 or 1: annotations or decisions."""
        return all(bool(np.isin(windows.values, (0.0, 1.0)).all()) for windows in self.files.values())


def read_opensoundscape(path: Path) -> ScoreTable:
    """Read a table of windows of many files; raises FormatError, naming file and line, if it is malformed."""
    return _read(read_delimited(path, has_times), OPENSOUNDSCAPE, "")


def read_dcase_scores(path: Path, file: str) -> ScoreTable:
    """Read the scores of the recording ``file``.

    Raises
    ------
    FormatError
        Naming file and line, if the table is malformed or windows do not touch.
    """
    table = read_delimited(path, has_times)
    score_table = _read(table, DCASE, file)
    for before, (line, _) in enumerate(table.rows[1:]):
        times = score_table.files[file].times_s
        if abs(times[before + 1, 0] - times[before, 1]) > TOUCH_S:
            raise FormatError(
                f"{path}, line {line}: its window starts at {times[before + 1, 0]:g} s, the one before it ends at "
                f"{times[before, 1]:g} s; scores of DCASE have neither gaps nor overlaps"
            )
    return score_table


def write_opensoundscape(path: Path, table: ScoreTable) -> None:
    """Write one table atomically, sorted by file and time; as 0 and 1 if all values are, otherwise unrounded."""
    refuse_reserved_labels(table.labels)
    whole = table.binary
    rows = (
        [escape_cell(file), repr(start), repr(end), *_cells(values, whole)]
        for file, windows in sorted(table.files.items())
        for (start, end), values in zip(windows.times_s.tolist(), windows.values.tolist(), strict=True)
    )
    write_delimited(path, [*OPENSOUNDSCAPE, *map(escape_cell, table.labels)], rows)


def write_dcase_scores(path: Path, labels: Sequence[str], windows: Windows) -> None:
    """Write the scores of one recording atomically; raises FormatError if its windows overlap or have gaps."""
    refuse_reserved_labels(labels)
    times = windows.times_s
    is_separate = np.flatnonzero(np.abs(times[1:, 0] - times[:-1, 1]) > TOUCH_S)
    if is_separate.size:
        end, start = times[is_separate[0], 1], times[is_separate[0] + 1, 0]
        raise FormatError(
            f"{path.name}: a window ends at {end:g} s and the next starts at {start:g} s; "
            "scores of DCASE have neither gaps nor overlaps"
        )
    # Readers of this format compare the times of neighbours exactly.
    edges = [*times[:, 0].tolist(), *times[-1:, 1].tolist()]
    rows = (
        [repr(edges[k]), repr(edges[k + 1]), *_cells(values, False)] for k, values in enumerate(windows.values.tolist())
    )
    write_delimited(path, [*DCASE, *map(escape_cell, labels)], rows, delimiter="\t")


def _read(table: Delimited, keys: tuple[str, ...], own_file: str) -> ScoreTable:
    table = without_row_numbers(table)
    places: dict[str, int] = {}
    for name in keys:
        column = table.find([name])
        if column is None:
            listed = ", ".join(table.header) or "none"
            raise FormatError(f"{table.where}: the column {name!r} is missing (found: {listed}); add it")
        places[name] = column
    classes = [column for column in range(len(table.header)) if column not in places.values()]
    labels = tuple(label_text(unescape_cell(table.header[column])) for column in classes)
    if not labels or not all(labels):
        raise FormatError(f"{table.where}: there must be a column with a name for each class, after the times")
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        raise FormatError(f"{table.where}: there are two columns {twice[0]!r}; rename one")
    table = with_decimal_points(table, {column for name, column in places.items() if name != "file"} | {*classes})
    times: dict[str, list[tuple[float, float]]] = defaultdict(list)
    values: dict[str, list[list[float]]] = defaultdict(list)
    for line, cells in table.rows:
        where = f"{table.path}, line {line}"
        file = unescape_cell(cells[places["file"]]).strip() if "file" in keys else own_file
        if not file:
            raise FormatError(f"{where}: the file is empty; name the recording")
        start, end = (number(cells[places[name]], where, f"the {name}") for name in keys[-2:])
        check_times(start, end, where)
        times[file].append((start, end))
        values[file].append([_figure(cells[column], where, table.header[column]) for column in classes])
    if own_file and not times:
        times[own_file], values[own_file] = [], []
    return ScoreTable(labels, {file: _windows(times[file], values[file], len(labels)) for file in sorted(times)})


def _figure(text: str, where: str, name: str) -> float:
    known = _FIGURES.get(text.strip().lower())
    return number(text, where, f"the value of {name!r}") if known is None else known


def _windows(times: Sequence[tuple[float, float]], values: Sequence[Sequence[float]], n_labels: int) -> Windows:
    spans = np.array(times, dtype=np.float64).reshape(len(times), 2)
    order = np.lexsort((spans[:, 1], spans[:, 0]))
    return Windows(spans[order], np.array(values, dtype=np.float64).reshape(len(times), n_labels)[order])


def _cells(values: Iterable[float], whole: bool) -> list[str]:
    return [str(int(value)) if whole else repr(value) for value in values]
