"""``ossicle fetch``: download the files of a table, several at a time, and skip those that are verified already.

This is not a step of the chain: it downloads the recordings themselves, which are next to the project and not in the
data root.
"""

import errno
import os
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import LOCK_WAIT_S, Progress
from ossicle.artefacts.fetching import Patience, Wanted, fetch_file, part_of
from ossicle.artefacts.filesystem.changes import make_folder
from ossicle.artefacts.filesystem.links import first_link, settled
from ossicle.artefacts.locks.lock import work_unit_lock
from ossicle.artefacts.logs.journal import Journal
from ossicle.core.errors import FetchError, UsageError
from ossicle.core.text.sizes import size_in_words
from ossicle.corpus.downloads.table import read_fetch_table

_JOURNAL = ".ossicle-fetch.jsonl"
_LOCK = "fetch"


@dataclass(frozen=True, slots=True)
class Fetched:
    """How many files were fetched (with their bytes) and reused, and (path, reason) of each file that failed."""

    folder: Path
    computed: int
    reused: int
    n_bytes: int
    failed: tuple[tuple[str, str], ...]


def fetch(project: Project, progress: Progress, *, verify: bool = False) -> Fetched:
    """Download the files that ``[fetch]`` names.

    Parameters
    ----------
    project
        The project with a ``[fetch]`` table.
    progress
        Where to report the files that are done.
    verify
        Whether to read existing files again, instead of trusting their recorded times.

    Returns
    -------
    Fetched
        What was fetched, reused, and failed.

    Raises
    ------
    UsageError
        ``[fetch]`` names no table.
    FormatError
        The table is malformed.
    OSError
        The disk has too little room.
    """
    settings = project.settings.fetch
    if not settings.table:
        raise UsageError(f"[fetch] table is empty in {project.file}: set it to the table of the files to fetch")
    files = read_fetch_table(project.folder / settings.table, settings)
    folder = _folder(project)
    make_folder(folder)
    with work_unit_lock(folder, _LOCK, LOCK_WAIT_S):
        journal = Journal(folder / _JOURNAL)
        present = [] if verify else [file for file in files if _is_known(file, folder, journal)]
        known = {file.path for file in present}
        todo = [file for file in files if file.path not in known]
        _require_room(todo, folder)
        patience = Patience(settings.timeout_s, settings.attempts)
        return _all(todo, len(present), folder, journal, patience, settings.connections, progress)


def is_fetched(project: Project) -> bool:
    """Return whether the journal lists every file as fetched; writes nothing."""
    settings = project.settings.fetch
    if not settings.table:
        return True
    folder = _folder(project)
    if not (folder / _JOURNAL).exists():
        return False
    journal = Journal(folder / _JOURNAL)
    return all(_is_known(file, folder, journal) for file in read_fetch_table(project.folder / settings.table, settings))


def _is_known(file: Wanted, folder: Path, journal: Journal) -> bool:
    record = journal.done(file.path)
    if record is None or record.get("sha256") != file.sha256:
        return False
    try:
        state = (folder / file.path).lstat()
    except OSError:
        return False
    return [state.st_size, state.st_mtime_ns] == [record.get("size"), record.get("mtime_ns")]


def _all(
    todo: Sequence[Wanted],
    reused: int,
    folder: Path,
    journal: Journal,
    patience: Patience,
    connections: int,
    progress: Progress,
) -> Fetched:
    total = sum(download.size for download in todo)
    stop, lock = threading.Event(), threading.Lock()
    came = done = 0

    def received(n: int) -> None:
        nonlocal came
        with lock:
            came += n
            progress.advance(done, len(todo), f"{size_in_words(came)} of {size_in_words(total)}")

    def one(file: Wanted) -> str:
        outcome = fetch_file(file, folder, patience, stop=stop, received=received)
        state = (folder / file.path).stat()
        journal.mark(file.path, sha256=file.sha256, size=state.st_size, mtime_ns=state.st_mtime_ns)
        return outcome

    outcomes: list[str] = []
    failed: dict[str, str] = {}
    with ThreadPoolExecutor(connections) as pool:
        running: dict[Future[str], Wanted] = {pool.submit(one, file): file for file in todo}
        try:
            for future in as_completed(running):
                file = running[future]
                try:
                    outcomes.append(future.result())
                except FetchError as problem:
                    failed[file.path] = str(problem).removeprefix(f"{file.path}: ")
                with lock:
                    done += 1
                    progress.advance(done, len(todo), f"{size_in_words(came)} of {size_in_words(total)}")
        except BaseException:
            # On Ctrl-C, SIGTERM or a full disk, downloads stop at their next block and keep what they have.
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    listed = tuple((file.path, failed[file.path]) for file in todo if file.path in failed)
    return Fetched(folder, outcomes.count("computed"), reused + outcomes.count("reused"), came, listed)


def _require_room(todo: Sequence[Wanted], folder: Path) -> None:
    """Raise OSError before the first byte if the files do not fit on the disk."""
    missing = 0
    for file in todo:
        part = part_of(file, folder)
        have = part.stat().st_size if part.exists() else 0
        missing += 0 if (folder / file.path).exists() else file.size - have
    if missing > (free := shutil.disk_usage(folder).free):
        shortage = f"{folder} ({size_in_words(missing)} needed, {size_in_words(free)} free)"
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), shortage)


def _folder(project: Project) -> Path:
    """Return the folder of the files; raises UsageError for a symbolic link between it and the project folder."""
    stated = Path(project.settings.fetch.folder)
    if stated.is_absolute():
        # Only the user who runs the project can name such a folder: see how the project file is loaded.
        return settled(stated)
    if (link := first_link(project.folder / stated)) is not None:
        raise UsageError(
            f"[fetch] folder: {link} is a symbolic link, so files would be written to its target; remove it, or "
            "set the folder in ossicle.local.toml"
        )
    return project.folder / stated
