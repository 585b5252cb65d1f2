"""The journal of finished work units, so that a step that is started again repeats at most one.

One JSON object per line, appended and synced as each work unit ends. A process killed while writing leaves an
incomplete last line: that work unit counts as not done, and the next :meth:`Journal.mark` removes the line. Reading a
journal changes nothing. One writer at a time: parallel workers keep one journal each, or hold a lock for
:meth:`Journal.reread` and :meth:`Journal.mark` together.
"""

import json
import os
import threading
from pathlib import Path
from typing import Any

from ossicle.artefacts.files import naming, sync
from ossicle.artefacts.filesystem.changes import make_folder, open_to_append, open_to_change, write_all
from ossicle.artefacts.filesystem.links import refuse_link_in
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES, read_regular
from ossicle.artefacts.plain import plain
from ossicle.artefacts.processes.saved_note import note_saved
from ossicle.core.errors import ArtefactError


class Journal:
    """The finished work units of one step, by name, each with its record.

    Safe between threads. Raises ArtefactError, naming file and line, if a line before the last is damaged.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Journal(Path(folder) / "journal.jsonl").mark("tape-1", frames=120)
    ...     Journal(Path(folder) / "journal.jsonl").done("tape-1")
    {'frames': 120}
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        self._records: dict[str, dict[str, Any]] = {}
        self._torn_from: int | None = None
        self._read_to = 0
        refuse_link_in(self._path)
        if self._path.exists():
            self._load()
        else:
            make_folder(self._path.parent)

    def done(self, work_unit: str) -> dict[str, Any] | None:
        """Return the record of the finished ``work_unit``, or None if it is not finished."""
        record = self._records.get(work_unit)
        return None if record is None else dict(record)

    def work_units(self) -> tuple[str, ...]:
        """Return the finished work units, in the order in which they were first marked."""
        return tuple(self._records)

    def reread(self) -> None:
        """Read what another writer marked since; a file that was removed or replaced by a shorter one is read anew.

        Raises ArtefactError as opening the journal does.
        """
        with self._lock:
            size = self._path.stat().st_size if self._path.exists() else 0
            if size < self._read_to:
                self._records, self._read_to, self._torn_from = {}, 0, None
            if size > self._read_to:
                self._load()

    def mark(self, work_unit: str, **record: Any) -> None:
        """Record that ``work_unit`` is finished; the record is on disk when this returns. Marking again replaces the
        record.

        Mark a work unit after its files are complete. Raises ValueError or TypeError, naming the key, for values that
        JSON cannot hold.
        """
        plain_record = plain(record)
        line = json.dumps({"unit": work_unit, "record": plain_record}, sort_keys=True, ensure_ascii=False) + "\n"
        with self._lock, naming(self._path):
            if self._torn_from is not None:
                self._cut_to(self._torn_from)
            fresh = not self._path.exists() or not self._path.stat().st_size
            with open_to_append(self._path) as handle:
                write_all(handle, line.encode())
            self._read_to += len(line.encode())
            if fresh:
                sync(self._path.parent)
            self._records[work_unit] = plain_record
            note_saved()

    def _load(self) -> None:
        everything = read_regular(self._path, MOST_ARTEFACT_BYTES)
        raw, before = everything[self._read_to :], everything.count(b"\n", 0, self._read_to)
        whole, _, torn = raw.rpartition(b"\n")
        lines = whole.split(b"\n") if whole else []
        keep = len(raw) - len(torn)
        for number, line in enumerate(lines, start=1):
            try:
                entry = json.loads(line)
                self._records[entry["unit"]] = dict(entry["record"])
            except (ValueError, TypeError, KeyError) as err:
                if number == len(lines) and not torn:
                    # A power cut can leave a last line whose beginning was never written to disk.
                    keep -= len(line) + 1
                    break
                raise ArtefactError(
                    f"{self._path}, line {before + number}: not a journal entry; remove the file to do the step's work "
                    "again"
                ) from err
        self._torn_from = self._read_to + keep if keep < len(raw) else None
        self._read_to += keep

    def _cut_to(self, size: int) -> None:
        with open_to_change(self._path) as handle:
            handle.truncate(size)
            os.fsync(handle.fileno())
        self._torn_from = None
