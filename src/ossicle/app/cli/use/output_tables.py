"""Tables of the user in the folder for results: ``predict`` does not overwrite what it did not write.

Raven names its tables ``NAME.Table.1.selections.txt`` as ``predict`` does. With the folder of the recordings as
``--out``, annotations made by hand would be replaced by what a model found. So ``predict`` notes the name of each table
in the folder before it writes it, and replaces only tables that are noted.
"""

import os
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath

from ossicle.app.api.predictions.hit_answers import FILE as HITS_FILE
from ossicle.app.api.predictions.hit_answers import HITS
from ossicle.app.api.predictions.transcripts import ENDINGS
from ossicle.app.api.states.state_tables import FILES, SCORES, STATE_FORMATS, STATES
from ossicle.app.cli.use.finished_recordings import JOURNAL
from ossicle.app.cli.use.prediction_summary import SUMMARY
from ossicle.artefacts.logs.journal import Journal
from ossicle.core.errors import UsageError
from ossicle.corpus.formats.registry import EVENT_FORMATS, FORMATS
from ossicle.corpus.naming.table_names import table_places

NOTES = ".ossicle-tables.jsonl"
"""The names of the tables that ``predict`` wrote to a folder."""
# Of the files about all recordings; the name of a recording is never empty.
_ALL = ""


class OutputTables:
    """The tables that one call of ``predict`` writes to a folder, and those that earlier calls noted there.

    Parameters
    ----------
    out
        The folder, which exists; this process holds its lock.
    names
        The recordings.
    endings
        The endings of the tables of each recording.
    files
        Names of files about all recordings.
    """

    def __init__(
        self, out: Path, names: Sequence[str] = (), endings: Collection[str] = (), files: Collection[str] = ()
    ) -> None:
        self._out, self._files = out, tuple(files)
        self._tables = {name: _tables(place, endings) for name, place in table_places(names).items()}
        self._is_noted = (out / NOTES).exists()
        self._notes = Journal(out / NOTES)
        # A folder of a version that noted none: notes are there before the journal gets its first line.
        is_older = not self._is_noted and (out / JOURNAL).exists()
        self._earlier = _written_without_notes(out) if is_older else []

    def refuse_others(self) -> None:
        """Check that no table of the user would be overwritten, and begin the notes if there are none.

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
        The folder, which exists; this process holds its lock.
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
    """Return the tables in a folder to which a version of Ossicle wrote that noted none: those of its journal."""
    forms = [FORMATS[name] for name in EVENT_FORMATS]
    endings = [*(form.ending for form in forms if form.shape != "table"), *ENDINGS.values()]
    places = table_places(Journal(out / JOURNAL).work_units()).values()
    names = [
        *(name for place in places for name in _tables(place, endings)),
        *(f"events{form.ending}" for form in forms if form.shape == "table"),
        *(f"{table}.{ending}" for table in (STATES, FILES, SCORES) for ending in STATE_FORMATS),
        HITS_FILE,
        SUMMARY,
    ]
    return [name for name in names if os.path.lexists(out / name)]
