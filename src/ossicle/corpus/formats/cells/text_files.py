"""Text of annotation files: its encoding, and its lines.

Files are UTF-8, UTF-16 or UTF-32. Other bytes are read as Windows-1252 only where every accented letter stands as it
does in western European words; the guess is then reported. Bytes of Shift-JIS, GBK or Windows-1251 would become labels
of meaningless characters, so they are rejected.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from ossicle.artefacts.filesystem.reading import MOST_TABLE_BYTES, read_regular
from ossicle.core.errors import FormatError

_SMALL = "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿœšžß"
_CAPITAL = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞŒŠŸŽ"
_LETTERS = _SMALL + _CAPITAL
_MARKS = "°µ’‘“”„«»–—…§±²×€"
_UNLIKELY = re.compile(
    rf"[^\x00-\x7f{_LETTERS}{_MARKS}]"  # characters that no western word holds
    rf"|[{_LETTERS}]{{3}}|\b[{_LETTERS}]{{2}}\b"  # accented letters in a row
    rf"|[a-z{_SMALL}][{_CAPITAL}]"  # a capital after a small letter
    r"|»\w|\w«"  # quotation marks the wrong way round
)
_ACCENTED = re.compile(rf"[\w{_LETTERS}]*[^\x00-\x7f][\w{_LETTERS}]*")
# Files that are no text, by their first bytes, and what to do with them.
_BINARY = {
    b"PK\x03\x04": "is an Excel workbook or another packed file, not text; save each sheet as CSV, or unpack it",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook of the old kind, not text; save each sheet as CSV",
    b"PAR1": "is a Parquet table, not text; rename it to .parquet",
    b"\x1f\x8b": "is compressed by gzip, not text; unpack it",
}


@dataclass(frozen=True, slots=True)
class TextFile:
    """The text of a file; ``guessed`` says in words what was assumed about its encoding, "" if nothing was."""

    text: str
    guessed: str = ""


def load_text(path: Path) -> TextFile:
    """Return the text of a file, decoded as :func:`decoded` says.

    Raises
    ------
    FormatError
        The file cannot be read, or its encoding is not known.
    """
    try:
        raw = read_regular(path, MOST_TABLE_BYTES)
    except OSError as problem:
        raise FormatError(
            f"{path}: cannot be read ({problem.strerror}); check that it exists and is readable"
        ) from None
    return decoded(path, raw)


def decoded(path: Path, raw: bytes) -> TextFile:
    """Return bytes as text: UTF-8, UTF-16 or UTF-32 by its mark, else UTF-8, else Windows-1252 if plausible.

    Parameters
    ----------
    path
        The file that holds the bytes, for messages.
    raw
        The bytes, from the beginning of the file.

    Returns
    -------
    TextFile
        The text.

    Raises
    ------
    FormatError
        The encoding is not known, or the bytes are not complete in it.
    """
    for mark, words in _BINARY.items():
        if raw.startswith(mark) and (mark != b"PAR1" or raw.endswith(mark)):
            raise FormatError(f"{path}: {words}")
    if raw.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        encoding = "utf-32"
    elif raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif b"\0" in raw[:64]:
        encoding = "utf-16-le" if raw[1:2] == b"\0" else "utf-16-be"
    else:
        encoding = "utf-8-sig"
    try:
        return TextFile(raw.decode(encoding))
    except UnicodeDecodeError as problem:
        if encoding != "utf-8-sig":
            raise FormatError(
                f"{path}: holds NUL characters, and is not complete text in {encoding[:6].upper()}; save it again as "
                "UTF-8, without them"
            ) from None
        line = raw[: problem.start].count(b"\n") + 1
    return _western(path, raw, line)


def read_text(path: Path) -> str:
    """Return the text of :func:`load_text`."""
    return load_text(path).text


def split_lines(text: str) -> list[str]:
    """Return lines ended by LF, CR LF or CR only (``str.splitlines`` also cuts at characters that labels may
    contain).
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines and not lines[-1] else lines


def _western(path: Path, raw: bytes, line: int) -> TextFile:
    try:
        text = raw.decode("cp1252")
    except UnicodeDecodeError:
        text = None
    if text is None or _UNLIKELY.search(text):
        raise FormatError(
            f"{path}, line {line}: is not text in UTF-8, and its encoding is not known (Shift-JIS, GBK and Windows "
            "code pages cannot be told apart); save it again as UTF-8"
        )
    accented = list(dict.fromkeys(_ACCENTED.findall(text)))
    shown = ", ".join(repr(word) for word in accented[:3])
    return TextFile(text, f"is not UTF-8 and was read as Windows-1252 ({shown}); save it as UTF-8 if that is wrong")
