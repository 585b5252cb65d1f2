"""Records of what arrived at a place: size, times and SHA-256 of each file, as JSON lines.

Each batch adds a file of its own, so that two transfers to one place never change the same file: a Modal volume has no
locks. A record only saves work. A missing or damaged one means that its file is read again.
"""

import json
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ossicle.app.remote.place import FileState

_SECOND_NS = 1_000_000_000
_DIGEST_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Record:
    """A file that arrived: its size (bytes), its time at the source and at the place (ns), and its SHA-256."""

    size: int
    source_ns: int
    place_ns: int
    sha256: str

    def fits_source(self, state: FileState) -> bool:
        """Return whether the source still has the recorded size and time."""
        return (self.size, self.source_ns) == (state.size, state.mtime_ns)

    def fits_place(self, state: FileState, *, keeps_times: bool) -> bool:
        """Return whether the copy still has the recorded size and time, as far as its system keeps times.

        Some keep whole seconds, and FAT even ones.
        """
        even = state.mtime_ns % (2 * _SECOND_NS) == 0 and abs(self.place_ns - state.mtime_ns) < 2 * _SECOND_NS
        same_time = even or self.place_ns // _SECOND_NS == state.mtime_ns // _SECOND_NS
        return self.size == state.size and (same_time or not keeps_times)


def record_lines(records: Mapping[str, Record]) -> bytes:
    """Return records as JSON lines.

    Parameters
    ----------
    records
        By path.

    Returns
    -------
    bytes
        One line for each, in the order of the paths.

    Examples
    --------
    >>> read_records(record_lines({"a": Record(1, 2, 3, "0" * 64)}))["a"].source_ns
    2
    """
    lines = (
        json.dumps(
            {
                "path": path,
                "size": record.size,
                "time": record.source_ns,
                "there": record.place_ns,
                "sha256": record.sha256,
            }
        )
        for path, record in sorted(records.items())
    )
    return "".join(f"{line}\n" for line in lines).encode()


def read_records(data: bytes) -> dict[str, Record]:
    """Return the latest record of each path.

    Parameters
    ----------
    data
        JSON lines, the oldest first; damaged lines are skipped.

    Returns
    -------
    dict[str, Record]
        By path.
    """
    return dict(_entries(data.splitlines()))


def _entries(lines: Iterable[bytes]) -> Iterable[tuple[str, Record]]:
    for line in lines:
        try:
            value = json.loads(line)
            path, sha256 = value["path"], value["sha256"]
            numbers = [value[key] for key in ("size", "time", "there")]
        except (ValueError, TypeError, KeyError, RecursionError):
            continue
        whole = all(type(number) is int for number in numbers) and isinstance(path, str)
        if whole and isinstance(sha256, str) and len(sha256) == _DIGEST_LENGTH:
            yield path, Record(numbers[0], numbers[1], numbers[2], sha256)


def next_name() -> str:
    """Return a new name for a file of records; later names sort behind earlier ones.

    Returns
    -------
    str
        Milliseconds since 1970 and random digits.
    """
    return f"{time.time_ns() // 1_000_000:016}-{uuid.uuid4().hex[:8]}.jsonl"
