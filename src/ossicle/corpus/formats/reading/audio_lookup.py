"""Look up the recordings of a folder for annotations that use other names: their paths and durations."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from ossicle.audio.probe import SUFFIXES
from ossicle.core.errors import AudioError, UsageError
from ossicle.core.text.counting import counted
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.reading.labelled_audio import duration_of
from ossicle.corpus.formats.session_times import FileLengths, lengths_of
from ossicle.corpus.formats.writing.conversion_losses import Account
from ossicle.corpus.naming.audio_listing import audio_below
from ossicle.corpus.naming.name_template import stem_of
from ossicle.corpus.naming.table_pairing import Pairing


def with_audio(table: EventTable, folder: Path, account: Account) -> EventTable:
    """Return the table with its files named by their paths below ``folder``, and their durations.

    Missing files keep their names and are reported in ``account``.

    Raises
    ------
    UsageError
        If the folder contains no recordings.
    FormatError
        If a name matches several recordings.
    """
    paths = audio_below(folder).files if folder.is_dir() else ()
    if not paths:
        raise UsageError(f"--audio {folder}: contains no recordings")
    pairing = Pairing(paths)
    names: dict[str, str] = {}
    durations: dict[str, float] = {}
    for file in sorted({*table.files, *(row.begin_path for row in table.rows)}):
        audio_path = pairing.of_path(file, str(folder))
        names[file] = file if audio_path is None else audio_path
        if audio_path is None:
            account.notes.append(f"{file}: is not in {folder}{pairing.like(file)}; its name was kept")
            continue
        try:
            durations[audio_path] = duration_of(folder / audio_path)
        except AudioError as problem:
            account.notes.append(f"{problem}; its duration is not known")
    joined = [name for name, count in Counter(names.values()).items() if count > 1]
    if joined:
        both = [file for file, name in names.items() if name == joined[0]]
        raise UsageError(
            f"--audio {folder}: {' and '.join(both)} are both {joined[0]}; if they are one recording, write one name "
            "for it in all tables, else give one of them another name"
        )
    rows = tuple(replace(row, begin_path=names[row.begin_path]) for row in table.rows)
    beyond = Counter(row.begin_path for row in rows if row.start_s >= durations.get(row.begin_path, math.inf))
    account.notes += [
        f"{file}: {counted(count, 'event')} after its end at {durations[file]:g} s; "
        "check that the table belongs to this recording and counts from its start"
        for file, count in sorted(beyond.items())
    ]
    return EventTable(rows, tuple(sorted(names[file] for file in table.files)), durations_s=durations)


def lengths_in(folder: Path) -> FileLengths:
    """Return the lengths of the recordings of a folder, each measured when it is first asked for."""
    pairing = Pairing(audio_below(folder).files if folder.is_dir() else ())

    @cache
    def seconds(path: str) -> float | None:
        try:
            return duration_of(folder / path)
        except AudioError:
            return None

    return lengths_of(seconds, pairing.unambiguous, pairing.paths)


def lengths_from(durations_s: Mapping[str, float]) -> FileLengths:
    """Return the lengths of recordings from a table of durations, which may lack some."""
    pairing = Pairing(durations_s)
    return replace(lengths_of(durations_s.get, pairing.unambiguous, pairing.paths), are_all=lambda stated: False)


def with_durations(table: EventTable, durations_s: Mapping[str, float]) -> EventTable:
    """Return the table with the durations of its files, by name or, if names differ only in suffix, by stem."""
    stems = {stem_of(file, SUFFIXES): seconds for file, seconds in durations_s.items()}
    files = {*table.files, *(row.begin_path for row in table.rows)}
    known = {
        file: durations_s[file] if file in durations_s else stems[stem_of(file, SUFFIXES)]
        for file in files
        if file in durations_s or stem_of(file, SUFFIXES) in stems
    }
    return replace(table, durations_s={**table.durations_s, **known})
