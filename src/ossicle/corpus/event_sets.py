"""Folders of annotation files without their audio: any tool's events against any annotations, paired by name.

A recording's name is that of its file without folder and audio suffix, unless two recordings share it; then the folder
counts too, and where they differ by their suffix only, the suffix. A file that says of a recording what another file
says already (the Raven tables and the combined CSV of one prediction) is read once; two files that disagree are an
error.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from ossicle.audio.probe import SUFFIXES
from ossicle.core.digest import normal_path
from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.audacity import is_audacity, read_audacity
from ossicle.corpus.discovery import files_below
from ossicle.corpus.event_csv import SUFFIXES as TABLE_SUFFIXES
from ossicle.corpus.event_csv import is_events, read_events
from ossicle.corpus.fields import stem_of
from ossicle.corpus.raven import is_raven, read_raven
from ossicle.corpus.selection import RawSelection, read_text

Rows = list[RawSelection]
EventSets = dict[str, Rows]

_TABLE_NAME = re.compile(r"(\.Table\.\d+)?(\.selections)?$", re.IGNORECASE)
_SAME_S = 1e-6


def read_event_sets(place: Path, *, label_column: str = "auto") -> EventSets:
    """Rows by recording of a folder of Raven tables, Audacity labels and event tables, or of one such file.

    Names are paths below ``place`` without suffixes. Raises UsageError where there is nothing to read, FormatError with
    file and line for what cannot be read, and where two files contradict each other.
    """
    if not place.exists():
        raise UsageError(f"{place}: does not exist; name a folder of annotation files, or one file")
    folder = place if place.is_dir() else place.parent
    names = files_below(place, frozenset({".txt"}) | TABLE_SUFFIXES) if place.is_dir() else [place.name]
    found = [(key, name, rows) for name in names for key, rows in _read(folder / name, name, label_column).items()]
    shared = _shared_stems(key for key, _, _ in found)
    out: EventSets = {}
    sources: dict[str, str] = {}
    for full, name, rows in found:
        stem = stem_of(full, SUFFIXES)
        key = full if stem in shared else stem
        if key in out and not _same(out[key], rows):
            raise FormatError(f"{folder}: {sources[key]} and {name} contradict each other about {key}; keep one")
        out.setdefault(key, rows)
        sources.setdefault(key, name)
    if not out:
        raise UsageError(f"{place}: holds no annotation files (Raven tables, Audacity labels, CSV, TSV or Parquet)")
    return out


def pair_names(*sets: EventSets) -> tuple[EventSets, ...]:
    """The sets with names cut down to file names, where that leaves all names of each set distinct."""
    short = [{name.rpartition("/")[2]: rows for name, rows in one.items()} for one in sets]
    return tuple(short) if all(len(a) == len(b) for a, b in zip(short, sets, strict=True)) else sets


def _read(path: Path, name: str, label_column: str) -> EventSets:
    if path.suffix.lower() in TABLE_SUFFIXES and is_events(path):
        table = read_events(path, label_column=label_column)
        out: dict[str, Rows] = defaultdict(list)
        for file in table.files:
            out[normal_path(file)] = []
        for row in table.rows:
            out[normal_path(row.begin_path) if row.begin_path else recording_name(name)].append(row)
        return dict(out)
    text = read_text(path)
    if is_raven(text):
        return {recording_name(name): read_raven(path, label_column=label_column)}
    if is_audacity(text) or not text.strip():
        return {recording_name(name): read_audacity(path)}
    raise FormatError(f"{path}, line 1: is neither a Raven table, nor Audacity labels, nor a table of events")


def recording_name(table: str) -> str:
    """The recording that a table named ``table`` speaks of, with its audio suffix where the table's name has it.

    >>> recording_name("a/site 1.23_tape.Table.1.selections.txt")
    'a/site 1.23_tape'
    """
    stem = normal_path(table).rpartition(".")[0]
    return _TABLE_NAME.sub("", stem)


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
