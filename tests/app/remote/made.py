"""Folders of files for transfers, and places that fail in the middle."""

import os
import random
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ossicle.app.remote.place import FileState, Listing, Moved, Place
from ossicle.app.remote.transfer import TransferOptions

NAMES = (
    "a.wav",
    "with space/two  spaces.wav",
    unicodedata.normalize("NFD", "Früh/Übung.wav"),
    unicodedata.normalize("NFC", "Früh/Übung.wav"),
    "#hash.wav",
    "; semicolon.wav",
    "-dash.wav",
    "quote'\"$HOME.wav",
    "back\\slash.wav",
    "star*.wav",
    "new\nline.wav",
    "empty.wav",
    "deep/a/b/c/d.wav",
    ".hidden.wav",
)
QUICK = TransferOptions(pause_s=0.0)
VERIFY = TransferOptions(verify=True, pause_s=0.0)


def make_files(folder: Path, n: int, seed: int = 1) -> dict[str, bytes]:
    """Write ``n`` files of up to 2,000 bytes in ten folders, an hour old."""
    draw = random.Random(seed)
    made = {f"tape {i % 10}/{i:04}.wav": draw.randbytes(draw.randrange(1, 2000)) for i in range(n)}
    for path, data in made.items():
        write(folder / path, data)
    return made


def write(place: Path, data: bytes, mtime_ns: int = 1_700_000_000_123_456_789) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    os.utime(place, ns=(mtime_ns, mtime_ns))


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder without Ossicle's own."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".ossicle-") for part in path.relative_to(folder).parts)
    }


class Watched:
    """A place that counts what is asked of it, and calls a function before and after each batch that is sent."""

    def __init__(self, place: Place) -> None:
        self.place, self.keeps_times = place, place.keeps_times
        self.sent: list[str] = []
        self.read: list[str] = []
        self.before: Callable[[Mapping[str, FileState]], Mapping[str, FileState]] = lambda files: files
        self.after: Callable[[], None] = lambda: None

    def listing(self) -> Listing:
        return self.place.listing()

    def digests(self, paths: Sequence[str]) -> dict[str, str]:
        self.read += paths
        return self.place.digests(paths)

    def send(self, folder: Path, files: Mapping[str, FileState]) -> Moved:
        files = self.before(files)
        self.sent += files
        moved = self.place.send(folder, files)
        self.after()
        return moved

    def bring(self, folder: Path, files: Mapping[str, FileState]) -> Moved:
        files = self.before(files)
        self.sent += files
        moved = self.place.bring(folder, files)
        self.after()
        return moved

    def records(self) -> bytes:
        return self.place.records()

    def add_record(self, name: str, data: bytes) -> None:
        self.place.add_record(name, data)
