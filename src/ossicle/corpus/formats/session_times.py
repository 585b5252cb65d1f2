"""Times of Raven tables over several files: counted from the start of each file, or running on from file to file.

Raven counts the times of a session over all its sound files. The column ``File Offset (s)`` gives the time within the
file. Where it is missing or empty, the times are used only if the lengths of the files allow one reading:

- within each file, if times of different files lie among each other, so that they cannot run on;
- running on, if some lie beyond the end of their file, and the table names all recordings of the folder.

The times of a table that names one file only count from the start of that file; this is reported unless the table is
named after it.

A selection that passes the end of its file continues in the next one, and is divided there.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ossicle.core.digest import normal_path
from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.naming.table_names import recording_name
from ossicle.corpus.naming.table_pairing import same_file_name
from ossicle.corpus.notes import Note

# Raven rounds the offset in the file; differences from the begin time below this are rounding.
_ROUNDING_S = 1e-3
# Lengths of files and times in tables differ by this much where nothing is wrong.
_EDGE_S = 0.05


@dataclass(frozen=True, slots=True)
class FileLengths:
    """What is known about the recordings that a table may name.

    ``seconds`` returns the length of a recording by the name that a table states, None if it is not known.
    ``are_all`` returns whether the named recordings are all that lie in their folders.
    """

    seconds: Callable[[str], float | None]
    are_all: Callable[[Collection[str]], bool]


NO_LENGTHS = FileLengths(lambda stated: None, lambda stated: False)
"""Nothing is known about the recordings."""


def lengths_of(
    seconds: Callable[[str], float | None], find: Callable[[str], str | None], paths: Collection[str]
) -> FileLengths:
    """Return what is known about recordings: the length of each path (``seconds``), and the path of a stated name.

    ``paths`` are all recordings; ``find`` returns None for a name that is none of them.
    """

    def length(stated: str) -> float | None:
        path = find(stated)
        return None if path is None else seconds(path)

    def are_all(stated: Collection[str]) -> bool:
        named = {find(file) for file in stated}
        folders = {_folder(path) for path in named if path is not None}
        return None not in named and named == {path for path in paths if _folder(path) in folders}

    return FileLengths(length, are_all)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A row with the times of the table, its line, its time within the file if stated, and the file of its end."""

    line: int
    row: RawSelection
    offset_s: float | None = None
    end_file: str = ""


def place_in_files(
    path: Path, rows: Sequence[SessionRow], lengths: FileLengths
) -> tuple[list[RawSelection], list[Note]]:
    """Return rows with times within their files, and notes on selections that pass the end of their file.

    Parameters
    ----------
    path
        The table, for messages.
    rows
        Its rows in their order. Rows without a file are returned unchanged; those without a label are no calls, and
        only say where their files lie.
    lengths
        Lengths of the recordings, as far as they are known.

    Raises
    ------
    FormatError
        The times allow more than one reading, or none.
    """
    named = [session_row for session_row in rows if session_row.row.begin_path]
    starts = _session_starts(path, named, lengths)
    selections: list[RawSelection] = []
    notes = _assumed(path, named)
    for session_row in rows:
        row = session_row.row
        if row.begin_path:
            begin = (
                row.start_s - starts.get(row.begin_path, 0.0) if session_row.offset_s is None else session_row.offset_s
            )
            if begin < -_EDGE_S:
                raise FormatError(
                    f"{path}, line {session_row.line}: starts {-begin:g} s before its file; correct its times"
                )
            if abs(begin - row.start_s) > _ROUNDING_S:
                begin = max(round(begin, 6), 0.0)
                row = replace(
                    row, start_s=begin, end_s=round(begin + session_row.row.end_s - session_row.row.start_s, 6)
                )
        if not row.label:
            continue
        placed, note = _divided(session_row, row, starts, lengths)
        selections += placed
        notes += [] if note is None else [note]
    return selections, notes


def _folder(path: str) -> str:
    return normal_path(path).rpartition("/")[0]


def _assumed(path: Path, rows: Sequence[SessionRow]) -> list[Note]:
    """Return a note if the only file of a table was taken to be the first of its session, unless its name says so."""
    files = {session_row.row.begin_path for session_row in rows}
    if len(files) != 1 or all(session_row.offset_s is not None for session_row in rows):
        return []
    file = next(iter(files))
    if same_file_name(recording_name(path.name), file):
        return []
    message = f"names only {file!r}, without 'File Offset (s)': its times were counted from the start of that file"
    return [Note("times_assumed", "", message)]


def _session_starts(path: Path, rows: Sequence[SessionRow], lengths: FileLengths) -> dict[str, float]:
    """Return when each file starts in the times of the table: 0 for all files if the times count within each file."""
    starts: dict[str, float] = {}
    for session_row in rows:
        if session_row.offset_s is not None:
            starts.setdefault(session_row.row.begin_path, session_row.row.start_s - session_row.offset_s)
    unknown = [
        session_row for session_row in rows if session_row.offset_s is None and session_row.row.begin_path not in starts
    ]
    if not unknown:
        return starts
    first = unknown[0]
    if any(abs(start) > _ROUNDING_S for start in starts.values()):
        raise FormatError(
            f"{path}, line {first.line}: 'File Offset (s)' is empty, and in other rows the times run on from file to "
            f"file; fill in the time within {first.row.begin_path!r}"
        )
    if len(starts) > 1 or not _may_run_on(rows, lengths):
        return starts
    if len({session_row.row.begin_path for session_row in rows}) == 1:
        return starts
    running = _tight_starts(rows, lengths)
    fits = all(_within(session_row, 0.0, lengths) for session_row in rows)
    if fits or running is None:
        last = max(unknown, key=lambda session_row: session_row.row.start_s)
        raise FormatError(
            f"{path}, line {last.line}: {last.row.start_s:g} s of {last.row.begin_path!r} could count from the start "
            "of this file, or run on from the files before it; export the table from Raven with the column "
            "'File Offset (s)'" + (", or give the recordings (--audio)" if lengths is NO_LENGTHS else "")
        )
    return running


def _may_run_on(rows: Sequence[SessionRow], lengths: FileLengths) -> bool:
    """Return whether the times could run on from file to file, with files between them that have no rows."""
    reach_s = 0.0
    for file, times in _in_order(rows):
        length_s = lengths.seconds(file)
        start_s = max(reach_s, times[-1] - length_s if length_s is not None else 0.0)
        if start_s > times[0] + _EDGE_S:
            return False
        reach_s = times[-1] if length_s is None else start_s + length_s
    return True


def _tight_starts(rows: Sequence[SessionRow], lengths: FileLengths) -> dict[str, float] | None:
    """Return the starts of files that follow each other without others between them, None if they cannot be known."""
    order = _in_order(rows)
    seconds = [lengths.seconds(file) for file, _ in order]
    if not lengths.are_all([file for file, _ in order]):
        return None
    starts: dict[str, float] = {}
    reach_s = 0.0
    for (file, _), length_s in zip(order, seconds, strict=True):
        if length_s is None:
            return None
        starts[file] = reach_s
        reach_s += length_s
    return (
        starts
        if all(_within(session_row, starts[session_row.row.begin_path], lengths) for session_row in rows)
        else None
    )


def _in_order(rows: Sequence[SessionRow]) -> list[tuple[str, list[float]]]:
    """Return the files in the order of their times, each with the sorted begin times (s) of its rows."""
    times: dict[str, list[float]] = defaultdict(list)
    for session_row in rows:
        times[session_row.row.begin_path].append(session_row.row.start_s)
    return sorted(((file, sorted(time)) for file, time in times.items()), key=lambda item: item[1])


def _within(session_row: SessionRow, start_s: float, lengths: FileLengths) -> bool:
    """Return whether a row lies in its file, if that starts at ``start_s`` in the times of the table."""
    length_s = lengths.seconds(session_row.row.begin_path)
    begins = session_row.row.start_s >= start_s - _EDGE_S
    return begins and (length_s is None or session_row.row.start_s < start_s + length_s)


def _divided(
    session_row: SessionRow, row: RawSelection, starts: Mapping[str, float], lengths: FileLengths
) -> tuple[list[RawSelection], Note | None]:
    """Return a row, divided where its file ends and the next one starts; and a note on what that means."""
    length_s = lengths.seconds(row.begin_path) if row.begin_path else None
    where, end_file = f"line {session_row.line}", session_row.end_file
    named = end_file if end_file and not same_file_name(end_file, row.begin_path) else ""
    if length_s is None:
        message = f"{where}: ends in {named!r}, and was left as it is: the length of its first file is not known"
        return [row], Note("crosses_files", "", message) if named else None
    over_s = row.end_s - length_s
    if over_s <= _EDGE_S or row.start_s >= length_s:
        return [row], None
    session_end = session_row.row.start_s - row.start_s + length_s
    following = named or next(
        (file for file, start in starts.items() if start > 0 and abs(start - session_end) <= _EDGE_S), ""
    )
    if not following:
        message = f"{where}: passes the end of {row.begin_path!r} by {over_s:.3g} s, perhaps into the next file"
        return [row], Note("crosses_files", "", message) if len(starts) > 1 else None
    next_s = lengths.seconds(following)
    rest_s = round(over_s if next_s is None else min(over_s, next_s), 6)
    parts = [replace(row, end_s=length_s), replace(row, start_s=0.0, end_s=rest_s, begin_path=following)]
    message = f"{where}: goes on from {row.begin_path!r} into {following!r} and was divided there"
    return parts, Note("divided_selection", "", message)
