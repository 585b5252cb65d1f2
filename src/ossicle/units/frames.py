"""The frames of segments, wherever they lie: in memory or in feature shards larger than the memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.array_files.npy_header import HEADER_BYTES
from ossicle.artefacts.features.shard import DTYPE, array_file, open_array
from ossicle.artefacts.files import how_to_mend
from ossicle.artefacts.filesystem.reading import open_regular
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.core.errors import ArtefactError

Frames = NDArray[np.float32]
Indices = NDArray[np.int64]


class FrameRows(Protocol):
    """Frames, one a row, that are read in stretches."""

    @property
    def dim(self) -> int:
        """Length of a frame."""
        ...

    def read(self, first: int, target: Frames) -> None:
        """Fill ``target`` (n, dim), float32 and C-ordered, with rows ``first`` to ``first + n``."""
        ...


class ArrayRows:
    """Frames in memory.

    Parameters
    ----------
    values
        Shape (n, dim), float16 or float32.
    """

    def __init__(self, values: NDArray[np.floating]) -> None:
        self._values = values

    @property
    def dim(self) -> int:
        """Length of a frame."""
        return int(self._values.shape[1])

    def read(self, first: int, target: Frames) -> None:
        """Fill ``target`` with rows from ``first`` on."""
        np.copyto(target, self._values[first : first + len(target)])


class ShardRows:
    """Frames in the arrays of feature shards, one shard after the other.

    They are read, not mapped, because mapped pages would count as memory of the process. Threads may share an object.

    Parameters
    ----------
    files
        The array of each shard, in order.
    rows
        Number of its rows.
    dim
        Length of a frame.
    """

    def __init__(self, files: Sequence[Path], rows: Sequence[int], dim: int) -> None:
        self._files, self._dim = tuple(files), dim
        self._ends = np.cumsum(rows, dtype=np.int64)

    @property
    def dim(self) -> int:
        """Length of a frame."""
        return self._dim

    def read(self, first: int, target: Frames) -> None:
        """Fill ``target`` with rows from ``first`` on; raises ArtefactError if a file is shorter than stated."""
        done = 0
        while done < len(target):
            row = first + done
            shard = int(np.searchsorted(self._ends, row, side="right"))
            start = int(self._ends[shard - 1]) if shard else 0
            count = min(int(self._ends[shard]) - row, len(target) - done)
            self._read(self._files[shard], row - start, target[done : done + count])
            done += count

    def _read(self, path: Path, row: int, target: Frames) -> None:
        stored = np.empty(target.shape, DTYPE)
        with open_regular(path) as handle:
            handle.seek(HEADER_BYTES + row * self._dim * DTYPE.itemsize)
            if handle.readinto(stored.data.cast("B")) < stored.nbytes:
                raise ArtefactError(f"{path} is shorter than its description says; {how_to_mend(path)}")
        to_single(stored, target)


def to_single(half: NDArray[np.float16], target: Frames) -> None:
    """Convert finite float16 to float32, 3 times as fast as NumPy's own conversion, to the same values.

    The bits of exponent and fraction move to their places in a float32, whose exponent is then too small by 112; a
    product by 2^112 corrects it, also for the smallest numbers, which have no leading 1.

    Parameters
    ----------
    half
        Finite values, C-ordered.
    target
        float32 of the same shape, C-ordered; overwritten.
    """
    bits = target.view(np.uint32)
    np.copyto(bits, half.view(np.uint16))
    sign = np.bitwise_and(bits, np.uint32(0x8000))
    np.left_shift(sign, np.uint32(16), out=sign)
    np.bitwise_and(bits, np.uint32(0x7FFF), out=bits)
    np.left_shift(bits, np.uint32(13), out=bits)
    np.multiply(target, np.float32(2.0**112), out=target)
    np.bitwise_or(bits, sign, out=bits)


@dataclass(frozen=True, eq=False)
class SegmentFrames:
    """Frames of segments, in their order.

    Attributes
    ----------
    source
        The rows.
    ids
        Names of the segments.
    groups
        Group of each segment, for example its speaker; empty if it has none.
    first, count
        First row of each segment in the source, and number of its rows; int64, shape (n_segments,).

    Examples
    --------
    >>> frames = SegmentFrames.of_arrays({"a": np.zeros((3, 2), np.float32), "b": np.ones((1, 2), np.float32)})
    >>> frames.n_frames, frames.only(np.array([False, True])).ids
    (4, ('b',))
    """

    source: FrameRows
    ids: tuple[str, ...]
    groups: tuple[str, ...]
    first: Indices
    count: Indices

    @classmethod
    def of_arrays(cls, frames: Mapping[str, NDArray[np.floating]], groups: Mapping[str, str] | None = None) -> Self:
        """Return frames that are in memory.

        Parameters
        ----------
        frames
            Frames by segment, each of shape (n, dim); at least one segment.
        groups
            Groups by segment; None: no segment has one.
        """
        count = np.array([len(frame) for frame in frames.values()], np.int64)
        named = groups or {}
        whole = ArrayRows(np.concatenate(list(frames.values())))
        return cls(whole, tuple(frames), tuple(named.get(key, "") for key in frames), np.cumsum(count) - count, count)

    @classmethod
    def of_shards(cls, features: FeaturesFolder, groups: Mapping[str, str] | None = None) -> Self:
        """Return the frames in feature shards, which are read when they are needed.

        Parameters
        ----------
        features
            The artefact of the step ``features``.
        groups
            Groups by segment; None: no segment has one.

        Raises
        ------
        ArtefactError
            A shard is missing, damaged, or does not hold frames.
        """
        files, rows, ids, first, count = [], [], [], [], []
        before = 0
        if not features.of_frames:
            raise ArtefactError(f"{features.summary_file}: these are embeddings of windows, not frames of segments")
        for name in features.shard_names:
            index = features.indexes[name]
            path = array_file(features.shards, name)
            open_array(path, DTYPE, (index.windows, index.tokens, index.dim))
            files.append(path)
            rows.append(index.windows)
            for entry in index.entries:
                if entry.recording_id not in index.left_out:
                    ids.append(entry.recording_id)
                    first.append(before + entry.first)
                    count.append(entry.windows)
            before += index.windows
        named = groups or {}
        return cls(
            ShardRows(files, rows, features.spec.dim),
            tuple(ids),
            tuple(named.get(key, "") for key in ids),
            np.array(first, np.int64),
            np.array(count, np.int64),
        )

    @property
    def dim(self) -> int:
        """Length of a frame."""
        return self.source.dim

    @property
    def n_frames(self) -> int:
        """Number of frames of all segments."""
        return int(self.count.sum())

    @cached_property
    def ends(self) -> Indices:
        """Number of frames up to the end of each segment; int64, shape (n_segments,)."""
        return np.cumsum(self.count)

    def only(self, is_kept: NDArray[np.bool_]) -> "SegmentFrames":
        """Return the segments for which ``is_kept`` (n_segments,) is true."""
        places = np.flatnonzero(is_kept)
        return SegmentFrames(
            self.source,
            tuple(self.ids[i] for i in places),
            tuple(self.groups[i] for i in places),
            self.first[places],
            self.count[places],
        )
