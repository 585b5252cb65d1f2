"""One shard of features on disk: arrays that any tool can open, and their description.

A shard ``NAME`` is ``NAME.0.npy`` with the embeddings of the recordings, float16 of shape (windows, tokens, dim);
``NAME.1.npy`` and so on with those of the augmented copies, row by row; ``NAME.levels.npy`` with the level of each
window in dB, float32 of shape (windows,); and ``NAME.json``, the description with checksums. The description is written
last, so a shard without it does not exist. Equal embeddings give equal bytes.
"""

import os
import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.array_files.npy_header import HEADER_BYTES, npy_header
from ossicle.artefacts.features.entries import FeatureEntry, ShardIndex, read_shard_index, write_shard_index
from ossicle.artefacts.files import how_to_mend, naming, part_path, publish, sync
from ossicle.artefacts.filesystem.changes import make_folder, open_new, remove_file
from ossicle.artefacts.filesystem.reading import open_regular
from ossicle.core.errors import ArtefactError, OssicleError

DTYPE, LEVEL_DTYPE = np.dtype("<f2"), np.dtype("<f4")
SHARDS_A_FOLDER = 1000
"""Most shards in one folder."""
_READ_BYTES = 1 << 22


def shard_folder(folder: Path, name: str) -> Path:
    """Return the folder of a shard: shards from number 1,000 on have a subfolder for each thousand.

    So no folder holds more than the files of a thousand shards, however long the recordings are together.

    >>> shard_folder(Path("shards"), "shard-0999").as_posix(), shard_folder(Path("shards"), "shard-12345").as_posix()
    ('shards', 'shards/12')
    """
    number = name.rpartition("-")[2]
    thousand = int(number) // SHARDS_A_FOLDER if number.isascii() and number.isdigit() else 0
    return folder / f"{thousand:02d}" if thousand else folder


def index_file(folder: Path, name: str) -> Path:
    """Return the path of the description of a shard."""
    return shard_folder(folder, name) / f"{name}.json"


def array_file(folder: Path, name: str, copy: int = 0) -> Path:
    """Return the path of the embeddings of the recordings (0) or of a copy of a shard."""
    return shard_folder(folder, name) / f"{name}.{copy}.npy"


def levels_file(folder: Path, name: str) -> Path:
    """Return the path of the levels of a shard's windows."""
    return shard_folder(folder, name) / f"{name}.levels.npy"


class ShardWriter:
    """Write a shard recording by recording, block by block; it appears when :meth:`finish` returns.

    Leaving the ``with`` block before :meth:`finish` writes nothing.

    Parameters
    ----------
    folder, name
        Where to write.
    tokens, dim
        Shape of the embeddings of a window.
    copies
        Number of augmented copies of each recording.
    """

    def __init__(self, folder: Path, name: str, tokens: int, dim: int, copies: int = 0) -> None:
        self._folder, self._name = Path(folder), name
        self._inner, self._copies = (tokens, dim), copies
        self._paths = [*(array_file(self._folder, name, copy) for copy in range(copies + 1))]
        self._paths.append(levels_file(self._folder, name))
        self._parts = [part_path(path) for path in self._paths]
        self._handles: list[BinaryIO] = []
        self._stack = ExitStack()
        self._entries: list[FeatureEntry] = []
        self._rows = self._first = 0
        self._crc = [0] * len(self._paths)
        self._sums, self._squares = np.zeros(dim), np.zeros(dim)

    def __enter__(self) -> "ShardWriter":
        """Open the temporary files."""
        make_folder(shard_folder(self._folder, self._name))
        for part in self._parts:
            self._handles.append(self._stack.enter_context(open_new(part)))
            self._handles[-1].write(bytes(HEADER_BYTES))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove unfinished files."""
        self._stack.close()
        for part in self._parts:
            remove_file(part)

    def append(self, embeddings: Sequence[NDArray[np.float32]], levels_db: NDArray[np.float32]) -> None:
        """Add the next windows of the current recording.

        Parameters
        ----------
        embeddings
            Of the recording and of each copy: float32, finite, shape (k, tokens, dim).
        levels_db
            Levels of the windows, float32 of shape (k,).

        Raises
        ------
        ValueError
            For other shapes.
        OssicleError
            The embeddings are not finite or beyond the range of float16.
        """
        if len(embeddings) != self._copies + 1 or any(
            embedding.shape != (len(levels_db), *self._inner) for embedding in embeddings
        ):
            raise ValueError(f"{self._name}: embeddings must have the shape ({len(levels_db)}, *{self._inner})")
        arrays: list[NDArray[Any]] = []
        for embedding in embeddings:
            with np.errstate(over="ignore"):
                arrays.append(np.ascontiguousarray(embedding, dtype=DTYPE))
            if not np.isfinite(arrays[-1]).all():
                raise OssicleError(
                    f"{self._name}: the encoder returned NaN or values beyond the range of float16 (65504)"
                )
        stored = arrays[0].reshape(-1, self._inner[1]).astype(np.float64)
        self._sums += stored.sum(axis=0)
        self._squares += np.square(stored).sum(axis=0)
        arrays.append(np.ascontiguousarray(levels_db, dtype=LEVEL_DTYPE))
        for number, (path, handle, array) in enumerate(zip(self._paths, self._handles, arrays, strict=True)):
            with naming(path):
                handle.write(array.data)
            self._crc[number] = zlib.crc32(array.data, self._crc[number])
        self._rows += len(levels_db)

    def end_recording(self, recording_id: str) -> None:
        """End the current recording; the windows added next belong to another one."""
        *crc, levels_crc = self._crc
        windows = self._rows - self._first
        self._entries.append(FeatureEntry(recording_id, self._first, windows, tuple(crc), levels_crc))
        self._first, self._crc = self._rows, [0] * len(self._paths)

    def finish(self, left_out: dict[str, str]) -> ShardIndex:
        """Move the shard to its place and return its description.

        Parameters
        ----------
        left_out
            The recordings that could not be read, with the reason.
        """
        if self._first != self._rows:
            raise ValueError(f"{self._name}: the last recording was not ended")
        index = ShardIndex(
            *self._inner,
            self._copies,
            tuple(self._entries),
            dict(sorted(left_out.items())),
            tuple(self._sums.tolist()),
            tuple(self._squares.tolist()),
        )
        shape = (self._rows, *self._inner)
        headers = [npy_header(DTYPE.str, shape)] * (self._copies + 1) + [npy_header(LEVEL_DTYPE.str, shape[:1])]
        for path, handle, header in zip(self._paths, self._handles, headers, strict=True):
            with naming(path):
                handle.seek(0)
                handle.write(header)
                handle.close()
        described = index_file(self._folder, self._name)
        # Without its description the earlier shard does not exist, so new arrays never have an old one.
        if described.exists():
            remove_file(described)
            sync(described.parent)
        for part, path in zip(self._parts, self._paths, strict=True):
            publish(part, path)
        write_shard_index(described, index)
        return index


def open_array(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return an array of a shard, mapped read-only.

    Raises
    ------
    ArtefactError
        The file is missing, or its header or size differs from what the description says.
    """
    expected = HEADER_BYTES + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    try:
        with open_regular(path) as handle:
            header, size = handle.read(HEADER_BYTES), os.fstat(handle.fileno()).st_size
    except OSError as error:
        raise ArtefactError(f"{path}: {error.strerror or error}; {how_to_mend(path)}") from error
    # The description determines the header to the byte, so no untrusted header needs to be parsed.
    if header != npy_header(dtype.str, shape) or size != expected:
        raise ArtefactError(f"{path} is not the array that its description says; {how_to_mend(path)}")
    if shape[0] == 0:
        return np.zeros(shape, dtype)
    return np.asarray(np.memmap(path, dtype=dtype, mode="r", offset=HEADER_BYTES, shape=shape))


def shard_problems(folder: Path, name: str, copies: int | None = None) -> list[str]:
    """Return the problems of a shard, one line each; empty if every value is as it was written.

    Parameters
    ----------
    folder, name
        The shard.
    copies
        How many copies it must have; None accepts any number.
    """
    try:
        index = read_shard_index(index_file(folder, name))
        if copies is not None and index.copies != copies:
            return [f"{index_file(folder, name)}: it has {index.copies} augmented copies instead of {copies}"]
        shape = (index.windows, index.tokens, index.dim)
        problems: list[str] = []
        for copy in range(index.copies + 1):
            path = array_file(folder, name, copy)
            open_array(path, DTYPE, shape)
            row_bytes = index.tokens * index.dim * DTYPE.itemsize
            expected = [(entry.recording_id, entry.windows * row_bytes, entry.crc[copy]) for entry in index.entries]
            problems += _damaged(path, expected)
        path = levels_file(folder, name)
        open_array(path, LEVEL_DTYPE, shape[:1])
        levels = [
            (entry.recording_id, entry.windows * LEVEL_DTYPE.itemsize, entry.levels_crc) for entry in index.entries
        ]
        problems += _damaged(path, levels)
    except ArtefactError as error:
        return [str(error)]
    return problems


def _damaged(path: Path, expected: Sequence[tuple[str, int, int]]) -> list[str]:
    """Compare the stretches of a file (recording, bytes, CRC-32), one after the other, with their checksums."""
    problems = []
    with open_regular(path) as handle:
        handle.seek(HEADER_BYTES)
        for recording_id, n_bytes, crc in expected:
            checksum = 0
            while n_bytes > 0 and (block := handle.read(min(n_bytes, _READ_BYTES))):
                checksum, n_bytes = zlib.crc32(block, checksum), n_bytes - len(block)
            if checksum != crc or n_bytes:
                problems.append(f"{path}: recording {recording_id}: its values are damaged (CRC-32)")
    return problems
