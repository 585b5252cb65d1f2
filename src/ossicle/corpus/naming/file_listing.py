"""List the audio and annotation files below a folder in a fixed order.

Hidden files and folders (names that begin with a dot) are skipped, for example macOS' ``._x.wav``, which contain no
audio. Links to files and folders are followed. A folder that can be reached in several ways is listed once, first under
its own name: folders that link to each other would otherwise have more paths than anybody can list. What cannot be
opened costs only itself.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Listing:
    """Posix paths below a folder, sorted: the files, and the folders that cannot be opened with the reasons.

    A link that leads nowhere or to itself is a file: whoever opens it says what is wrong with it.
    """

    files: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...] = ()


def listing_below(folder: Path, suffixes: Collection[str]) -> Listing:
    """List the files below ``folder`` whose suffix, in any case, is one of ``suffixes``.

    Raises
    ------
    OSError
        ``folder`` itself cannot be opened.
    """
    return _listing_of(folder, suffixes, strict=False)


def files_below(folder: Path, suffixes: Collection[str]) -> list[str]:
    """Return the files of :func:`listing_below`, where nothing may be missing.

    Raises
    ------
    OSError
        ``folder``, or a folder in it, cannot be opened.
    """
    return list(_listing_of(folder, suffixes, strict=True).files)


def shown(path: str) -> str:
    r"""Return a path as text that can be written: bytes that are not UTF-8 are escaped, other paths stay unchanged.

    >>> print(shown(os.fsdecode(bytes([98, 255]))))
    b\xff
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _listing_of(folder: Path, suffixes: Collection[str], *, strict: bool) -> Listing:
    files: list[str] = []
    unreadable: dict[str, str] = {}
    identities = {_identity(folder)}
    folders, links = [""], list[str]()
    while folders or links:
        # All folders by their own names before the first behind a link, whatever the order on the disk.
        links.sort(reverse=True)
        below = folders.pop() if folders else links.pop()
        try:
            if below and (identity := _identity(folder / below)) in identities:
                continue
            if below:
                identities.add(identity)
            _add_entries(folder, below, suffixes, files, folders, links)
        except OSError as problem:
            if strict or not below:
                raise
            unreadable[below] = problem.strerror or str(problem)
    return Listing(tuple(sorted(files)), tuple(sorted(unreadable.items())))


def _add_entries(
    folder: Path, below: str, suffixes: Collection[str], files: list[str], folders: list[str], links: list[str]
) -> None:
    """Add the files, folders and links to folders directly in a folder to the lists."""
    with os.scandir(folder / below) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith("."):
                continue
            name = f"{below}/{entry.name}" if below else entry.name
            if _is_folder(entry):
                (links if entry.is_symlink() else folders).append(name)
            elif os.path.splitext(entry.name)[1].lower() in suffixes:
                files.append(name)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A link to itself, or to a place that may not be looked at.
        return False


def _identity(folder: Path) -> tuple[int, int] | str:
    """Return what two paths to one folder have in common."""
    state = os.stat(folder)
    # Some file systems do not number their files.
    return (state.st_dev, state.st_ino) if state.st_ino else os.path.realpath(folder)
