"""Names of annotation files: the recording that a table belongs to, and an output path for the table of each recording.

Names of recordings come from files of others and are never trusted as paths: a drive, a root and ``..`` are dropped, so
no table is written outside its folder.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import PurePosixPath, PureWindowsPath

from ossicle.audio.probe import SUFFIXES
from ossicle.core.digest import digest, normal_path
from ossicle.core.errors import FormatError
from ossicle.core.text.controls import is_control
from ossicle.corpus.naming.name_template import stem_of

# File systems allow 255 bytes, and tables append to the name.
_LONGEST_NAME = 220
_ENDINGS = re.compile(
    r"(\.Table\.\d+|\.selections?|\.BirdNET|\.selection\.table|\.results|\.kaleidoscope|\.audacity)$", re.IGNORECASE
)
# What people add to the name of a recording, as in "tape_labels.txt". A recording may have such a name itself.
_ANNOTATION_WORDS = re.compile(r"[ ._-]+(labels?|label[ _-]?track|annotations?|selections?)$", re.IGNORECASE)
# What browsers and file managers add to the name of a copy.
_COPY = re.compile(r"( \(\d+\)| - (Copy|Kopie|Copie|Copia)( \(\d+\))?| copy( \d+)?)$", re.IGNORECASE)
_LAYER = re.compile(r"\.Table\.(\d+)(\.|$)", re.IGNORECASE)


def table_stems(name: str) -> list[str]:
    """Return the names of the recording that a table's name may contain, longest first.

    >>> table_stems("night.23_tape.Table.1.selections.txt")
    ['night.23_tape.Table.1.selections', 'night.23_tape.Table.1', 'night.23_tape']
    """
    stems = [PurePosixPath(name).stem]
    original = _COPY.sub("", stems[0])
    if original not in (stems[0], "") and _ENDINGS.search(original):
        stems.append(original)
    while (shorter := _ENDINGS.sub("", stems[-1])) not in (stems[-1], ""):
        stems.append(shorter)
    return stems


def stem_without_word(name: str) -> str:
    """Return the stem of a table's name without a word such as ``labels`` at its end, "" if there is none.

    Parameters
    ----------
    name
        The file name of the table.

    Returns
    -------
    str
        What may be the stem of its recording. Names with an ending of a program (``table_stems``) have no such word.

    Examples
    --------
    >>> stem_without_word("tape_labels.txt"), stem_without_word("tape.txt"), stem_without_word("labels.txt")
    ('tape', '', '')
    """
    stems = table_stems(name)
    shorter = _ANNOTATION_WORDS.sub("", stems[0])
    return shorter if len(stems) == 1 and shorter != stems[0] else ""


def recording_name(table: str) -> str:
    """Return the recording that a table named ``table`` belongs to, with its audio suffix if the table's name has it.

    >>> recording_name("a/site 1.23_tape.Table.1.selections.txt")
    'a/site 1.23_tape'
    """
    folder, slash, name = normal_path(table).rpartition("/")
    return f"{folder}{slash}{table_stems(name)[-1]}"


def has_table_ending(name: str) -> bool:
    """Return whether a table's name has an ending such as ``.Table.1.selections`` after that of its recording.

    >>> has_table_ending("a/tape.BirdNET.results.csv"), has_table_ending("events.csv")
    (True, False)
    """
    return len(table_stems(normal_path(name).rpartition("/")[2])) > 1


def layer_of(name: str) -> int | None:
    """Return the number of a table of Raven, which numbers the tables of one recording; None if its name has none.

    >>> layer_of("tape.Table.2.selections.txt"), layer_of("tape.selections.txt")
    (2, None)
    """
    match = _LAYER.search(PurePosixPath(name).stem)
    return int(match[1]) if match else None


def table_places(files: Iterable[str]) -> dict[str, PurePosixPath]:
    """Return a path below the output folder for the table of each recording, without the table's own ending.

    Folders that all recordings share are dropped if any of them is an absolute path. Names are stems, with the suffix
    kept if two recordings differ only in it, and shortened if too long for a file system. Raises FormatError if two
    recordings would share a path, and for names that are not UTF-8.
    """
    names = sorted(set(files))
    for name in names:
        if not name.isascii() and any("\ud800" <= character <= "\udfff" for character in name):
            raise FormatError(f"{writable(name)}: the name is not UTF-8; rename the file")
    parts = {name: _path_parts(name) for name in names}
    if any(_absolute(name) for name in names):
        shared = _n_shared_folders([part[:-1] for part in parts.values()])
        parts = {name: part[shared:] for name, part in parts.items()}
    stems = Counter(stem_of("/".join(part), SUFFIXES) for part in parts.values())
    places: dict[str, PurePosixPath] = {}
    taken: dict[PurePosixPath, str] = {}
    for name, part in parts.items():
        if not part:
            raise FormatError(f"the recording {name!r} has no valid file name; rename it")
        stem = stem_of("/".join(part), SUFFIXES)
        table_place = PurePosixPath(stem if stems[stem] == 1 else "/".join(part))
        table_place = table_place.with_name(_short(table_place.name))
        if table_place in taken:
            raise FormatError(f"the recordings {taken[table_place]!r} and {name!r} would share one table; rename one")
        taken[table_place] = name
        places[name] = table_place
    return places


@lru_cache(maxsize=1024)
def writable(name: str) -> str:
    r"""Return a name that tables, JSON and terminals can hold: control characters, marks of writing direction and
    bytes that are not UTF-8 are escaped as in URLs.

    >>> writable("two\nlines.wav")
    'two%0Alines.wav'
    """
    return "".join(
        "".join(f"%{byte:02X}" for byte in os.fsencode(character)) if is_control(character) else character
        for character in name
    )


def _absolute(name: str) -> bool:
    return PureWindowsPath(name).is_absolute() or name.startswith("/") or PureWindowsPath(name).drive != ""


def _path_parts(name: str) -> tuple[str, ...]:
    path = PureWindowsPath(name)
    posix = normal_path(name[len(path.drive) :])
    return tuple(part for part in posix.split("/") if part not in ("", ".", ".."))


def _n_shared_folders(folders: list[tuple[str, ...]]) -> int:
    shared = 0
    for level in zip(*folders, strict=False):
        if len(set(level)) > 1:
            break
        shared += 1
    return shared


def _short(name: str) -> str:
    """Return a name that leaves room for the endings of tables."""
    raw = name.encode()
    if len(raw) <= _LONGEST_NAME:
        return name
    return f"{raw[: _LONGEST_NAME - 20].decode(errors='ignore')}~{digest(name)[:8]}"
