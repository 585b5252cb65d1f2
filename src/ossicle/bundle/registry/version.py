"""One promoted version: a folder with a bundle, its card, figures, gates and environment, and checksums of all files.

    NAME/versions/0001/bundle/, card.md, gates.json, environment.json, metrics.json, checksums.json

A version is written complete or not at all and never changed. It may come from a stranger, so nothing is read before it
was compared with the checksums, and links are rejected.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ossicle.artefacts.files import file_digest, read_json, write_json, write_text
from ossicle.artefacts.filesystem.walking import walk
from ossicle.artefacts.typed.results.archived import ENVIRONMENT
from ossicle.artefacts.typed.results.published import BUNDLE, METRICS
from ossicle.core.errors import ArtefactError, BundleError, OssicleError

VERSION_CARD = "card.md"
GATES = "gates.json"

CHECKSUMS = "checksums.json"
_FORMAT = 1
_FOLDER = re.compile(r"[0-9]{4,9}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Version:
    """A promoted version of a name."""

    name: str
    number: int
    path: Path

    @property
    def bundle(self) -> Path:
        """The folder of the bundle."""
        return self.path / BUNDLE

    @property
    def card(self) -> Path:
        """The Markdown card of the promotion."""
        return self.path / VERSION_CARD

    @property
    def metrics(self) -> dict[str, Any]:
        """The figures of the run that was promoted."""
        return self._object(METRICS)

    @property
    def gates(self) -> dict[str, Any]:
        """What the gates compared, and what the ledger says of the promotion."""
        return self._object(GATES)

    @property
    def environment(self) -> dict[str, Any]:
        """Python, packages, processor and devices of the training and of the promotion."""
        return self._object(ENVIRONMENT)

    def verify(self) -> None:
        """Compare every file with its checksum.

        Raises
        ------
        BundleError
            A file was changed, added or lost, or is a link; the message names it and what to do.
        """
        stated = self._checksums()
        for relative_path, file in _files(self.path):
            if relative_path == CHECKSUMS:
                continue
            if relative_path not in stated:
                raise self._damaged(file, f"is not listed in {CHECKSUMS}")
            if file_digest(file) != stated.pop(relative_path):
                raise self._damaged(file, f"differs from its checksum in {CHECKSUMS}")
        for relative_path in stated:
            raise self._damaged(self.path / relative_path, "is missing")

    def _checksums(self) -> dict[str, str]:
        file = self.path / CHECKSUMS
        if file.is_symlink():
            raise self._damaged(file, "is a symbolic link")
        try:
            value = read_json(file)
        except ArtefactError as error:
            raise self._damaged(file, f"cannot be used ({error})") from None
        files = value.get("files") if isinstance(value, dict) and value.get("format") == _FORMAT else None
        if not isinstance(files, dict) or not all(_SHA256.fullmatch(str(value)) for value in files.values()):
            raise self._damaged(file, "is no list of checksums")
        return {str(relative_path): str(digest) for relative_path, digest in files.items()}

    def _damaged(self, file: Path, fault: str) -> BundleError:
        return BundleError(
            f"{file} {fault}: version {self.number} of {self.name} is damaged; restore it from a copy, or choose "
            f"another version with `ossicle registry rollback {self.name}`"
        )

    def _object(self, name: str) -> dict[str, Any]:
        content = read_json(self.path / name)
        if not isinstance(content, dict):
            raise ArtefactError(f"{self.path / name}: is no JSON object; restore it from a copy")
        return content


def write_checksums(folder: Path) -> None:
    """Write ``checksums.json``: the SHA-256 of every other file in ``folder``, by its path below it."""
    digests = {relative_path: file_digest(file) for relative_path, file in _files(folder) if relative_path != CHECKSUMS}
    write_json(folder / CHECKSUMS, {"format": _FORMAT, "files": digests})


def write_documents(folder: Path, card: str, documents: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the card and the JSON files of a version or of a refusal into ``folder``."""
    write_text(folder / VERSION_CARD, card)
    for name, value in documents.items():
        write_json(folder / name, value)


def version_folder(number: int) -> str:
    """Return the name of a version's folder.

    >>> version_folder(3)
    '0003'
    """
    return f"{number:04d}"


def numbers_in(folder: Path) -> list[int]:
    """Return the numbers of the versions or refusals in ``folder``, rising; none if it is missing."""
    if not folder.is_dir():
        return []
    return sorted(int(entry.name) for entry in folder.iterdir() if _FOLDER.fullmatch(entry.name) and entry.is_dir())


def damage_in_words(version: Version) -> str:
    """Return what is wrong with the files of a version; empty if they equal their checksums."""
    try:
        version.verify()
    except OssicleError as error:
        return str(error)
    return ""


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files below ``folder`` with their posix paths; raises BundleError for a link."""
    for base, _, names in walk(folder):
        for name in sorted(names):
            file = base / name
            if file.is_symlink():
                raise BundleError(f"{file} is a symbolic link: a version must contain its own files; remove it")
            yield file.relative_to(folder).as_posix(), file
