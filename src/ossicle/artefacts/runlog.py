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
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.exists() and not self._path.read_bytes().endswith(b"\n") and self._path.stat().st_size:
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
        with self._lock, naming(self._path):
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                # The system may write only a part.
                while line:
                    line = line[os.write(handle, line) :]
            finally:
                os.close(handle)


def read_run_log(path: Path) -> list[dict[str, Any]]:
    """Return the entries of a run log in order, empty if there is none; the incomplete line of a killed run is
    skipped.
    """
    path = Path(path)
    entries: list[dict[str, Any]] = []
    for line in path.read_bytes().split(b"\n") if path.exists() else []:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            entries.append(entry)
    return entries
