"""Walk a folder tree of any depth; the standard library's walk calls itself for every level."""

import os
from collections.abc import Iterator
from pathlib import Path


def walk(folder: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Yield every folder with the names of its folders and of everything else in it, a folder before those in it.

    Links are not followed: they are listed with everything else. The caller may remove names from the list of folders,
    which are then not walked.

    Raises
    ------
    OSError
        A folder cannot be opened: what is in it would be missing.
    """
    waiting = [Path(folder)]
    while waiting:
        base = waiting.pop()
        folders: list[str] = []
        others: list[str] = []
        try:
            with os.scandir(base) as entries:
                for entry in entries:
                    (folders if entry.is_dir(follow_symlinks=False) else others).append(entry.name)
        except FileNotFoundError:
            # Another process may remove folders meanwhile.
            if base == Path(folder):
                raise
            continue
        yield base, folders, others
        waiting += [base / name for name in folders]
