"""Folders of annotation files without their audio: pair the events of any tool with any annotations, by name.

The name of a recording is that of its file without folder and audio suffix, unless two recordings share it; then the
folder is added and, if they differ only in suffix, the suffix. If several files describe the same recording equally
(the Raven tables and the combined CSV of one prediction), they are read once. Two files that disagree are an error.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ossicle.audio.probe import SUFFIXES
from ossicle.core.digest import normal_path
from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.reading.folder_reader import events_of_source, read_sources
from ossicle.corpus.formats.registry import ReadOptions
from ossicle.corpus.naming.name_template import stem_of
from ossicle.corpus.naming.table_names import recording_name
from ossicle.corpus.naming.table_pairing import same_file_name

Rows = list[RawSelection]
EventSets = dict[str, Rows]

_SAME_S = 1e-6


@dataclass(frozen=True, slots=True)
class Said:
    """The annotations of one recording: its name (with audio suffix if any file has it), rows, and the files that
    agree.
    """

    name: str
    rows: Rows
    sources: tuple[str, ...]


def read_event_sets(place: Path, *, label_column: str = "auto") -> EventSets:
    """Return rows by recording from a folder of annotation files in any format of ``corpus.formats``, or from one file.

    Names are paths below ``place`` without suffixes.

    Raises
    ------
    UsageError
        If there is nothing to read.
    FormatError
        With file and line, if something cannot be read or two files contradict each other.
    """
    sources = read_sources(place, ReadOptions(label_column=label_column))
    if sources.foreign:
        raise FormatError(
            f"{sources.folder / sources.foreign[0]}, line 1: is neither a Raven table, nor Audacity labels, "
            "nor a table of events"
        )
    if not sources.found:
        raise UsageError(f"{place}: contains no annotation files (Raven tables, Audacity labels, CSV, TSV or Parquet)")
    tables = [(one.name, events_of_source(one.table, str(sources.folder / one.name))) for one in sources.found]
    return {key: said.rows for key, said in merge(tables, sources.folder).items()}


def merge(tables: Sequence[tuple[str, EventTable]], folder: Path) -> Mapping[str, Said]:
    """Merge tables (by their paths below ``folder``) into the annotations of each recording, named as in
    :func:`read_event_sets`.

    If tables agree, the rows come from the table with the most values. Raises FormatError if two tables contradict each
    other.
    """
    found = [(key, name, rows) for name, table in tables for key, rows in _by_file(name, table).items()]
    shared = _shared_stems(key for key, _, _ in found)
    out: dict[str, Said] = {}
    for full, name, rows in found:
        stem = stem_of(full, SUFFIXES)
        key = full if stem in shared else stem
        before = out.get(key)
        if before is None:
            out[key] = Said(full, rows, (name,))
            continue
        if not _same(before.rows, rows):
            raise FormatError(f"{folder}: {before.sources[0]} and {name} contradict each other for {key}; keep one")
        better = max(before.rows, rows, key=_knowledge)
        out[key] = Said(max(before.name, full, key=len), better, (*before.sources, name))
    return out


def pair_names(*sets: EventSets) -> tuple[EventSets, ...]:
    """Shorten names to file names in all sets, if the names in each set then remain unique."""
    short = [{name.rpartition("/")[2]: rows for name, rows in one.items()} for one in sets]
    return tuple(short) if all(len(a) == len(b) for a, b in zip(short, sets, strict=True)) else sets


def _by_file(name: str, table: EventTable) -> EventSets:
    """Return the rows of a table by recording; a file that the table is named after is placed in the table's folder."""
    own = recording_name(name)
    # After an ending such as `.Table.1.selections`, the rest is the name of a recording, whatever it was called before.
    alone = len(table.files) == 1 and own != normal_path(name).rpartition(".")[0]

    def place(stated: str) -> str:
        if not stated:
            return own
        if table.own and (alone or same_file_name(stated, own)):
            suffix = normal_path(stated)[len(stem_of(normal_path(stated), SUFFIXES)) :]
            return own if own.lower().endswith(suffix.lower()) else own + suffix
        return normal_path(stated)

    out: EventSets = {place(file): [] for file in table.files}
    for row in table.rows:
        out.setdefault(place(row.begin_path), []).append(row)
    return out or ({own: []} if table.own else {})


def _shared_stems(names: Iterable[str]) -> set[str]:
    """Return the stems that several audio files share, which then differ only in suffix."""
    suffixes: dict[str, set[str]] = defaultdict(set)
    for name in names:
        stem = stem_of(name, SUFFIXES)
        suffixes[stem].add(name[len(stem) :].lower())
    return {stem for stem, found in suffixes.items() if len(found - {""}) > 1}


def _same(one: Sequence[RawSelection], other: Sequence[RawSelection]) -> bool:
    if len(one) != len(other):
        return False
    pairs = zip(sorted(one, key=_order), sorted(other, key=_order), strict=True)
    return all(
        a.label == b.label and abs(a.start_s - b.start_s) <= _SAME_S and abs(a.end_s - b.end_s) <= _SAME_S
        for a, b in pairs
    )


def _order(row: RawSelection) -> tuple[float, float, str]:
    return (row.start_s, row.end_s, row.label)


def _knowledge(rows: Sequence[RawSelection]) -> int:
    """Count the optional cells that have a value in the rows."""
    return sum(
        value is not None
        for row in rows
        for value in (row.low_hz, row.high_hz, row.quality, row.confidence, row.channel)
    )
