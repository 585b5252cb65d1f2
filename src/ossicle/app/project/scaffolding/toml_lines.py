"""Lines of a project file: settings with their origin as a comment, and any text in quotes."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from ossicle.core.errors import UsageError
from ossicle.core.text.controls import control_name, first_control
from ossicle.corpus.naming.file_listing import shown


def line(key: str, value: object, comment: str) -> str:
    """Return a setting with its origin; several comments are placed one below the other."""
    return f"{key} = {value}".ljust(24) + f" # {comment}"


def quoted(text: str) -> str:
    """Return text as a TOML string; raises UsageError for what no project file may hold.

    >>> quoted('a "b"')
    '"a \\\\"b\\\\""'
    """
    require_text(text)
    if (control := first_control(text)) is not None:
        raise UsageError(
            f"{text!r} contains {control_name(control)}, which no project file may hold, because settings become "
            "names, lines of scripts and text on the screen; rename it in the names of files or in the table that it "
            "comes from"
        )
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def require_text(text: str) -> None:
    """Raise UsageError for a path that is not Unicode."""
    if any(0xD800 <= ord(character) < 0xE000 for character in text):
        raise UsageError(f"{shown(text)}: this path is not valid UTF-8, which a project file cannot contain; rename it")


def texts(value: str | Sequence[str]) -> str:
    """Return a text in quotes, or a list of several.

    Parameters
    ----------
    value
        One text, or at least one.

    Returns
    -------
    str
        A TOML string if there is one text, otherwise a TOML array of strings.

    Raises
    ------
    UsageError
        A text is not Unicode.

    Examples
    --------
    >>> texts("a"), texts(["a"]), texts(["a", "b"])
    ('"a"', '"a"', '["a", "b"]')
    """
    several = (value,) if isinstance(value, str) else value
    return quoted(several[0]) if len(several) == 1 else f"[{', '.join(map(quoted, several))}]"


def refuse_controls(places: Iterable[tuple[str, Path | None]]) -> None:
    """Raise UsageError for an option whose path has control characters, which no project file may hold."""
    for option, path in places:
        if (control := first_control(str(path or ""))) is not None:
            raise UsageError(
                f"--{option} {str(path)!r}: contains {control_name(control)}, which no project file may hold, because "
                "settings become lines of scripts; rename the folder"
            )
