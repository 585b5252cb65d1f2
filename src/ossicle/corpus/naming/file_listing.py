"""List the audio and annotation files below a folder in a fixed order.

Hidden files and folders (names that begin with a dot) are skipped, for example macOS' ``._x.wav``, which contain no
audio. Links to files and folders are followed, except into a folder that contains the link.
"""

import os
from collections.abc import Collection
from pathlib import Path


def files_below(folder: Path, suffixes: Collection[str]) -> list[str]:
    """Return the posix paths below ``folder`` of files whose suffix, in any case, is one of ``suffixes``; sorted."""
    found: list[str] = []
    _walk(folder, "", frozenset({os.path.realpath(folder)}), suffixes, found)
    return sorted(found)


def shown(path: str) -> str:
    r"""Return a path as text that can be written: bytes that are not UTF-8 are escaped, other paths stay unchanged.

    >>> print(shown(os.fsdecode(bytes([98, 255]))))
    b\xff
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _walk(folder: Path, below: str, above: frozenset[str], suffixes: Collection[str], found: list[str]) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            name = f"{below}/{entry.name}" if below else entry.name
            if entry.is_dir():
                real = os.path.realpath(entry.path)
                if real not in above:
                    _walk(Path(entry.path), name, above | {real}, suffixes, found)
            elif os.path.splitext(entry.name)[1].lower() in suffixes:
                found.append(name)
