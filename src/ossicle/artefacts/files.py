"""Files and folders that are written atomically, their JSON, and their digests.

A file is first written beside its path under a name that begins with ``.ossicle-``. It is then synced and renamed, and
the folder is synced. After a crash or a power cut a reader finds the old file, the new one or none, never a part. Names
with that beginning do not belong to any artefact: digests skip them and :func:`sweep` removes them.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from ossicle.artefacts.filesystem.changes import make_folder, make_new_folder, move, remove_file, remove_folder
from ossicle.artefacts.filesystem.links import refuse_link_in
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES, open_regular, read_regular
from ossicle.artefacts.filesystem.walking import walk
from ossicle.artefacts.plain import plain
from ossicle.artefacts.processes.saved_note import note_saved
from ossicle.core.digest import digest, normal_path
from ossicle.core.errors import ArtefactError, OssicleError

ARTEFACT = "artefact.json"
"""The file that a finished artefact has, whatever its step; see :mod:`ossicle.artefacts.shelf`."""

_HIDDEN = ".ossicle-"
_PART = f"{_HIDDEN}part-"
_OLD = f"{_HIDDEN}old-"
_READ_BYTES = 1 << 20
_LONGEST_SUFFIX = 16
_ABANDONED_S = 86_400.0
# A write that fails with less free space than this failed for lack of space.
_NO_SPACE_BYTES = 1 << 20
# How polars and safetensors (Rust) and HDF5 quote the system's error.
_ERRNO = re.compile(r"(?:os error|errno =) (\d+)")


def part_path(path: Path) -> Path:
    """Return a new name beside ``path`` with its suffix, for a file that is not complete yet; nothing is created."""
    # For "Tape 1. The long night..." Python takes everything after the dot as suffix; names have at most 255 bytes.
    suffix = path.suffix if len(path.suffix) <= _LONGEST_SUFFIX else ""
    return path.with_name(f"{_PART}{uuid.uuid4().hex}{suffix}")


def _old_path(path: Path) -> Path:
    return path.with_name(f"{_OLD}{digest(path.name)[:16]}")


def sync(path: Path) -> None:
    """Make the system write a file, or the entries of a folder, to the disk."""
    # Opening a pipe would wait for its other end.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """:func:`sync` every file and folder in ``folder``, and the folder itself."""
    for base, _, names in reversed([*walk(folder)]):
        for name in names:
            if not (base / name).is_symlink():
                sync(base / name)
        sync(base)


def publish(part: Path, path: Path) -> None:
    """Sync the file ``part`` and move it to ``path`` atomically."""
    refuse_link_in(part)
    sync(part)
    move(part, path)
    sync(path.parent)
    note_saved()


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn a failed write in the block into an OSError with the system's error and ``path``.

    The system names no file when a write fails, and libraries report a full disk with their own errors and messages.
    """
    try:
        yield
    except OssicleError:
        raise
    except Exception as error:
        number = _system_error(error, Path(path).parent)
        if number is None or (isinstance(error, OSError) and _names_a_file(error)):
            raise
        raise OSError(number, os.strerror(number), os.fspath(path)) from error


def _names_a_file(error: OSError) -> bool:
    # Users do not know the temporary name of an incomplete file.
    return error.filename is not None and not os.path.basename(os.fsdecode(error.filename)).startswith(_PART)


def _system_error(error: Exception, folder: Path) -> int | None:
    """Return the number of the system's error behind ``error``, or None."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    if quoted := _ERRNO.search(str(error)):
        return int(quoted[1])
    full = folder.is_dir() and shutil.disk_usage(folder).free < _NO_SPACE_BYTES
    return errno.ENOSPC if full else None


FileWriting = Callable[[Path], AbstractContextManager[Path]]
"""Gives a name to write to, which becomes a path when the block ends, as :func:`whole_file` does."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a name beside ``path`` to write to; it replaces ``path`` when the block ends normally.

    An exception in the block removes the new file and keeps an earlier ``path``.
    """
    path = Path(path)
    # Before the block, which may compute for hours.
    refuse_link_in(path)
    make_folder(path.parent)
    part = part_path(path)
    try:
        with naming(path):
            yield part
            publish(part, path)
    except BaseException:
        # The error of the block is the one to report; a read-only file system refuses to remove even a missing file.
        with suppress(OSError):
            remove_file(part)
        raise


@contextmanager
def whole_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a new folder beside ``path`` to fill; it becomes ``path`` when the block ends normally.

    An existing ``path`` is rejected with ArtefactError (before the block) unless ``replace``. No system can rename a
    folder over a non-empty one, so a replacement moves the old one aside first: a reader finds the old folder, for an
    instant none, or the new one. After a crash in that instant, the next ``whole_folder`` for the same path restores
    the old one. Folders beside ``path`` that killed writers left more than a day ago are removed.
    """
    path = Path(path)
    refuse_link_in(path)
    make_folder(path.parent)
    old = _old_path(path)
    if old.exists() and not path.exists():
        move(old, path)
    if path.exists() and not replace:
        raise ArtefactError(f"{path} exists already; choose another place or remove it first")
    _remove_abandoned(path.parent)
    part = part_path(path)
    make_new_folder(part)
    try:
        with naming(path):
            yield part
            publish_folder(part, path)
    except BaseException:
        # The error of the block is the one to report.
        with suppress(OSError):
            remove_folder(part)
        raise


def _remove_abandoned(parent: Path) -> None:
    """Remove incomplete folders directly in ``parent`` in which nothing was written for a day: their writer is gone.

    No name says whose they are, so younger ones, which another process may be writing, stay.
    """
    for folder in parent.glob(f"{_PART}*"):
        try:
            if folder.is_symlink() or not folder.is_dir():
                continue
            written_s = max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))
            if time.time() - written_s > _ABANDONED_S:
                remove_folder(folder)
        except OSError:
            # Another process finished or removed it meanwhile, or it is another user's.
            continue


def publish_folder(part: Path, path: Path) -> None:
    """Sync the folder ``part`` and move it to ``path``; see :func:`whole_folder` for an existing one."""
    sync_tree(part)
    if path.exists():
        old = _old_path(path)
        remove_folder(old)
        move(path, old)
        try:
            move(part, path)
        except OSError:
            move(old, path)
            raise
        sync(path.parent)
        remove_folder(old)
    else:
        move(part, path)
    sync(path.parent)
    note_saved()


def sweep(folder: Path) -> None:
    """Remove files that crashed writers left anywhere in ``folder``; only while nobody writes there."""
    for base, folders, names in walk(folder):
        for name in [name for name in names if name.startswith(_PART)]:
            remove_file(base / name)
        for name in [name for name in folders if name.startswith(_PART)]:
            remove_folder(base / name)
            folders.remove(name)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 with unchanged line ends, atomically."""
    with whole_file(path) as part:
        part.write_bytes(text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as JSON: two spaces, sorted keys, a final newline; equal values give equal bytes.

    NumPy scalars and arrays become numbers and lists.

    Raises
    ------
    ValueError
        Naming the key, for NaN and infinity.
    TypeError
        Naming the key, for values that JSON cannot hold.
    """
    write_text(path, json.dumps(plain(value), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def how_to_mend(path: Path) -> str:
    """Return what to do about a missing or damaged file: its step is done again once its whole artefact is gone."""
    for folder in Path(path).absolute().parents:
        if (folder / ARTEFACT).is_file():
            return f"delete the folder {folder} and run again"
    return "restore it, or run again what wrote it"


def read_json(path: Path) -> Any:
    """Return the value in a JSON file; raises ArtefactError, naming the file and if possible the line."""
    try:
        text = read_regular(path, MOST_ARTEFACT_BYTES).decode()
    except FileNotFoundError:
        raise ArtefactError(f"{path} is missing; {how_to_mend(path)}") from None
    except UnicodeDecodeError as err:
        raise ArtefactError(f"{path} is not UTF-8 text (byte {err.start}); {how_to_mend(path)}") from err

    def refuse(constant: str) -> NoReturn:
        bare = re.sub(r'"(?:\\.|[^"\\])*"', lambda quoted: " " * len(quoted[0]), text)
        line = bare.count("\n", 0, bare.index(constant)) + 1
        raise ArtefactError(f"{path}, line {line}: {constant} is not JSON; {how_to_mend(path)}")

    try:
        return json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as err:
        raise ArtefactError(f"{path}, line {err.lineno}: {err.msg}; {how_to_mend(path)}") from err
    except ValueError as err:
        raise ArtefactError(f"{path} contains a number that is too long; {how_to_mend(path)}") from err
    except RecursionError as err:
        raise ArtefactError(f"{path} is nested too deeply; {how_to_mend(path)}") from err


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, read in blocks, as 64 hexadecimal digits."""
    state = hashlib.sha256()
    with open_regular(path) as handle:
        while block := handle.read(_READ_BYTES):
            state.update(block)
    return state.hexdigest()


def tree_digest(folder: Path, exclude: Callable[[str], bool] | tuple[str, ...] = ()) -> str:
    """Return the SHA-256 of the files in ``folder``: their posix paths below it (NFC) with their digests, sorted.

    ``exclude`` is a predicate on those paths, or names of files and folders to leave out at any level. Times,
    permissions, empty folders and unfinished parts do not count. Raises ArtefactError for a symbolic link, because its
    target would not move with the folder.
    """
    entries: list[tuple[str, str]] = []
    for base, folders, names in walk(folder):
        folders[:] = [name for name in folders if not _is_left_out(folder, base / name, exclude)]
        for name in names:
            path = base / name
            if path.is_symlink():
                raise ArtefactError(
                    f"{path} is a symbolic link; an artefact must contain its own files; copy the target instead"
                )
        for name in names:
            path = base / name
            if not _is_left_out(folder, path, exclude):
                entries.append((_relative(folder, path), file_digest(path)))
    return digest(sorted(entries))


def _relative(folder: Path, path: Path) -> str:
    return normal_path(path.relative_to(folder).as_posix())


def _is_left_out(folder: Path, path: Path, exclude: Callable[[str], bool] | tuple[str, ...]) -> bool:
    if path.name.startswith(_HIDDEN):
        return True
    return exclude(_relative(folder, path)) if callable(exclude) else path.name in exclude
