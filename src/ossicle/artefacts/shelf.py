"""The shelf: finished artefacts by fingerprint, and the working folders of unfinished ones.

    root/<step>/<first 16 digits of the fingerprint>/artefact.json + the files of the step
    root/<step>/.work-<the same 16 digits>/

``artefact.json`` holds the fingerprint and the content digest and no paths, so the root can be moved. A working folder
remains when a step is interrupted: when started again, the step finds its work units there and continues.
"""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ossicle.artefacts.files import ARTEFACT, naming, publish_folder, read_json, sweep, tree_digest, write_json
from ossicle.artefacts.filesystem.changes import make_folder, remove_empty_folder, remove_folder
from ossicle.artefacts.fingerprint import Fingerprint
from ossicle.artefacts.locks.lock import forget_work_unit_locks
from ossicle.core.errors import ArtefactError

FORMAT_VERSION = 1
MANIFEST = ARTEFACT
JOURNAL = "journal.jsonl"
RUN_LOG = "run.jsonl"
# Files about the run and not the result: they differ between two runs of equal work.
NOT_CONTENT = (MANIFEST, JOURNAL, RUN_LOG, "logs")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_KEYS = frozenset({"format", "step", "version", "digest", "settings", "inputs", "versions", "content", "created"})


class Shelf:
    """The artefacts below one folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     shelf, made_from = Shelf(Path(folder)), Fingerprint("dataset", 1, {"seed": 1}, {})
    ...     work = shelf.begin(made_from)
    ...     _ = (work / "clips.txt").write_text("...")
    ...     shelf.commit(made_from) == shelf.find(made_from)
    True
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def find(self, made_from: Fingerprint) -> Path | None:
        """Return the finished artefact with this fingerprint, or None.

        A folder without ``artefact.json`` (an incomplete copy) or with another fingerprint does not count. Raises
        ArtefactError for a damaged ``artefact.json``. Contents are not read; :meth:`verify` does that.
        """
        artefact = self._artefact_path(made_from)
        if not (artefact / MANIFEST).is_file():
            return None
        return artefact if self.manifest(artefact)["digest"] == made_from.digest else None

    def begin(self, made_from: Fingerprint) -> Path:
        """Return the working folder of this fingerprint, with the files that an interrupted run left in it."""
        work = self.unfinished(made_from)
        make_folder(work)
        return work

    def unfinished(self, made_from: Fingerprint) -> Path:
        """Return the working folder of this fingerprint, if there is one; for reading only."""
        return self.root / made_from.step / f".work-{made_from.digest[:16]}"

    def commit(self, made_from: Fingerprint, content_exclude: Sequence[str] = (), *, replace: bool = False) -> Path:
        """Turn the working folder into the artefact, and return its path.

        The content digest leaves out :data:`NOT_CONTENT` and the files and folders in ``content_exclude``. If the
        artefact already exists (another process was faster) it is kept and the working folder removed, unless
        ``replace``.

        Raises
        ------
        ArtefactError
            If there is no working folder, or another artefact has the path.
        """
        artefact, work = self._artefact_path(made_from), self.unfinished(made_from)
        if not replace and self.find(made_from) is not None:
            with suppress(OSError):
                remove_folder(work)
            return artefact
        if (artefact / MANIFEST).exists() and self.find(made_from) is None:
            raise ArtefactError(
                f"{artefact} contains another artefact than its name says; remove it and run the step again"
            )
        if not work.is_dir():
            raise ArtefactError(f"{work} is missing: nothing was begun for this {made_from.step}; run the step again")
        sweep(work)
        content = tree_digest(work, (*NOT_CONTENT, *content_exclude))
        write_json(
            work / MANIFEST,
            {
                "format": FORMAT_VERSION,
                **made_from.as_dict(),
                "digest": made_from.digest,
                "content": content,
                "content_exclude": sorted(content_exclude),
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
            },
        )
        with naming(artefact):
            publish_folder(work, artefact)
        # Not earlier: a new lock file in place of a held one could be locked by a second process.
        forget_work_unit_locks(artefact)
        return artefact

    def leave(self, made_from: Fingerprint) -> None:
        """Remove the working folder if it contains only locks: it was created when the artefact already existed."""
        work = self.unfinished(made_from)
        forget_work_unit_locks(work)
        with suppress(OSError):
            remove_empty_folder(work)

    def content(self, path: Path) -> str:
        """Return the content digest of a finished artefact from its ``artefact.json``; an input of later steps."""
        return str(self.manifest(path)["content"])

    def manifest(self, path: Path) -> dict[str, Any]:
        """Return the checked ``artefact.json`` of a finished artefact; raises ArtefactError if it is missing or
        damaged.
        """
        file = Path(path) / MANIFEST
        value = read_json(file)
        remedy = f"remove {os.fspath(path)} and run its step again"
        if not isinstance(value, dict) or not value.keys() >= _KEYS:
            absent = sorted(_KEYS - value.keys()) if isinstance(value, dict) else sorted(_KEYS)
            raise ArtefactError(f"{file} lacks {', '.join(absent)}; {remedy}")
        if value["format"] != FORMAT_VERSION:
            raise ArtefactError(f"{file}: format {value['format']!r} is not {FORMAT_VERSION}; {remedy}")
        try:
            described = Fingerprint(*(value[key] for key in ("step", "version", "settings", "inputs", "versions")))
        except (TypeError, ValueError) as err:
            raise ArtefactError(f"{file}: {err}; {remedy}") from err
        if value["digest"] != described.digest:
            raise ArtefactError(f"{file}: `digest` does not match its settings and inputs; {remedy}")
        if not _DIGEST.fullmatch(str(value["content"])):
            raise ArtefactError(f"{file}: `content` is not a digest; {remedy}")
        return value

    def verify(self, path: Path) -> None:
        """Read a finished artefact's files; raises ArtefactError if they differ from the committed ones."""
        manifest = self.manifest(path)
        if tree_digest(Path(path), (*NOT_CONTENT, *manifest.get("content_exclude", ()))) != manifest["content"]:
            raise ArtefactError(
                f"{path}: files were changed, added or lost since it was made; remove it and run its step again"
            )

    def _artefact_path(self, made_from: Fingerprint) -> Path:
        return self.root / made_from.step / made_from.digest[:16]
