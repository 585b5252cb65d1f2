"""A folder with the semantics of a Modal volume, as a client sees it: a batch is in it at its end, or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ossicle.app.remote.modal_place import ModalPlace


class Absent(Exception):
    """There is no such file."""


class Refused(Exception):
    """There is no token."""


class Silence(Exception):
    """Nobody answers."""


@dataclass(frozen=True)
class DoubleErrors:
    absent: tuple[type[Exception], ...] = (Absent,)
    refused: tuple[type[Exception], ...] = (Refused,)
    passing: tuple[type[Exception], ...] = (Silence,)


@dataclass(frozen=True)
class DoubleEntry:
    path: str
    type: int
    mtime: int
    size: int


class DoubleUpload:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def put_file(self, local_file: str | Path | IO[bytes], remote_path: str) -> None:
        data = Path(local_file).read_bytes() if isinstance(local_file, str | Path) else local_file.read()
        self.files[remote_path.lstrip("/")] = data


class DoubleVolume:
    """Files arrive with the time of their arrival, and the last writer of a file wins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def batch_upload(self, force: bool = False) -> Iterator[DoubleUpload]:
        upload = DoubleUpload()
        yield upload
        self.put(upload, force)

    def put(self, upload: DoubleUpload, force: bool) -> None:
        """Write the files of a batch."""
        for path, data in upload.files.items():
            place = self.folder / path
            assert force or not place.exists()
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.is_symlink():
                place.unlink()
            place.write_bytes(data)

    def listdir(self, path: str, *, recursive: bool = False) -> list[DoubleEntry]:
        assert recursive
        top = self.folder / path.strip("/")
        if not top.is_dir():
            raise Absent(path)
        return [self._entry(one) for one in sorted(top.rglob("*"))]

    def _entry(self, place: Path) -> DoubleEntry:
        kind = 3 if place.is_symlink() else 2 if place.is_dir() else 1 if place.is_file() else 4
        state = place.lstat()
        return DoubleEntry(place.relative_to(self.folder).as_posix(), kind, int(state.st_mtime), state.st_size)

    def read_file(self, path: str) -> Iterator[bytes]:
        place = self.folder / path
        if not place.is_file():
            raise Absent(path)
        yield place.read_bytes()

    def wipe(self) -> None:
        shutil.rmtree(self.folder)


def double_place(folder: Path) -> ModalPlace:
    """A place in a volume; its files lie in ``folder``."""
    return ModalPlace(DoubleVolume(folder.parent), folder.name, DoubleErrors())
