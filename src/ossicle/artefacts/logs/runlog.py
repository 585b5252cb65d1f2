"""The run log: the outcome of each work unit of a run, as JSON lines with time, step, unit, outcome and seconds.

It is for people and for ``ossicle status``; no decision depends on it and it is in no digest. Times are UTC.
"""

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from ossicle.artefacts.files import naming
from ossicle.artefacts.filesystem.changes import make_folder, open_to_append
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES, open_regular, read_if_there
from ossicle.artefacts.plain import plain

Outcome = Literal["reused", "computed", "failed"]
OUTCOMES: tuple[str, ...] = get_args(Outcome)


class RunLog:
    """A run log open for appending; safe between threads, and between processes that share the file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     RunLog(Path(folder) / "run.jsonl").work_unit("predict", "tape-1", "computed", seconds=1.5)
    ...     [entry["outcome"] for entry in read_run_log(Path(folder) / "run.jsonl")]
    ['computed']
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        make_folder(self._path.parent)
        if _last_byte(self._path) not in (b"", b"\n"):
            # End the incomplete line of a killed run, so that it does not damage the next line.
            self._append(b"\n")

    def work_unit(self, step: str, work_unit: str, outcome: Outcome, seconds: float = 0.0, **more: Any) -> None:
        """Log the outcome of a work unit; ``seconds`` is its duration, ``more`` anything that JSON can hold."""
        if outcome not in OUTCOMES:
            raise ValueError(f"outcome = {outcome!r} is not one of: {', '.join(OUTCOMES)}")
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = {**more, "time": now, "step": step, "unit": work_unit, "outcome": outcome, "seconds": round(seconds, 6)}
        self._append(json.dumps(plain(entry), sort_keys=True, ensure_ascii=False).encode() + b"\n")

    def _append(self, line: bytes) -> None:
        with self._lock, naming(self._path), open_to_append(self._path) as handle:
            handle.write(line)


def _last_byte(path: Path) -> bytes:
    if not path.exists():
        return b""
    with open_regular(path) as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
        return file.read(1)


def read_run_log(path: Path) -> list[dict[str, Any]]:
    """Return the entries of a run log in order, empty if there is none; the incomplete line of a killed run is
    skipped.
    """
    path = Path(path)
    entries: list[dict[str, Any]] = []
    for line in read_if_there(path, MOST_ARTEFACT_BYTES).split(b"\n"):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            entries.append(entry)
    return entries
