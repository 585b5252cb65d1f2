"""Files or folders that are added with rising numbers: ``round-001.json``, ``round-002.json``..."""

import re
from pathlib import Path


def numbered_files(folder: Path, stem: str, suffix: str = ".json") -> list[Path]:
    """Return the files named ``STEM-NNN.json`` (three to six digits) in a folder by number; none if the folder is
    missing.

    An empty ``suffix`` stands for numbered folders.
    """
    if not folder.is_dir():
        return []
    number_of_file = {file: number for file in folder.iterdir() if (number := _number(file, stem, suffix))}
    return sorted(number_of_file, key=lambda file: number_of_file[file])


def next_numbered(folder: Path, stem: str, suffix: str = ".json") -> Path:
    """Return the name after the last one, from 001."""
    last = max((_number(file, stem, suffix) for file in numbered_files(folder, stem, suffix)), default=0)
    return folder / f"{stem}-{last + 1:03d}{suffix}"


def _number(file: Path, stem: str, suffix: str) -> int:
    match = re.fullmatch(rf"{re.escape(stem)}-(\d{{3,6}}){re.escape(suffix)}", file.name)
    return int(match[1]) if match else 0
