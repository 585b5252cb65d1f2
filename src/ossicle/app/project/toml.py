"""Read TOML that may come from a stranger: within limits, and with errors that name file and remedy."""

import stat
import tomllib
from pathlib import Path
from typing import Any

from ossicle.artefacts.filesystem.reading import read_regular
from ossicle.core.errors import ProjectError

# A project file has a few hundred lines and three levels; a file beyond these limits is an error or an attack.
MOST_BYTES = 1 << 20
MOST_LEVELS = 16


def read_toml(file: Path) -> dict[str, Any]:
    """Return the tables of a file; raises ProjectError if it is not a plain file, too large, or not TOML."""
    try:
        file_stat = file.stat()
        if not (stat.S_ISREG(file_stat.st_mode) or stat.S_ISDIR(file_stat.st_mode)):
            raise ProjectError(f"{file}: is not a regular file; give a project file")
        if file_stat.st_size > MOST_BYTES:
            raise ProjectError(f"{file}: is larger than {MOST_BYTES} bytes, so it is not a project file")
        # Editors on Windows put a byte order mark first, which is no part of the text.
        return parse_toml(read_regular(file, MOST_BYTES).decode("utf-8-sig"), str(file))
    except UnicodeDecodeError:
        raise ProjectError(f"{file}: is not UTF-8, as project files are; save it as UTF-8 in your editor") from None
    except OSError as error:
        raise ProjectError(
            f"{file}: cannot be read ({error.strerror}); give a project file with -p, or create one with 'ossicle new'"
        ) from None


def parse_toml(text: str, origin: str) -> dict[str, Any]:
    """Return the tables of ``text``; raises ProjectError that names ``origin``."""
    try:
        tables = tomllib.loads(text)
    except RecursionError:
        raise ProjectError(f"{origin}: is nested more than {MOST_LEVELS} levels deep") from None
    except ValueError as error:
        # TOMLDecodeError is a ValueError; a number with thousands of digits raises another.
        raise ProjectError(f"{origin}: is not valid TOML: {error}") from None
    values: list[Any] = [tables]
    for _ in range(MOST_LEVELS):
        values = [inner for value in values for inner in _inside(value)]
        if not values:
            return tables
    raise ProjectError(f"{origin}: is nested more than {MOST_LEVELS} levels deep")


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else []
