"""Exact search for the windows whose embeddings are most like a given one, by cosine similarity.

Embeddings are read block by block into buffers that fit a core's cache, not mapped, so memory does not grow with their
number. Threads share the blocks. Sums are NumPy's own: the products are too small for BLAS threads.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.files import how_to_mend
from ossicle.artefacts.filesystem.reading import open_regular
from ossicle.core.errors import ArtefactError

BLOCK_VALUES = 1 << 17
"""Values of a block: half a megabyte in float32."""
_LEAST_NORM = 1e-12

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class StoredRows:
    """An array of float16 in a file: ``rows`` windows of (tokens, dim) from byte ``offset`` on."""

    path: Path
    offset: int
    rows: int
    tokens: int
    dim: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A window that was found: its cosine similarity, the number of its array, and its row there."""

    similarity: float
    array: int
    row: int


def search(
    arrays: Sequence[StoredRows],
    query: Vector,
    most: int,
    *,
    centre: Vector | None = None,
    scale: Vector | None = None,
    threads: int = 2,
) -> list[Hit]:
    """Return the windows most like ``query``, the most similar first; equal ones by array and row.

    Parameters
    ----------
    arrays
        The embeddings. Of windows with several tokens the mean is compared.
    query
        float32, shape (dim,), already centred and scaled.
    most
        How many windows to return.
    centre, scale
        Subtracted from every embedding, and then multiplied with it; float32, shape (dim,). None changes nothing.
    threads
        Threads that share the work; they do not change the result.

    Raises
    ------
    ArtefactError
        A file is shorter than stated.
    """
    blocks = [
        (number, first, min(_rows(stored_rows), stored_rows.rows - first))
        for number, stored_rows in enumerate(arrays)
        for first in range(0, stored_rows.rows, _rows(stored_rows))
    ]
    unit = query / max(float(np.linalg.norm(query)), _LEAST_NORM)
    similarities: list[NDArray[np.float32]] = [np.zeros(stored_rows.rows, np.float32) for stored_rows in arrays]

    def work(part: int) -> None:
        reader = _Reader(arrays)
        with reader:
            for number, first, count in blocks[part::threads]:
                block = reader.block(number, first, count)
                if centre is not None:
                    np.subtract(block, centre, out=block)
                if scale is not None:
                    np.multiply(block, scale, out=block)
                norms = np.sqrt(np.einsum("ij,ij->i", block, block))
                dots = np.einsum("ij,j->i", block, unit)
                similarities[number][first : first + count] = dots / np.maximum(norms, np.float32(_LEAST_NORM))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    return _best(similarities, most)


def _rows(stored_rows: StoredRows) -> int:
    return max(1, BLOCK_VALUES // (stored_rows.tokens * stored_rows.dim))


class _Reader:
    """Reads blocks of one thread into its own buffers; one file is open at a time."""

    def __init__(self, arrays: Sequence[StoredRows]) -> None:
        self._arrays = arrays
        values = max((_rows(stored_rows) * stored_rows.tokens * stored_rows.dim for stored_rows in arrays), default=0)
        self._half, self._single = np.empty(values, "<f2"), np.empty(values, np.float32)
        self._number = -1
        self._file: BufferedReader | None = None

    def __enter__(self) -> "_Reader":
        return self

    def __exit__(self, *raised: object) -> None:
        if self._file is not None:
            self._file.close()

    def block(self, number: int, first: int, count: int) -> Vector:
        """Return the mean tokens of windows [first, first + count) of an array: float32 (count, dim), to be changed."""
        stored_rows = self._arrays[number]
        if self._file is None or number != self._number:
            if self._file is not None:
                self._file.close()
            self._file, self._number = open_regular(stored_rows.path), number
        width = stored_rows.tokens * stored_rows.dim
        half, single = self._half[: count * width], self._single[: count * width]
        self._file.seek(stored_rows.offset + first * width * half.itemsize)
        if self._file.readinto(half.data.cast("B")) < half.nbytes:
            raise ArtefactError(
                f"{stored_rows.path} is shorter than its description says; {how_to_mend(stored_rows.path)}"
            )
        np.copyto(single, half)
        tokens = single.reshape(count, stored_rows.tokens, stored_rows.dim)
        return tokens[:, 0] if stored_rows.tokens == 1 else tokens.mean(axis=1)


def _best(similarities: Sequence[NDArray[np.float32]], most: int) -> list[Hit]:
    """Return the ``most`` largest values of several arrays; ties by position."""
    hits: list[Hit] = []
    for number, values in enumerate(similarities):
        if len(values) > most:
            least = np.partition(values, len(values) - most)[len(values) - most]
            rows = np.flatnonzero(values >= least)
        else:
            rows = np.arange(len(values))
        hits += [Hit(float(values[row]), number, int(row)) for row in rows]
    return sorted(hits, key=lambda hit: (-hit.similarity, hit.array, hit.row))[:most]
