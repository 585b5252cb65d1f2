"""Tables of the user in the folder for results: ``predict`` does not overwrite what it did not write.

Raven names its tables ``NAME.Table.1.selections.txt`` as ``predict`` does. With the folder of the recordings as
``--out``, annotations made by hand would be replaced by what a model found. So ``predict`` notes the name of each table
in the folder before it writes it, and replaces only tables that are noted.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ossicle.app.api.predictions.hit_answers import FILE as HITS_FILE
from ossicle.app.api.predictions.hit_answers import HITS
from ossicle.app.api.predictions.transcripts import ENDINGS
from ossicle.app.api.states.state_tables import FILES, STATE_FORMATS, STATES
from ossicle.app.cli.use.finished_recordings import EVENTS, JOURNAL
from ossicle.app.cli.use.prediction_summary import SUMMARY
from ossicle.artefacts.logs.journal import Journal
from ossicle.core.errors import ArtefactError, FormatError, UsageError
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.registry import EVENT_FORMATS, FORMATS, Format, ReadOptions
from ossicle.corpus.naming.table_names import table_places

NOTES = "predictions.tables.jsonl"
"""The names of the tables that ``predict`` wrote to a folder."""
# Of the files about all recordings; the name of a recording is never empty.
_ALL = ""
_ROUNDED_S = 0.001


class OutputTables:
    """The tables that one call of ``predict`` writes to a folder, and those that earlier calls noted there.

    Parameters
    ----------
    out
        The folder, which exists; whoever notes something holds its lock.
    names
        The recordings.
    endings
        The endings of the tables of each recording.
    files
        Names of files about all recordings.

    Raises
    ------
    ArtefactError
        The notes are damaged.
    """

    def __init__(
        self, out: Path, names: Sequence[str] = (), endings: Collection[str] = (), files: Collection[str] = ()
    ) -> None:
        self._out, self._files = out, tuple(files)
        self._tables = {name: _tables(place, endings) for name, place in table_places(names).items()}
        self._is_noted = (out / NOTES).exists()
        try:
            self._notes = Journal(out / NOTES)
        except ArtefactError:
            raise ArtefactError(
                f"{out / NOTES} is damaged, and says which tables there predict wrote; remove it (then only tables "
                f"that hold what {JOURNAL} says count as written), or give another folder with -o"
            ) from None
        # A folder of a version that noted none.
        is_older = not self._is_noted and (out / JOURNAL).exists()
        self._earlier = _written_without_notes(out) if is_older else []

    def refuse_others(self) -> None:
        """Check that no table of the user would be overwritten; nothing is written.

        Raises
        ------
        UsageError
            There is a table that no call of ``predict`` noted.
        """
        written = {*self._earlier, *(name for unit in self._notes.work_units() for name in self._noted(unit))}
        names = [*(name for tables in self._tables.values() for name in tables), *self._files]
        others = [name for name in names if name not in written and os.path.lexists(self._out / name)]
        if others:
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            raise UsageError(
                f"{self._out / others[0]}{more} would be overwritten, and no earlier predict noted that it wrote it: "
                "annotations made by hand would be lost; give another folder with -o, or move what is there"
            )

    def begin(self) -> None:
        """Begin the notes if there are none: before the journal, which would look like that of an older version."""
        if not self._is_noted:
            self._notes.mark(_ALL, tables=sorted(self._earlier))

    def note(self, recording: str) -> None:
        """Note the tables of a recording, before they are written."""
        self._note(recording, self._tables[recording])

    def note_files(self) -> None:
        """Note the files about all recordings, before they are written."""
        self._note(_ALL, self._files)

    def _noted(self, unit: str) -> list[str]:
        return list((self._notes.done(unit) or {}).get("tables", ()))

    def _note(self, unit: str, names: Sequence[str]) -> None:
        noted = self._noted(unit)
        if not set(names) <= set(noted):
            self._notes.mark(unit, tables=sorted({*noted, *names}))


def tables_of_events(out: Path, names: Sequence[str], formats: Collection[str]) -> OutputTables:
    """Return the tables that ``predict`` writes with a bundle that finds events.

    Parameters
    ----------
    out
        The folder, which exists; whoever notes something holds its lock.
    names
        The recordings.
    formats
        The formats that the user chose.

    Returns
    -------
    OutputTables
        The tables in these formats, and the summary.
    """
    forms = [FORMATS[name] for name in formats if name in FORMATS]
    return OutputTables(
        out,
        names,
        [form.ending for form in forms if form.shape != "table"]
        + [ENDINGS[name] for name in formats if name in ENDINGS],
        [f"events{form.ending}" for form in forms if form.shape == "table"]
        + ([HITS_FILE, SUMMARY] if HITS in formats else [SUMMARY]),
    )


def _tables(place: PurePosixPath, endings: Collection[str]) -> list[str]:
    return [str(place.with_name(place.name + ending)) for ending in endings]


def _written_without_notes(out: Path) -> list[str]:
    """Return the tables in a folder to which a version of Ossicle wrote that noted none: those that hold what its
    journal says.
    """
    try:
        journal = Journal(out / JOURNAL)
    except ArtefactError:
        # Nothing says what was written; --force removes the journal.
        return []
    lines = {name: journal.done(name) or {} for name in journal.work_units()}
    written = []
    if any("changes" in line for line in lines.values()):
        ended = [ending for ending in STATE_FORMATS if os.path.lexists(out / f"{STATES}.{ending}")]
        written += [f"{table}.{ending}" for table in (STATES, FILES) for ending in ended]
    done = {name: _rows(line, name) for name, line in lines.items() if "events" in line}
    written += [SUMMARY] if done else []
    places = table_places(done)
    for form in (FORMATS[name] for name in EVENT_FORMATS):
        if form.shape == "table":
            table = _read(out / f"events{form.ending}", form)
            files = set() if table is None else {*table.files, *(row.begin_path for row in table.rows)}
            if table is not None and files <= done.keys() and _same(table.rows, [r for f in files for r in done[f]]):
                written.append(f"events{form.ending}")
            continue
        for name, rows in done.items():
            # A call for one recording leaves out folders and suffixes that others need.
            for place in {places[name], table_places([name])[name]}:
                (file,) = _tables(place, [form.ending])
                table = _read(out / file, form)
                if table is not None and _same(table.rows, rows):
                    written.append(file)
    return written


def _rows(line: Mapping[str, Any], name: str) -> list[RawSelection]:
    try:
        return EVENTS.read(line, name, Path(name)).rows
    except (KeyError, TypeError, ValueError):
        return []


def _read(path: Path, form: Format) -> EventTable | None:
    """Return the events in a file; None if there is none of this format."""
    if form.read is None or not path.is_file():
        return None
    try:
        table = form.read(path, ReadOptions())
    except FormatError:
        return None
    return table if isinstance(table, EventTable) else None


def _same(found: Sequence[RawSelection], predicted: Sequence[RawSelection]) -> bool:
    """Return whether a table holds these events, in any order, with the times rounded as tables round them."""
    ordered = [sorted((row.start_s, row.end_s, row.label) for row in rows) for rows in (found, predicted)]
    return len(found) == len(predicted) and all(
        max(abs(a[0] - b[0]), abs(a[1] - b[1])) <= _ROUNDED_S and a[2] == b[2] for a, b in zip(*ordered, strict=True)
    )
