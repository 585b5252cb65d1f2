"""What an interrupted ``ossicle dataset export`` has written, so that the same command goes on where it was."""

import time
from collections.abc import Iterable
from pathlib import Path

from ossicle.artefacts.filesystem.changes import remove_file
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.many_files import sync_disk
from ossicle.core.digest import digest
from ossicle.core.errors import ArtefactError

NAME = "unfinished.jsonl"
"""The file in the folder of the export; it is removed at the end."""

_BEGUN = "export"
_SYNC_S = 20.0


class UnfinishedExport:
    """The recordings whose clips are on the disk. An export of something else does not go on.

    Parameters
    ----------
    out
        The folder of the export.
    made_from
        Everything that determines the files, as JSON values.
    """

    def __init__(self, folder: Path, made_from: object) -> None:
        self._file, self._made_from = Path(folder) / NAME, digest(made_from)
        self._waiting: list[str] = []
        self._synced = time.monotonic()
        self._journal: Journal | None = None
        self.recording_ids: frozenset[str] = frozenset()
        """The recordings whose clips need not be written again."""
        self.goes_on = self._begun_before()
        """Whether the same export was interrupted in this folder."""

    def _begun_before(self) -> bool:
        if not self._file.is_file():
            return False
        try:
            journal = Journal(self._file)
        except ArtefactError:
            return False
        begun = journal.done(_BEGUN)
        if begun is None or begun.get("made_from") != self._made_from:
            return False
        records = (journal.done(name) or {} for name in journal.work_units() if name != _BEGUN)
        self.recording_ids = frozenset(str(key) for record in records for key in record.get("recordings", ()))
        self._journal = journal
        return True

    def begin(self) -> None:
        """Start from the beginning."""
        remove_file(self._file)
        self.recording_ids = frozenset()
        self._journal = Journal(self._file)
        self._journal.mark(_BEGUN, made_from=self._made_from)

    def add(self, recording_ids: Iterable[str]) -> None:
        """Note recordings whose clips are written, and sync them to the disk from time to time."""
        self._waiting += recording_ids
        if time.monotonic() - self._synced > _SYNC_S:
            self.sync()

    def sync(self) -> None:
        """Sync everything to the disk, and then record the noted recordings."""
        sync_disk()
        self._synced = time.monotonic()
        if self._waiting and self._journal is not None:
            self._journal.mark(f"clips-{len(self._journal.work_units())}", recordings=self._waiting)
        self._waiting = []

    def end(self) -> None:
        """Forget everything: the export is complete."""
        remove_file(self._file)
