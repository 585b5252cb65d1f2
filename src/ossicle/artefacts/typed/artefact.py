"""Common parts of the folders of all artefacts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from ossicle.artefacts.files import read_json
from ossicle.artefacts.shelf import MANIFEST

Value = TypeVar("Value")

WINDOWS = "windows.parquet"
"""Name of a table of windows, in a dataset for states and in a round of pseudo-labels."""


@dataclass(frozen=True)
class ArtefactFolder:
    """The folder of an artefact, finished or unfinished.

    A subclass names the files of one step in properties and reads them in cached ones, so a table is read once per
    object. Writers do not change what was read before: write to one object, and read through another.

    Parameters
    ----------
    path
        The folder; it may not exist yet.
    """

    path: Path

    step: ClassVar[str]
    """The name of the step that writes such a folder."""

    @classmethod
    def among(cls, artefacts: Mapping[str, Path]) -> Self:
        """Return the folder of this class's step.

        Parameters
        ----------
        artefacts
            Folders by step name, as a run gives them.

        Raises
        ------
        KeyError
            If the step is not among them.
        """
        return cls(artefacts[cls.step])

    @property
    def manifest_file(self) -> Path:
        """``artefact.json``, which a finished artefact has (:mod:`ossicle.artefacts.shelf`)."""
        return self.path / MANIFEST

    @property
    def content(self) -> str:
        """The content digest stated by the finished artefact."""
        return str(read_json(self.manifest_file)["content"])

    def once(self, read: Callable[[Self], Value]) -> Value:
        """Return ``read(self)`` and call it only the first time; for readers of higher packages."""
        known: dict[Any, Any] = self.__dict__.setdefault("_read", {})
        if read not in known:
            known[read] = read(self)
        value: Value = known[read]
        return value

    def __reduce__(self) -> tuple[type[Self], tuple[Path]]:
        """Send only the path to another process, not the tables that were read."""
        return type(self), (self.path,)
