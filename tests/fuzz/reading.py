"""How a target reads: bytes become a file, and a reader may only return or refuse it with its name."""

from collections.abc import Callable
from pathlib import Path

from ossicle.core.errors import OssicleError

Reader = Callable[[Path], object]


def written(content: bytes, folder: Path, suffixes: tuple[str, ...]) -> Path:
    """Write all bytes but the first, which picks the suffix of the file."""
    path = folder / f"x{suffixes[content[0] % len(suffixes) if content else 0]}"
    path.write_bytes(content[1:])
    return path


def read_or_refuse(read: Reader, path: Path) -> None:
    """Let a reader return, or refuse the file with an error that names it."""
    message = path.name
    try:
        read(path)
    except OssicleError as problem:
        message = str(problem)
    assert path.name in message, message


def run_or_refuse(work: Callable[[], object]) -> None:
    """Let work on values, which stand in no file, return or end with an error of Ossicle that says something."""
    message = "done"
    try:
        work()
    except OssicleError as problem:
        message = str(problem)
    assert message
