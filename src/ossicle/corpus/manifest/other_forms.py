"""Files that hold events in another form than JSON lines, known by their first bytes."""

import re
from pathlib import Path

from ossicle.core.errors import FormatError

MOST_BYTES = 4096
"""How much of a file shows its form."""
_UNPACK = (
    (b"\x1f\x8b", "gzip", "gunzip -k"),
    (b"BZh", "bzip2", "bunzip2 -k"),
    (b"\xfd7zXZ", "xz", "unxz -k"),
    (b"\x28\xb5\x2f\xfd", "zstd", "unzstd"),
    (b"PK\x03\x04", "zip", "unzip"),
)
_FIELDS = frozenset({"session_id", "source_set", "audio_path", "onset_time", "components", "label", "event_id"})
_LINES = "write a JSON object for each event, one a line (docs/manifests.md)"


def require_json_lines(file: Path, start: bytes) -> None:
    """Refuse a file that is compressed, a table, one JSON value over many lines, or not in UTF-8.

    Parameters
    ----------
    file
        The file, for messages.
    start
        Its first bytes, at most :data:`MOST_BYTES`.

    Raises
    ------
    FormatError
        With what the file is, and how to make a manifest of it.
    """
    form, remedy = _other_form(start, file)
    if form:
        raise FormatError(f"{file} is {form} and no manifest: {remedy}")


def _other_form(start: bytes, file: Path) -> tuple[str, str]:
    """Return what a file is instead, and the remedy; empty texts if it may be a manifest."""
    for magic, name, command in _UNPACK:
        if start.startswith(magic):
            return f"compressed with {name}", f"unpack it first: {command} '{file.name}'"
    if start.startswith(b"PAR1"):
        return "a Parquet table", _LINES
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text in UTF-16", "save it as UTF-8"
    text = start.removeprefix(b"\xef\xbb\xbf").decode(errors="replace").lstrip()
    if text.startswith("["):
        return "one JSON array", f"write its objects as lines: jq -c '.[]' '{file.name}' > events.jsonl"
    first, _, rest = text.partition("\n")
    if first.strip() == "{" and rest.strip():
        return "JSON over several lines", f"write each object as one line: jq -c . '{file.name}' > events.jsonl"
    cells = {cell.strip(' "\r').casefold() for cell in re.split(r"[,;\t]", first)}
    if len(cells & _FIELDS) > 1 and not first.startswith("{"):
        return "a table with headings", _LINES
    return "", ""
