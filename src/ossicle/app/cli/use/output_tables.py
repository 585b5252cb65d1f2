"""Tables of the user in the folder for results: ``predict`` does not overwrite what it did not write.

Raven names its tables ``NAME.Table.1.selections.txt`` as ``predict`` does. With the folder of the recordings as
``--out``, annotations made by hand would be replaced by what a model found.
"""

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from ossicle.app.cli.use.finished_recordings import JOURNAL
from ossicle.app.cli.use.prediction_summary import SUMMARY
from ossicle.artefacts.locks.lock import LOCK_FILE
from ossicle.core.errors import UsageError
from ossicle.corpus.naming.table_names import table_places

_MARKS = (LOCK_FILE, JOURNAL, SUMMARY)
"""Any of these is in a folder that ``predict`` wrote to, also if it was killed."""


def refuse_other_tables(out: Path, names: Iterable[str], endings: Collection[str], files: Collection[str] = ()) -> None:
    """Check that the folder of results holds no table of the user that would be overwritten.

    Parameters
    ----------
    out
        The folder; it may be missing.
    names
        The recordings.
    endings
        The endings of the tables of each recording.
    files
        Names of files about all recordings.

    Raises
    ------
    UsageError
        There is such a table, and ``predict`` has not written to this folder before.
    """
    if not out.is_dir() or any((out / mark).exists() for mark in _MARKS):
        return
    places = table_places(names).values()
    paths = [out / place.with_name(place.name + ending) for place in places for ending in endings]
    existing = [path for path in (*paths, *(out / file for file in files)) if os.path.lexists(path)]
    if existing:
        more = f" and {len(existing) - 1} more" if len(existing) > 1 else ""
        raise UsageError(
            f"{existing[0]}{more} would be overwritten, and no earlier predict wrote to {out}: they may be annotations "
            "made by hand; give another folder with -o, or move the files"
        )
