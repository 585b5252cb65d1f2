"""Which files a project needs on another machine, and the settings that name their copies there."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from ossicle.app.jobs.modal.orders import INPUTS, PROJECT, VOLUME
from ossicle.app.project.load import Project
from ossicle.app.project.scaffolding.toml_lines import quoted
from ossicle.app.project.settings import ProjectTable
from ossicle.app.project.tables.modal import ModalSettings
from ossicle.app.project.tables.placement import JobsSettings
from ossicle.artefacts.roots import VARIABLE
from ossicle.audio.encoders.settings import EncoderSettings
from ossicle.bundle.encoders.weights import find_weights
from ossicle.bundle.registry.settings import RegistrySettings
from ossicle.core.digest import digest
from ossicle.core.errors import UsageError
from ossicle.corpus.downloads.settings import FetchSettings
from ossicle.corpus.indexing.settings import CorpusSettings

_NOT_READ = (ProjectTable, FetchSettings, JobsSettings, ModalSettings)
"""Tables whose folders are for outputs and downloads, or name no files."""
_REGISTRY = "registry:"


@dataclass(frozen=True)
class Inputs:
    """Copies of a project's files in a volume.

    Parameters
    ----------
    copied
        Local files and folders by their place below the folder of the project in the volume.
    settings
        ``--set`` options that name the copies of files outside the project's folder.
    environment
        Variables that name the copies of the folders of roots.
    skipped
        Folders below the project's own that are not copied: its data root.
    present
        Local folders whose files are in the volume already, by their folder there.
    """

    copied: dict[str, Path]
    settings: tuple[str, ...]
    environment: dict[str, str]
    skipped: tuple[Path, ...]
    present: dict[str, Path] = field(default_factory=dict)

    def wanted(self, volume_folder: str, path: str) -> bool:
        """Return whether a file below a copied folder is copied."""
        if volume_folder != PROJECT:
            return True
        # Not below: a listing of annotations that is part of a digest has hidden files too.
        hidden = path.startswith((".", "__pycache__"))
        return not hidden and not any(
            (self.copied[PROJECT] / path).is_relative_to(skipped_folder) for skipped_folder in self.skipped
        )


class _Names:
    """Names in the volume for files that are not in the folder of the project; each path has one."""

    def __init__(self, home: str) -> None:
        self._home, self.places = home, dict[str, Path]()

    def there(self, path: Path, key: str) -> str:
        """Return where a file or folder will be in a container."""
        path = Path(os.path.realpath(path))
        plain = re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-") or "files"
        volume_path = f"{INPUTS}/{plain}-{digest(os.fsencode(path).hex())[:8]}"
        # Keep own names: a file's suffix says what it is, and models of equal names are told apart by their folders.
        if path.is_dir():
            volume_path = "/".join(part for part in (volume_path, path.parent.name, path.name) if part)
        self.places[volume_path] = path
        return f"{self._home}/{volume_path}" + (f"/{path.name}" if path.is_file() else "")


def inputs_of(project: Project, prefix: str, audio_prefix: str = "") -> Inputs:
    """Return the files that a project reads.

    Parameters
    ----------
    project
        The project.
    prefix
        The folder of the project in the volume.
    audio_prefix
        A folder in the volume that holds the recordings of ``corpus.audio`` already; empty if it is to be copied.

    Returns
    -------
    Inputs
        Its folder, without data root and hidden files, and what its settings name elsewhere.

    Raises
    ------
    UsageError
        A file of settings that the project starts from is outside its folder.
    """
    folder = Path(os.path.realpath(project.folder))
    _refuse_base(project, folder)
    names = _Names(f"{VOLUME}/{prefix}")
    changed: dict[tuple[str, ...], str] = {}
    leaves = [leaf for leaf in _texts(project.settings, ()) if not isinstance(leaf.table, _NOT_READ)]
    registry = any(text.startswith(_REGISTRY) for leaf in leaves for text in _as_texts(leaf.value))
    for leaf in leaves:
        key, value = leaf.key, leaf.value
        if isinstance(leaf.table, RegistrySettings) and not registry:
            continue
        if isinstance(leaf.table, CorpusSettings) and key[-1] == "audio" and audio_prefix:
            changed[key] = quoted(f"{VOLUME}/{audio_prefix}")
            continue
        outside = [_outside(project, folder, leaf.table, text) for text in _as_texts(value)]
        if any(outside):
            container_texts = [
                text if path is None else names.there(path, "-".join(key))
                for text, path in zip(_as_texts(value), outside, strict=True)
            ]
            text = ", ".join(map(quoted, container_texts))
            changed[key] = f"[{text}]" if isinstance(value, tuple) else text
    environment = {
        name: os.pathsep.join(
            names.there(Path(path_text), name.removeprefix(VARIABLE))
            for path_text in value.split(os.pathsep)
            if Path(path_text).is_dir()
        )
        for name, value in sorted(os.environ.items())
        if name.startswith(VARIABLE) and value
    }
    copied = {PROJECT: folder, **names.places}
    skipped = [Path(os.path.realpath(project.data_root)), folder / project.settings.project.data_root]
    present = {audio_prefix: project.audio_folder} if audio_prefix else {}
    skipped += [Path(os.path.realpath(folder)) for folder in present.values()]
    settings = tuple(f"{'.'.join(_bare(part) for part in key)}={value}" for key, value in changed.items())
    named = {name: value for name, value in environment.items() if value}
    return Inputs(copied, settings, named, tuple(skipped), present)


def _refuse_base(project: Project, folder: Path) -> None:
    for origin in project.origins.values():
        file = Path(origin.name)
        if file.suffix == ".toml" and file.is_absolute() and file.is_file() and not _below(file, folder):
            raise UsageError(
                f"{project.file} starts from {file}, which is not in its folder and would be missing on Modal; copy it "
                "next to the project file and correct `base`"
            )


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A setting that is a text or a list of texts: its keys, the table that it is in, and its value."""

    key: tuple[str, ...]
    table: object
    value: str | tuple[str, ...]


def _texts(value: Any, key: tuple[str, ...], table: object = None) -> Iterator[_Leaf]:
    """Yield every setting that is a text or a list of texts."""
    if is_dataclass(value) and not isinstance(value, type):
        for spec in fields(value):
            yield from _texts(getattr(value, spec.name), (*key, spec.name), value)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, (*key, str(name)), table)
    elif isinstance(value, str) or (
        isinstance(value, tuple) and value and all(isinstance(item, str) for item in value)
    ):
        yield _Leaf(key, table, value)


def _as_texts(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _outside(project: Project, folder: Path, table: object, value: str) -> Path | None:
    """Return the file or folder that a setting names outside the folder of the project; None for everything else."""
    if not value or "\0" in value:
        return None
    if isinstance(table, EncoderSettings):
        try:
            path = find_weights(value, project.folder)
        except UsageError:
            return None
    elif PurePosixPath(value).is_absolute() or PureWindowsPath(value).is_absolute() or ".." in Path(value).parts:
        path = project.folder / value
    else:
        return None
    try:
        exists = path.exists()
    except OSError:
        return None
    return path if exists and not _below(path, folder) else None


def _below(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(folder)


def _bare(part: str) -> str:
    return part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else quoted(part)
