"""Folders of annotation files without their audio: any tool's events against any annotations, paired by name.

A recording's name is that of its file without folder and audio suffix, unless two recordings share it; then the folder
counts too, and where they differ by their suffix only, the suffix. A file that says of a recording what another file
says already (the Raven tables and the combined CSV of one prediction) is read once; two files that disagree are an
error.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ossicle.audio.probe import SUFFIXES
from ossicle.core.digest import normal_path
from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.folder_reader import events_of_source, read_sources
from ossicle.corpus.formats.registry import ReadOptions
from ossicle.corpus.formats.rows import RawSelection
from ossicle.corpus.naming.name_template import stem_of
from ossicle.corpus.naming.table_names import recording_name
from ossicle.corpus.naming.table_pairing import same_file_name

Rows = list[RawSelection]
EventSets = dict[str, Rows]

_SAME_S = 1e-6


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of one recording: its name, with its audio suffix where any file has it; rows; files that agree."""

    name: str
    rows: Rows
    sources: tuple[str, ...]


def read_event_sets(place: Path, *, label_column: str = "auto") -> EventSets:
    """Rows by recording of a folder of annotation files in any format of ``corpus.formats``, or of one such file.

    Names are paths below ``place`` without suffixes. Raises UsageError where there is nothing to read, FormatError with
    file and line for what cannot be read, and where two files contradict each other.
    """
    sources = read_sources(place, ReadOptions(label_column=label_column))
    if sources.foreign:
        raise FormatError(
            f"{sources.folder / sources.foreign[0]}, line 1: is neither a Raven table, nor Audacity labels, "
            "nor a table of events"
        )
    if not sources.found:
        raise UsageError(f"{place}: holds no annotation files (Raven tables, Audacity labels, CSV, TSV or Parquet)")
    tables = [(one.name, events_of_source(one.table, str(sources.folder / one.name))) for one in sources.found]
    return {key: said.rows for key, said in merge(tables, sources.folder).items()}


def merge(tables: Sequence[tuple[str, EventTable]], folder: Path) -> Mapping[str, Said]:
    """What tables (by their paths below ``folder``) say of each recording, by name as in :func:`read_event_sets`.

    Where tables agree, the rows are those of the one that knows most. FormatError where two contradict each other.
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
            raise FormatError(f"{folder}: {before.sources[0]} and {name} contradict each other about {key}; keep one")
        better = max(before.rows, rows, key=_knowledge)
        out[key] = Said(max(before.name, full, key=len), better, (*before.sources, name))
    return out


def pair_names(*sets: EventSets) -> tuple[EventSets, ...]:
    """The sets with names cut down to file names, where that leaves all names of each set distinct."""
    short = [{name.rpartition("/")[2]: rows for name, rows in one.items()} for one in sets]
    return tuple(short) if all(len(a) == len(b) for a, b in zip(short, sets, strict=True)) else sets


def _by_file(name: str, table: EventTable) -> EventSets:
    """The rows of a table by recording; one that a table was named after goes by the table's place."""
    own = recording_name(name)
    # An ending such as `.Table.1.selections` says that the rest is a recording's name, whatever it was called before.
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
    """Stems that several audio files have, which then differ by suffix only."""
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
    """How many cells the rows have that a table may lack."""
    return sum(
        value is not None
        for row in rows
        for value in (row.low_hz, row.high_hz, row.quality, row.confidence, row.channel)
    )
