"""The files that commands wrote to a folder of the user, with their digests: no other file there is overwritten.

A folder for results may hold files of the user under the names of results: annotations made by hand, or a table that
was corrected after it was written. A journal in the folder notes the SHA-256 of each file before the file gets its
name. So a file is known by its content, also after a command that was killed at any time. Several calls may write to
one folder at a time: each holds the lock of the journal while a file gets its note and its name.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ossicle.artefacts.files import file_digest, whole_file
from ossicle.artefacts.filesystem.changes import move, remove_file
from ossicle.artefacts.locks.lock import file_lock
from ossicle.artefacts.logs.journal import Journal
from ossicle.core.errors import ArtefactError, UsageError

NOTES = ".ossicle.files.jsonl"
"""The usual name of the notes."""
BACKUP = ".bak"
"""The ending of a file that was changed after it was written, and was kept when it was replaced."""
# Longer than one file takes to reach its disk.
_WAIT_S = 600.0


class NotedFiles:
    """The files of one folder that are noted as written.

    Parameters
    ----------
    folder
        The folder; nothing is made before the first file is written.
    notes
        Name of the journal in it.
    on_backup
        Called with a file and its copy if the file was changed after it was written, and is about to be replaced.

    Raises
    ------
    ArtefactError
        The notes are damaged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     files = NotedFiles(Path(place), "notes.jsonl")
    ...     with files.writing(Path(place) / "a.csv") as part:
    ...         _ = part.write_text("written")
    ...     _ = (Path(place) / "b.csv").write_text("by hand")
    ...     files.others(["a.csv", "b.csv"]), files.changed(["a.csv"])
    (['b.csv'], [])
    """

    def __init__(
        self, folder: Path, notes: str = NOTES, on_backup: Callable[[Path, Path], None] = lambda file, copy: None
    ) -> None:
        self._folder, self._file, self._on_backup = Path(folder), Path(folder) / notes, on_backup
        self._notes: Journal | None = None
        if os.path.lexists(self._file):
            self._read_notes()

    def others(self, names: Iterable[str]) -> list[str]:
        """Return those of ``names``, paths below the folder, that exist and were never noted."""
        return [name for name in names if not self._known(name) and os.path.lexists(self._folder / name)]

    def present(self) -> list[str]:
        """Return the noted files that exist, as paths below the folder."""
        names = self._notes.work_units() if self._notes is not None else ()
        return [name for name in names if os.path.lexists(self._folder / name)]

    def changed(self, names: Iterable[str]) -> list[str]:
        """Return those of ``names`` that are noted and whose content was changed afterwards."""
        return [name for name in names if self._known(name) and not self._is_as_written(name)]

    def refuse(self, names: Iterable[str], option: str = "-o") -> None:
        """Check that no file of the user would be overwritten; nothing is written.

        Parameters
        ----------
        names
            The files that a command is about to write, as paths below the folder.
        option
            The option that names the folder, for the message.

        Raises
        ------
        UsageError
            One of them exists, and is not noted or was changed after it was written.
        """
        every = list(names)
        if (self.others(every) or self.changed(every)) and os.path.lexists(self._file):
            with self._latest_notes():
                self._refuse(every, option)
        else:
            self._refuse(every, option)

    def _refuse(self, every: Sequence[str], option: str) -> None:
        for found, how in (
            (self.others(every), "no earlier command noted that it wrote it"),
            (self.changed(every), "it was changed after it was written"),
        ):
            if found:
                more = f" and {len(found) - 1} more" if len(found) > 1 else ""
                raise UsageError(
                    f"{self._folder / found[0]}{more} would be overwritten, and {how}; give another folder with "
                    f"{option}, or move what is there"
                )

    @contextmanager
    def writing(self, path: Path) -> Iterator[Path]:
        """Give a name beside ``path`` to write to; it replaces ``path`` when the block ends normally.

        A file that was not written under these notes, or was changed afterwards, is renamed to a copy first.
        """
        name = path.relative_to(self._folder).as_posix()
        with ExitStack() as held, whole_file(path) as part:
            yield part
            written = file_digest(part)
            # Until the file has its name.
            notes = held.enter_context(self._latest_notes())
            self._set_aside(name, also=written)
            present = [file_digest(path)] if path.is_file() else []
            if not {written, *present} <= self._known(name):
                # The earlier content counts too: it is there until the new one gets its name.
                notes.mark(name, sha256=sorted({written, *present}))

    def remove(self, name: str) -> None:
        """Remove a file; one that was changed after it was written is renamed to a copy."""
        if self._known(name):
            with self._latest_notes():
                self._set_aside(name)
                remove_file(self._folder / name)

    @contextmanager
    def _latest_notes(self) -> Iterator[Journal]:
        """Hold the lock of the notes, with what other calls noted meanwhile."""
        with file_lock(self._file, _WAIT_S):
            yield self._read_notes()

    def _read_notes(self) -> Journal:
        try:
            if self._notes is None:
                self._notes = Journal(self._file)
            else:
                self._notes.reread()
        except ArtefactError:
            raise ArtefactError(
                f"{self._file} is damaged, and says which files there were written by a command; remove it (then all "
                "of them count as yours and are not overwritten), or give another folder"
            ) from None
        return self._notes

    def _known(self, name: str) -> set[str]:
        digests = ((self._notes and self._notes.done(name)) or {}).get("sha256")
        return set(digests) if isinstance(digests, list) else set()

    def _is_as_written(self, name: str) -> bool:
        path = self._folder / name
        return not os.path.lexists(path) or (path.is_file() and file_digest(path) in self._known(name))

    def _set_aside(self, name: str, also: str = "") -> None:
        path = self._folder / name
        if not path.is_file() or file_digest(path) in {*self._known(name), also}:
            return
        number, copy = 1, path.with_name(f"{path.name}{BACKUP}")
        while os.path.lexists(copy):
            number += 1
            copy = path.with_name(f"{path.name}{BACKUP}{number}")
        move(path, copy)
        self._on_backup(path, copy)
