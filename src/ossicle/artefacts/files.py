"""Files and folders that are whole or absent, their JSON, and their digests.

What is being written lies beside its place under a name that begins with ``.ossicle-``; it is synced, renamed into
place, and the folder synced, so that a reader, a killed process or a power cut meets the old, the new or nothing,
never a half. Names that begin so are no part of any artefact: digests skip them and :func:`sweep` removes them.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from ossicle.artefacts.plain import plain
from ossicle.core.digest import digest, normal_path
from ossicle.core.errors import ArtefactError, OssicleError

_HIDDEN = ".ossicle-"
_PART = f"{_HIDDEN}part-"
_OLD = f"{_HIDDEN}old-"
_READ_BYTES = 1 << 20
_LONGEST_SUFFIX = 16
# A write that fails with less space than this failed for want of space.
_NO_SPACE_BYTES = 1 << 20
# As polars and safetensors (Rust) and HDF5 quote the system's error.
_ERRNO = re.compile(r"(?:os error|errno =) (\d+)")


def part_path(path: Path) -> Path:
    """A fresh name beside ``path`` with its suffix, for something not yet whole; nothing is created."""
    # In "Tape 1. The long night..." all after the dot is a suffix to Python, and names have at most 255 bytes.
    suffix = path.suffix if len(path.suffix) <= _LONGEST_SUFFIX else ""
    return path.with_name(f"{_PART}{uuid.uuid4().hex}{suffix}")


def _old_path(path: Path) -> Path:
    return path.with_name(f"{_OLD}{digest(path.name)[:16]}")


def sync(path: Path) -> None:
    """Have the system write a file, or the entries of a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """:func:`sync` every file and folder in ``folder``, and the folder itself."""
    for base, _, names in os.walk(folder, topdown=False):
        for name in names:
            if not (Path(base) / name).is_symlink():
                sync(Path(base) / name)
        sync(Path(base))


def publish(part: Path, path: Path) -> None:
    """Sync the file ``part`` and put it in the place of ``path``, at once."""
    sync(part)
    os.replace(part, path)
    sync(path.parent)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Have a failed write in the block say where and why: OSError with the system's error and ``path``.

    The system names no file when a write fails, and libraries tell of a full disk in errors and words of their own.
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
    # Nobody knows what is not yet whole by its passing name.
    return error.filename is not None and not os.path.basename(os.fsdecode(error.filename)).startswith(_PART)


def _system_error(error: Exception, folder: Path) -> int | None:
    """The number of the system's error behind ``error``, None where there is none to be found."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    if quoted := _ERRNO.search(str(error)):
        return int(quoted[1])
    full = folder.is_dir() and shutil.disk_usage(folder).free < _NO_SPACE_BYTES
    return errno.ENOSPC if full else None


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a name beside ``path`` to write to; it takes the place of ``path`` when the block ends well.

    An exception in the block removes what was written and leaves an earlier ``path`` as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_path(path)
    try:
        with naming(path):
            yield part
            publish(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def whole_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a new folder beside ``path`` to fill; it becomes ``path`` when the block ends well.

    An existing ``path`` is refused with ArtefactError (before the block) unless ``replace``. No system renames a folder
    over a full one, so a replacement moves the old one aside first: a reader meets the old, for an instant nothing, or
    the new. Killed in that instant, the next ``whole_folder`` for the same path puts the old one back.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    old = _old_path(path)
    if old.exists() and not path.exists():
        os.rename(old, path)
    if path.exists() and not replace:
        raise ArtefactError(f"{path} exists already; choose another place or remove it first")
    part = part_path(path)
    part.mkdir()
    try:
        with naming(path):
            yield part
            publish_folder(part, path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def publish_folder(part: Path, path: Path) -> None:
    """Sync the folder ``part`` and put it in the place of ``path``; see :func:`whole_folder` for an existing one."""
    sync_tree(part)
    if path.exists():
        old = _old_path(path)
        if old.exists():
            shutil.rmtree(old)
        os.rename(path, old)
        try:
            os.rename(part, path)
        except OSError:
            os.rename(old, path)
            raise
        sync(path.parent)
        shutil.rmtree(old)
    else:
        os.rename(part, path)
    sync(path.parent)


def sweep(folder: Path) -> None:
    """Remove what killed writers left anywhere in ``folder``; only while nobody writes there."""
    for base, folders, names in os.walk(folder):
        for name in [name for name in names if name.startswith(_PART)]:
            (Path(base) / name).unlink()
        for name in [name for name in folders if name.startswith(_PART)]:
            shutil.rmtree(Path(base) / name)
            folders.remove(name)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 with its line ends as they are; whole or absent."""
    with whole_file(path) as part:
        part.write_bytes(text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as JSON: two spaces, sorted keys, a line end; equal values give equal bytes.

    NumPy scalars and arrays become numbers and lists. Raises ValueError for NaN and infinity, TypeError for what JSON
    cannot hold; both name the key.
    """
    write_text(path, json.dumps(plain(value), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """The value in a JSON file; raises ArtefactError, naming the file and where possible the line."""
    try:
        text = Path(path).read_bytes().decode()
    except FileNotFoundError:
        raise ArtefactError(f"{path} is missing; run the step that writes it again") from None
    except UnicodeDecodeError as err:
        raise ArtefactError(f"{path} is not UTF-8 text (byte {err.start}); restore it or write it again") from err

    def refuse(constant: str) -> NoReturn:
        bare = re.sub(r'"(?:\\.|[^"\\])*"', lambda quoted: " " * len(quoted[0]), text)
        line = bare.count("\n", 0, bare.index(constant)) + 1
        raise ArtefactError(f"{path}, line {line}: {constant} is not JSON; restore the file or write it again")

    try:
        return json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as err:
        raise ArtefactError(f"{path}, line {err.lineno}: {err.msg}; restore the file or write it again") from err
    except ValueError as err:
        raise ArtefactError(f"{path} holds a number too long to be ours; restore it or write it again") from err
    except RecursionError as err:
        raise ArtefactError(f"{path} is nested too deeply to be ours; restore it or write it again") from err


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, read in blocks, as 64 hexadecimal digits."""
    state = hashlib.sha256()
    with open(path, "rb") as handle:
        while block := handle.read(_READ_BYTES):
            state.update(block)
    return state.hexdigest()


def tree_digest(folder: Path, exclude: Callable[[str], bool] | tuple[str, ...] = ()) -> str:
    """SHA-256 of the files in ``folder``: their posix paths below it (NFC) with their digests, sorted.

    ``exclude`` is a predicate on those paths, or names of files and folders to leave out wherever they stand. Times,
    permissions, empty folders and unfinished parts do not count. Raises ArtefactError for a symbolic link: what it
    points to would not move with the folder.
    """
    entries: list[tuple[str, str]] = []
    for base, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _left_out(folder, Path(base) / name, exclude)]
        for name in [*names, *folders]:
            path = Path(base) / name
            if path.is_symlink():
                raise ArtefactError(f"{path} is a symbolic link; an artefact holds its own files, so copy it instead")
        for name in names:
            path = Path(base) / name
            if not _left_out(folder, path, exclude):
                entries.append((_relative(folder, path), file_digest(path)))
    return digest(sorted(entries))


def _relative(folder: Path, path: Path) -> str:
    return normal_path(path.relative_to(folder).as_posix())


def _left_out(folder: Path, path: Path, exclude: Callable[[str], bool] | tuple[str, ...]) -> bool:
    if path.name.startswith(_HIDDEN):
        return True
    return exclude(_relative(folder, path)) if callable(exclude) else path.name in exclude
