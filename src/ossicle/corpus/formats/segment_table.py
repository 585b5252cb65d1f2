"""Tables of ready segments: the recording, start and end of each, in any table with columns of times."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from ossicle.core.errors import FormatError
from ossicle.core.records import grouped
from ossicle.corpus.formats.cells.delimited import heading_key, read_delimited
from ossicle.corpus.formats.columns.headings import FILE, PERHAPS_FILE, has_times
from ossicle.corpus.formats.columns.verdicts import NO_CALLS
from ossicle.corpus.formats.event_csv import events_of

_LABEL = "segment"
# Two segments may meet, but times of tables are rounded.
_OVERLAP_S = 1e-3

Stretches = tuple[tuple[float, float], ...]


def read_segments(path: Path) -> Mapping[str, Stretches]:
    """Return the segments of each recording that a table names, in order.

    Parameters
    ----------
    path
        CSV, TSV or Parquet with columns for the recording (``file``, ``recording``, ``recording_id``, ``utterance``),
        start and end in seconds; further columns are not read.

    Returns
    -------
    Mapping[str, Stretches]
        Starts and ends in seconds by the name of the recording as the table states it.

    Raises
    ------
    FormatError
        There is no column for the recording, a row cannot be read or is no call (NEG), or two segments of a
        recording overlap.
    """
    table = read_delimited(path, has_times)
    keys = [heading_key(name) for name in table.header]
    if not set(keys) & set(FILE):
        named = next((column for column, key in enumerate(keys) if key in PERHAPS_FILE), None)
        if named is None:
            raise FormatError(
                f"{table.where}: no column names the recording of each segment (found: {', '.join(table.header)}); "
                "add a column 'file'"
            )
        table = replace(
            table, header=tuple("file" if column == named else key for column, key in enumerate(table.header))
        )
    events = events_of(table, default_label=_LABEL)
    if refused := [note for note in events.notes if note.kind == NO_CALLS]:
        raise FormatError(f"{path}: {refused[0].message}; remove these rows, or the column")
    rows = grouped(events.rows, lambda row: row.begin_path)
    segments: dict[str, Stretches] = {}
    for file in events.files:
        segments[file] = in_order(path, file, ((row.start_s, row.end_s) for row in rows.get(file, ())))
    return segments


def in_order(path: Path, name: str, stretches: Iterable[tuple[float, float]]) -> Stretches:
    """Return the segments of a recording in order.

    Parameters
    ----------
    path
        The table.
    name
        The recording.
    stretches
        Starts and ends in seconds, in any order.

    Raises
    ------
    FormatError
        Two of them overlap.
    """
    ordered = tuple(sorted(stretches))
    for (start_s, end_s), (next_s, _) in pairwise(ordered):
        if next_s < end_s - _OVERLAP_S:
            raise FormatError(
                f"{path}: two segments of {name} overlap: one from {start_s:g} to {end_s:g} s, the next from "
                f"{next_s:g} s; shorten or join them"
            )
    return ordered
