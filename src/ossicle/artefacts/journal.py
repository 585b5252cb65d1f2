"""The journal of finished work units, so that a step that is started again repeats at most one.

One JSON object per line, appended and synced as each work unit ends. A process killed while writing leaves an
incomplete last line: that work unit counts as not done, and the line is removed when the journal is opened. One writer
at a time; parallel workers keep one journal each.
"""

import json
import os
import threading
from pathlib import Path
from typing import Any

from ossicle.artefacts.files import naming, sync
from ossicle.artefacts.plain import plain
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
        if self._path.exists():
            self._load()
        else:
            self._path.parent.mkdir(parents=True, exist_ok=True)

    def done(self, work_unit: str) -> dict[str, Any] | None:
        """Return the record of the finished ``work_unit``, or None if it is not finished."""
        record = self._records.get(work_unit)
        return None if record is None else dict(record)

    def work_units(self) -> tuple[str, ...]:
        """Return the finished work units, in the order in which they were first marked."""
        return tuple(self._records)

    def mark(self, work_unit: str, **record: Any) -> None:
        """Record that ``work_unit`` is finished; the record is on disk when this returns. Marking again replaces the
        record.

        Mark a work unit after its files are complete. Raises ValueError or TypeError, naming the key, for values that
        JSON cannot hold.
        """
        kept = plain(record)
        line = json.dumps({"unit": work_unit, "record": kept}, sort_keys=True, ensure_ascii=False) + "\n"
        with self._lock, naming(self._path):
            fresh = not self._path.exists()
            with open(self._path, "ab") as handle:
                end = handle.tell()
                try:
                    handle.write(line.encode())
                    handle.flush()
                    os.fsync(handle.fileno())
                except OSError:
                    # A full disk must not leave half a line before the next one.
                    os.ftruncate(handle.fileno(), end)
                    raise
            if fresh:
                sync(self._path.parent)
            self._records[work_unit] = kept

    def _load(self) -> None:
        raw = self._path.read_bytes()
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
                    f"{self._path}, line {number}: not a journal entry; remove the file to do the step's work again"
                ) from err
        if keep < len(raw):
            with open(self._path, "r+b") as handle:
                handle.truncate(keep)
                os.fsync(handle.fileno())
