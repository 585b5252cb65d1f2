"""A table of files to download: address, size, SHA-256 and, if it differs from the last part of the address, path.

Tables come from others, so they are not trusted: a path never leaves the folder, and an address must have one of three
schemes.
"""

import re
import unicodedata
from pathlib import Path, PureWindowsPath
from urllib.parse import unquote, urlsplit

from ossicle.artefacts.fetching import SCHEMES, Wanted
from ossicle.core.digest import normal_path
from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.downloads.settings import FetchSettings
from ossicle.corpus.formats.cells.delimited import read_delimited, unescape_cell
from ossicle.corpus.formats.reading.folder_reader import each

# Longest allowed part of a path in bytes: file systems hold 255, and names derived from it are a little longer.
_LONGEST_NAME = 220
# Letters of the names of project files; `ossicle.local.toml` is trusted as the user's own.
_SETTINGS = frozenset({"ossiclelocaltoml", "ossicletoml"})


def read_fetch_table(table: Path, settings: FetchSettings) -> tuple[Wanted, ...]:
    """Return the files of a table in its order.

    Parameters
    ----------
    table
        The table.
    settings
        Names of its columns.

    Raises
    ------
    UsageError
        If the table or a column is missing, or the table has no rows.
    FormatError
        Listing every bad row with its line: invalid addresses, sizes, digests and paths, and rows that share a path.
    """
    if not table.is_file():
        raise UsageError(f"fetch.table: {table} is not a file; correct the path")
    read = read_delimited(table)
    places = read.places()
    columns = {"path": places.get(settings.path_column.lower())}
    for kind in ("address", "size", "sha256"):
        name = getattr(settings, f"{kind}_column")
        if (column := places.get(name.lower())) is None:
            raise UsageError(
                f"{table}: has no column {name!r} (columns: {', '.join(read.header)}); see fetch.{kind}_column"
            )
        columns[kind] = column
    by_line = {str(line): [unescape_cell(cell.strip()) for cell in cells] for line, cells in read.rows}
    files: list[Wanted] = []
    taken: dict[str, str] = {}
    folders: dict[str, str] = {}

    def one(line: str) -> None:
        cells, where = by_line[line], f"{table}, line {line}"
        values = {kind: "" if column is None else cells[column] for kind, column in columns.items()}
        _check_address(values["address"], where)
        if not re.fullmatch(r"[0-9a-fA-F]{64}", values["sha256"]):
            raise FormatError(f"{where}: sha256 is {values['sha256']!r}; give 64 hexadecimal digits")
        if not re.fullmatch(r"[0-9]{1,18}", values["size"]):
            raise FormatError(f"{where}: size is {values['size']!r}; give a whole number of bytes")
        path = _path(values["path"] or unquote(urlsplit(values["address"]).path.rpartition("/")[2]), where)
        # Some file systems ignore case: two such names would be one file there.
        key = path.casefold()
        above = ["/".join(key.split("/")[:n]) for n in range(1, key.count("/") + 1)]
        for other in (taken.get(key), folders.get(key), *(taken.get(folder) for folder in above)):
            if other is not None:
                raise FormatError(f"{where}: the path {path!r} conflicts with that in line {other}; change it")
        taken[key] = line
        folders.update(dict.fromkeys(above, line))
        files.append(Wanted(values["address"], path, int(values["size"]), values["sha256"].lower()))

    each(by_line, one)
    if not files:
        raise UsageError(f"{table}: has no rows, so there is nothing to fetch")
    return tuple(files)


def _check_address(address: str, where: str) -> None:
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError as problem:
        raise FormatError(f"{where}: the address {address!r} is not valid ({problem})") from None
    if parts.scheme not in SCHEMES:
        raise FormatError(
            f"{where}: the address {address!r} is not an {', '.join(SCHEMES[:-1])} or {SCHEMES[-1]} address"
        )
    if any(ord(character) < 33 or ord(character) == 127 for character in address):
        raise FormatError(f"{where}: the address {address!r} contains blanks; write %20 for each")
    if "@" in parts.netloc:
        raise FormatError(f"{where}: an address must not contain a user name or password, because tables are shared")
    if (host not in (None, "localhost")) if parts.scheme == "file" else not host:
        raise FormatError(f"{where}: the address {address!r} names {'another machine' if host else 'no machine'}")


def _path(stated: str, where: str) -> str:
    """Return a posix path below a folder; raises FormatError if it leads elsewhere or is not valid on every system."""
    windows = PureWindowsPath(stated)
    parts = normal_path(stated).split("/")
    leaves = windows.drive or windows.root or ".." in windows.parts or "\\" in stated
    if leaves or any(part in ("", ".") for part in parts):
        raise FormatError(f"{where}: the path {stated!r} is not a relative path; write it as a/b.ogg")
    if any(
        ord(character) < 32 or ord(character) == 127 or 0xD800 <= ord(character) < 0xE000 or character in '<>:"|?*'
        for character in stated
    ):
        raise FormatError(
            f"{where}: the path {stated!r} contains characters that not every system allows; choose another"
        )
    if any(part.startswith(".") or len(part.encode()) > _LONGEST_NAME for part in parts):
        raise FormatError(f"{where}: the path {stated!r} contains a hidden or a very long name; choose another")
    if any(_plain_letters(part) in _SETTINGS for part in parts):
        raise FormatError(
            f"{where}: the path {stated!r} has the name of a project file, which says what a run may do; choose another"
        )
    return "/".join(parts)


def _plain_letters(name: str) -> str:
    """Return the letters of a name: file systems ignore case, forms of Unicode, and dots or blanks at the end."""
    return "".join(
        character
        for character in unicodedata.normalize("NFKD", name).casefold()
        if character.isascii() and character.isalpha()
    )
