"""Where the weights of encoders are, and whether they are the right ones.

Weights are found by the path in the project file, relative to its folder, or below one of the folders that the
environment variable ``OSSICLE_ENCODERS`` lists, separated like those of ``PATH``. Results depend on their content only,
so everything that was made with them knows their SHA-256.
"""

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from ossicle.artefacts.files import file_digest, tree_digest
from ossicle.artefacts.filesystem.walking import walk
from ossicle.core.errors import BundleError, UsageError

VARIABLE = "OSSICLE_ENCODERS"
_MOST_CANDIDATES = 10_000


def encoder_folders() -> tuple[Path, ...]:
    """Return the folders that ``OSSICLE_ENCODERS`` lists."""
    return tuple(Path(folder).expanduser() for folder in os.environ.get(VARIABLE, "").split(os.pathsep) if folder)


def find_weights(stated: str, folder: Path) -> Path:
    """Return the file or folder of an encoder's weights.

    Parameters
    ----------
    stated
        The path as stated in the project file or on the command line.
    folder
        The folder that it is relative to.

    Raises
    ------
    UsageError
        It is in none of the places; the message lists them.
    """
    places = [folder / stated, *(path / stated for path in encoder_folders())]
    for path in places:
        if path.exists():
            return path
    looked = " and ".join(map(str, dict.fromkeys(places)))
    raise UsageError(
        f"the encoder's weights {stated!r} do not exist: looked for {looked}. Correct the path ([encoder] path), or "
        f"put the file into a folder and set {VARIABLE} to that folder"
    )


def weights_digest(path: Path) -> str:
    """Return the SHA-256 of a file of weights, or that of the files in a folder.

    A file is read once while its size and time of change stay the same.

    Raises
    ------
    UsageError
        The file cannot be read.
    """
    try:
        if path.is_dir():
            return tree_digest(path)
        state = path.stat()
        return _file_digest(path, state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}; give another file of weights") from error


@lru_cache(maxsize=64)
def _file_digest(path: Path, size: int, changed_ns: int) -> str:
    return file_digest(path)


def require_digest(path: Path, actual: str, expected: str, asked_by: str) -> None:
    """Check that weights are the expected ones.

    Parameters
    ----------
    path
        Their file or folder.
    actual, expected
        Its SHA-256, and the one it must have; an empty one accepts any.
    asked_by
        What states the expected one, in words.

    Raises
    ------
    BundleError
        They differ.
    """
    if expected and actual != expected.lower():
        raise BundleError(
            f"{path} is not the encoder that {asked_by} needs: its SHA-256 is {actual}, not {expected}. Get the file "
            f"with that SHA-256 and give its path, or put it into a folder of {VARIABLE}"
        )


def weights_with_digest(sha256: str, suffix: str) -> Path | None:
    """Return a file with this SHA-256 and suffix below the folders of ``OSSICLE_ENCODERS``; None if there is none."""
    for candidate in _candidates(suffix):
        if weights_digest(candidate) == sha256:
            return candidate
    return None


def _candidates(suffix: str) -> Iterator[Path]:
    n_seen = 0
    for folder in encoder_folders():
        for base, _, names in walk(folder) if folder.is_dir() else ():
            for name in sorted(names):
                if name.endswith(suffix) and (base / name).is_file():
                    yield base / name
                    n_seen += 1
                    if n_seen == _MOST_CANDIDATES:
                        return
