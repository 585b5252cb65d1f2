"""Copy what is new or changed from one place to another, in batches, and record what arrived.

A file counts as done only if a record says so and its size and time are the recorded ones, or if the bytes on both
sides have the same SHA-256. Every batch is recorded when it has arrived. So an interrupted transfer, started again,
copies at most one batch a second time. Nothing is ever deleted at the target.
"""

import errno
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ossicle.app.remote.comparison import batches, compare
from ossicle.app.remote.folder_place import FolderPlace
from ossicle.app.remote.local_reading import local_digests, local_state
from ossicle.app.remote.place import FileState, Listing, Moved, Place, is_safe
from ossicle.app.remote.records import Record, next_name, read_records, record_lines
from ossicle.app.steps.engine.step import Progress
from ossicle.artefacts.locks.lock import work_unit_lock
from ossicle.core.errors import FetchError, UsageError
from ossicle.core.text.counting import counted
from ossicle.core.text.printable import printable_line
from ossicle.core.text.sizes import size_in_words

_ROUNDS = 3
_LOCK = "pull"
_LOCK_WAIT_S = 5.0
_PERMANENT = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})

Move = Callable[[Mapping[str, FileState]], Moved]


@dataclass(frozen=True, slots=True)
class TransferOptions:
    """How to transfer.

    Parameters
    ----------
    verify
        Read every file on both sides again, and copy those that differ.
    dry_run
        Copy and record nothing.
    attempts
        How often a batch is tried.
    pause_s
        Pause before the second attempt, in seconds; it doubles each time.
    is_wanted
        Returns whether a path is transferred at all.
    """

    verify: bool = False
    dry_run: bool = False
    attempts: int = 3
    pause_s: float = 2.0
    is_wanted: Callable[[str], bool] = lambda path: True


@dataclass(slots=True)
class Transferred:
    """What a transfer did: paths copied with their bytes, unchanged paths, and why others are left out."""

    sent: dict[str, int] = field(default_factory=dict)
    unchanged: int = 0
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def n_bytes(self) -> int:
        """Return the bytes of the copied files."""
        return sum(self.sent.values())


def push(folder: Path, place: Place, progress: Progress, options: TransferOptions = TransferOptions()) -> Transferred:
    """Copy the files of a local folder to a place.

    Parameters
    ----------
    folder
        The folder.
    place
        Where to copy.
    progress
        Where to report the files that are done.
    options
        How to transfer.

    Returns
    -------
    Transferred
        What was copied and what was left out.

    Raises
    ------
    UsageError
        The folder or the place cannot be used.
    FetchError
        A batch failed in all attempts; everything before it is recorded.
    OSError
        The disk is full or does not work.
    """
    tidy = place.remove_leftovers if isinstance(place, FolderPlace) else _remove_nothing
    ends = _Ends(
        FolderPlace(folder), place, folder, lambda files: place.send(folder, files), tidy, target_is_here=False
    )
    return _Transfer(ends, progress, options).run()


def pull(place: Place, folder: Path, progress: Progress, options: TransferOptions = TransferOptions()) -> Transferred:
    """Copy the files of a place to a local folder.

    Parameters
    ----------
    place
        Where the files are.
    folder
        The folder.
    progress
        Where to report the files that are done.
    options
        How to transfer.

    Returns
    -------
    Transferred
        What was copied and what was left out.

    Raises
    ------
    UsageError
        The folder or the place cannot be used.
    LockedError
        Another process copies to the same folder.
    FetchError
        A batch failed in all attempts; everything before it is recorded.
    OSError
        The disk is full or does not work.
    """
    target = FolderPlace(folder)
    tidy = target.remove_leftovers
    ends = _Ends(place, target, folder, lambda files: place.bring(folder, files), tidy, target_is_here=True)
    transfer = _Transfer(ends, progress, options)
    # Before the lock, which makes the folder.
    transfer.look()
    if options.dry_run:
        return transfer.run()
    with work_unit_lock(folder, _LOCK, _LOCK_WAIT_S):
        return transfer.run()


@dataclass(frozen=True, slots=True)
class _Ends:
    """Source and target, of which one is the local ``folder``, what copies a batch, and what removes old leftovers."""

    source: Place
    target: Place
    folder: Path
    move: Move
    tidy: Callable[[], None]
    target_is_here: bool


def _remove_nothing() -> None:
    """Remove nothing: the place does so itself."""


class _Transfer:
    def __init__(self, ends: _Ends, progress: Progress, options: TransferOptions) -> None:
        self._ends, self._progress, self._options = ends, progress, options
        self._records: dict[str, Record] = {}
        self._source: Listing | None = None
        self._target = Listing()
        self._done = Transferred()
        self._refused: dict[str, str] = {}
        self._count = self._total = 0
        self._bytes_done = self._bytes_total = 0

    def run(self) -> Transferred:
        """Transfer; files that change meanwhile are listed and tried again, a few times."""
        listing = self.look()
        self._target = self._ends.target.listing()
        if not self._options.dry_run:
            self._ends.tidy()
        self._records = read_records(self._ends.target.records())
        self._done.left_out.update(listing.left_out)
        for number in range(_ROUNDS):
            changed = self._round(listing)
            if not changed:
                break
            if number + 1 < _ROUNDS:
                fresh = self._listing()
                listing = Listing({path: fresh.files[path] for path in changed if path in fresh.files})
                self._done.left_out.update({path: "is gone" for path in changed if path not in fresh.files})
            else:
                self._done.left_out.update(dict.fromkeys(changed, "changes while it is copied; copy it later"))
        if self._refused and not self._done.sent:
            path, reason = next(iter(self._refused.items()))
            raise FetchError(
                f"nothing could be written to the target, {counted(len(self._refused), 'file')} failed (first: "
                f"{printable_line(path)}: {reason}); make the target writable and run the same command again"
            )
        return self._done

    def look(self) -> Listing:
        """List the source, once; raises UsageError if it does not exist."""
        if self._source is None:
            self._source = self._listing()
        return self._source

    def _listing(self) -> Listing:
        listing = self._ends.source.listing()
        if not listing.exists:
            raise UsageError("the folder to copy from does not exist; list what there is: ossicle remote ls PLACE")
        is_wanted = self._options.is_wanted
        chosen = {path: state for path, state in listing.files.items() if is_wanted(path)}
        left_out = {path: reason for path, reason in listing.left_out.items() if is_wanted(path)}
        unsafe = {path: "has a name that leads out of the folder" for path in chosen if not is_safe(path)}
        files = {path: state for path, state in chosen.items() if path not in unsafe}
        return Listing(files, {**left_out, **unsafe})

    def _round(self, listing: Listing) -> list[str]:
        """Copy what differs; return the paths of the files that changed meanwhile."""
        keeps = self._ends.target.keeps_times
        todo = compare(listing, self._target, self._records, keeps_times=keeps, verify=self._options.verify)
        self._done.unchanged += len(todo.unchanged)
        self._done.left_out.update(todo.blocked)
        self._total += len(todo.send) + len(todo.read)
        self._bytes_total += sum(listing.files[path].size for path in (*todo.send, *todo.read))
        send = list(todo.send)
        for batch in batches(todo.read, listing.files):
            send += self._read(batch)
        if self._options.dry_run:
            self._done.sent.update({path: listing.files[path].size for path in send})
            return []
        changed: list[str] = []
        for batch in batches(sorted(send), listing.files):
            changed += self._send(batch)
        return changed

    def _read(self, batch: Mapping[str, FileState]) -> list[str]:
        """Compare the bytes of files on both sides; return the paths that have to be copied."""
        verify, keeps = self._options.verify, self._ends.target.keeps_times
        ours: dict[str, str] = {}
        target_digests: dict[str, str] = {}
        for path, state in batch.items():
            record = self._records.get(path)
            if record is None or verify:
                continue
            if record.fits_source(state):
                ours[path] = record.sha256
            if record.fits_place(self._target.files[path], keeps_times=keeps):
                target_digests[path] = record.sha256
        ours |= self._ends.source.digests([path for path in batch if path not in ours])
        target_digests |= self._ends.target.digests([path for path in batch if path not in target_digests])
        same = {path for path in batch if path in ours and ours[path] == target_digests.get(path)}
        self._record(
            {
                path: Record(batch[path].size, batch[path].mtime_ns, self._target.files[path].mtime_ns, ours[path])
                for path in same
            }
        )
        self._done.unchanged += len(same)
        self._advance(batch, same)
        return [
            path for path in batch if path not in same and not self._is_damaged(path, batch[path], ours, target_digests)
        ]

    def _is_damaged(
        self, path: str, state: FileState, ours: Mapping[str, str], target_digests: Mapping[str, str]
    ) -> bool:
        """Return whether the source lost its recorded bytes while the copy kept them: then nothing is copied."""
        record = self._records.get(path)
        if record is None or not record.fits_source(state) or path not in ours:
            return False
        if ours[path] == record.sha256 or target_digests.get(path) != record.sha256:
            return False
        self._done.left_out[path] = (
            "has other bytes than when it was copied, but the same size and time, so it may be damaged; the copy is "
            "as recorded; remove this file to copy it back, or change its time to copy it again"
        )
        return True

    def _send(self, batch: Mapping[str, FileState]) -> list[str]:
        """Copy a batch and record it; return the paths of the files that changed meanwhile."""
        moved = self._attempts(batch)
        arrived: dict[str, Record] = {}
        changed: list[str] = []
        for path, state in batch.items():
            if path in moved.failed:
                self._done.left_out[path] = moved.failed[path]
                if path in moved.refused:
                    self._refused[path] = moved.failed[path]
            elif path in moved.digests and (there_ns := self._there_ns(path, state, moved.digests[path])) is not None:
                arrived[path] = Record(state.size, state.mtime_ns, there_ns, moved.digests[path])
                self._done.sent[path] = state.size
            else:
                changed.append(path)
        self._record(arrived)
        self._advance(batch, batch.keys() - set(changed))
        return changed

    def _there_ns(self, path: str, state: FileState, sha256: str) -> int | None:
        """Return the time of a copy; None if the local file changed meanwhile."""
        file_state = local_state(self._ends.folder, path)
        if file_state is None or file_state.size != state.size:
            return None
        if file_state.mtime_ns == state.mtime_ns:
            return state.mtime_ns
        # FAT keeps even seconds, and no time before 1980. So a copy here with another time is judged by its bytes.
        pulled = self._ends.target_is_here and local_digests(self._ends.folder, [path]).get(path) == sha256
        return file_state.mtime_ns if pulled else None

    def _attempts(self, batch: Mapping[str, FileState]) -> Moved:
        pause_s = self._options.pause_s
        for attempt in range(1, self._options.attempts + 1):
            try:
                return self._ends.move(batch)
            except (FetchError, OSError) as problem:
                if isinstance(problem, OSError) and problem.errno in _PERMANENT:
                    raise
                if attempt == self._options.attempts:
                    raise FetchError(
                        f"a batch of {len(batch)} files failed {attempt} times: {problem}; what arrived before it is "
                        "recorded; run the same command again to continue"
                    ) from problem
                self._progress.say(f"{problem}; attempt {attempt + 1} of {self._options.attempts} in {pause_s:g} s")
                time.sleep(pause_s)
                pause_s *= 2
        raise ValueError("attempts must be at least 1")

    def _record(self, arrived: Mapping[str, Record]) -> None:
        new = {path: record for path, record in arrived.items() if self._records.get(path) != record}
        if new and not self._options.dry_run:
            self._ends.target.add_record(next_name(), record_lines(new))
        self._records.update(new)

    def _advance(self, batch: Mapping[str, FileState], paths: set[str]) -> None:
        self._count += len(paths)
        self._bytes_done += sum(batch[path].size for path in paths)
        note = f"{size_in_words(self._bytes_done)} of {size_in_words(self._bytes_total)}"
        self._progress.advance(self._count, self._total, note)
