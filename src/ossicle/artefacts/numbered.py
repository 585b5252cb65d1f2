"""Files that are added one after another under rising numbers: ``round-001.json``, ``round-002.json``, ..."""

import re
from pathlib import Path


def numbered_files(folder: Path, stem: str) -> list[Path]:
    """The files ``STEM-NNN.json`` (three to six digits) of a folder by number; none where there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted((file for file in folder.iterdir() if _number(file, stem)), key=lambda file: _number(file, stem))


def next_numbered(folder: Path, stem: str) -> Path:
    """The file after the last one, from 001."""
    last = max((_number(file, stem) for file in numbered_files(folder, stem)), default=0)
    return folder / f"{stem}-{last + 1:03d}.json"


def _number(file: Path, stem: str) -> int:
    found = re.fullmatch(rf"{re.escape(stem)}-(\d{{3,6}})\.json", file.name)
    return int(found[1]) if found else 0
