"""Roots: the folders in which the recordings of a root name are, and the only place that joins the two.

A recording holds the name of its root and a path below it, never a folder of a machine. Where the folders of a root are
is settled on each machine, and several folders of one root are searched in order: the first that holds the file wins.
"""

import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Protocol

from ossicle.core.errors import ArtefactError, UsageError

VARIABLE = "OSSICLE_ROOT_"
"""Beginning of the names of environment variables that hold folders of a root, separated as in ``PATH``."""
_MEMORY = 1 << 16


class _Located(Protocol):
    @property
    def root(self) -> str: ...

    @property
    def path(self) -> str: ...


class Roots:
    """The folders of each root, in the order in which they are searched.

    Parameters
    ----------
    named
        Folders by the name of the root.
    default
        Folders that are searched last, for every root.
    variables
        Folders by the name of a root as :func:`variable_name` writes it; they are searched first.

    Examples
    --------
    >>> Roots({"slakh": [Path("a")]}, [Path("b")]).folders("slakh") == (Path("a"), Path("b"))
    True
    """

    def __init__(
        self,
        named: Mapping[str, Sequence[Path]] | None = None,
        default: Sequence[Path] = (),
        variables: Mapping[str, Sequence[Path]] | None = None,
    ) -> None:
        self._named = {name: tuple(folders) for name, folders in (named or {}).items()}
        self._default = tuple(default)
        self._variables = {name: tuple(folders) for name, folders in (variables or {}).items()}
        self._find = lru_cache(maxsize=_MEMORY)(self._search)

    def __reduce__(self) -> tuple[type["Roots"], tuple[object, ...]]:
        """Send the folders to another process, without what was found in them."""
        return type(self), (self._named, self._default, self._variables)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of roots that were named with folders of their own, sorted."""
        return tuple(sorted(self._named))

    def folders(self, root: str) -> tuple[Path, ...]:
        """Return the folders of a root in the order in which they are searched, each once."""
        named_folders = (*self._variables.get(variable_name(root), ()), *self._named.get(root, ()))
        return tuple(dict.fromkeys((*named_folders, *self._default)))

    def all_folders(self) -> dict[str, tuple[Path, ...]]:
        """Return all folders by the name of their root as :func:`variable_name` writes it; "" has the default ones."""
        folders_by_root = dict(self._variables)
        for name, folders in self._named.items():
            key = variable_name(name)
            folders_by_root[key] = tuple(dict.fromkeys((*folders_by_root.get(key, ()), *folders)))
        return {"": self._default, **dict(sorted(folders_by_root.items()))}

    def find(self, root: str, path: str) -> Path | None:
        """Return the file of a recording.

        Parameters
        ----------
        root
            Name of the root.
        path
            Path of the recording below it. Where it does not exist, the same path with slashes in place of
            backslashes, and in other Unicode forms, is searched too.

        Returns
        -------
        Path or None
            The first regular file; None if there is none, or the path leads out of the root.
        """
        return self._find(root, path)

    def file(self, recording: _Located) -> Path:
        """Return the file of a recording, as :meth:`place` does."""
        return self.place(recording.root, recording.path)

    def place(self, root: str, path: str) -> Path:
        """Return the file of a recording, or where it should be: opening it then reports the missing file.

        Parameters
        ----------
        root, path
            Name of the root, and path of the recording below it.

        Raises
        ------
        UsageError
            The root has no folders on this machine.
        ArtefactError
            The path leads out of the root.
        """
        existing = self.find(root, path)
        if existing is not None:
            return existing
        if not is_below(path):
            raise ArtefactError(f"{path!r} leads out of its root {root!r}; index the corpus again")
        folders = self.folders(root)
        if not folders:
            raise UsageError(f"the root {root!r} has no folder on this machine; {how_to_name(root)}")
        return folders[0] / path

    def holds(self, root: str, path: str) -> bool:
        """Return whether a recording has a file; not remembered, for callers that keep their own record."""
        return self._search(root, path) is not None

    def _search(self, root: str, path: str) -> Path | None:
        if not is_below(path):
            return None
        folders = self.folders(root)
        for form in _forms(path):
            for folder in folders:
                candidate = os.path.join(folder, form)
                if os.path.isfile(candidate):
                    return Path(candidate)
        return None


def is_below(path: str) -> bool:
    r"""Return whether a path stays below the folder that it is joined to, on any system.

    A letter and a colon before a name (``c:b.wav``) lead out on Windows alone; elsewhere files may be called so.

    >>> is_below("a/b.wav"), is_below("../b.wav"), is_below("/b.wav"), is_below("a\\..\\b.wav"), is_below("c:\\b.wav")
    (True, False, False, False, False)
    """
    windows = PureWindowsPath(path)
    leads_to_drive = os.name == "nt" and windows.drive
    outside = PurePosixPath(path).is_absolute() or leads_to_drive or windows.root or ".." in windows.parts
    return not outside and "\0" not in path and bool(windows.name)


def _forms(path: str) -> Iterable[str]:
    if path.isascii() and "\\" not in path:
        return (path,)
    slashes = path.replace("\\", "/")
    return dict.fromkeys((path, slashes, unicodedata.normalize("NFC", slashes), unicodedata.normalize("NFD", slashes)))


def variable_name(root: str) -> str:
    """Return the part of an environment variable's name that stands for a root.

    >>> variable_name("e-gmd.v1")
    'E_GMD_V1'
    """
    return re.sub(r"[^0-9A-Z]", "_", root.upper())


def roots_of_environment(environment: Mapping[str, str]) -> dict[str, tuple[Path, ...]]:
    """Return the folders of the variables ``OSSICLE_ROOT_NAME`` by their names without :data:`VARIABLE`.

    >>> roots_of_environment({"OSSICLE_ROOT_SLAKH": "slakh", "HOME": "ann"}) == {"SLAKH": (Path("slakh"),)}
    True
    """
    return {
        name.removeprefix(VARIABLE).upper(): tuple(Path(folder) for folder in value.split(os.pathsep) if folder)
        for name, value in environment.items()
        if name.startswith(VARIABLE) and value
    }


def parse_root_map(arguments: Iterable[str], option: str) -> dict[str, tuple[Path, ...]]:
    """Return the folders by source of arguments ``SOURCE=PATH``; a source that is given again gets another folder.

    Raises
    ------
    UsageError
        An argument without ``=``, without a source or without a path.
    """
    folders_by_source: dict[str, tuple[Path, ...]] = {}
    for word in arguments:
        source, equals, folder = word.partition("=")
        if not equals or not source.strip() or not folder.strip():
            raise UsageError(f"{option} {word!r} is not SOURCE=PATH; write for example {option} slakh=recordings/slakh")
        folders_by_source[source.strip()] = (*folders_by_source.get(source.strip(), ()), Path(folder).expanduser())
    return folders_by_source


def how_to_name(root: str) -> str:
    """Return how a user names the folder of a root, for messages."""
    return (
        f"name it with `[roots] {root} = [...]` in the project file or in ossicle.local.toml, or in the environment "
        f"variable {VARIABLE}{variable_name(root)}"
    )
