"""Score tracks on disk, written and read in blocks.

A track ``name`` is two files: ``name.npy``, float32 of shape (n_frames, n_labels) in NumPy's own format, which any tool
can open and map; and ``name.json`` with labels, hop, duration and number of frames. The header of the ``.npy`` has a
fixed length and is written last, so the number of frames need not be known at the start. The ``.json`` is added last
and removed first: a track without it does not exist.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.array_files.npy_header import HEADER_BYTES, npy_header
from ossicle.artefacts.files import file_digest, how_to_mend, naming, part_path, publish, read_json, sync, write_json
from ossicle.artefacts.filesystem.changes import make_folder, open_new, remove_file
from ossicle.artefacts.filesystem.reading import open_regular
from ossicle.core.digest import digest
from ossicle.core.errors import ArtefactError
from ossicle.core.tracks import ScoreTrack

_CHECKED_FRAMES = 1 << 16
FORMAT_VERSION = 1
_DTYPE = np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class TrackInfo:
    """Description of a track without its scores: hop and duration in seconds."""

    labels: tuple[str, ...]
    hop_s: float
    duration_s: float
    n_frames: int


def track_files(path: Path) -> tuple[Path, Path]:
    """Return the ``.npy`` and ``.json`` of the track ``path``, whose name may contain dots."""
    path = Path(path)
    return path.with_name(f"{path.name}.npy"), path.with_name(f"{path.name}.json")


class TrackWriter:
    """Write the scores of one recording block by block; the track appears when :meth:`finish` returns.

    Leaving the ``with`` block before :meth:`finish`, by an exception or not, writes nothing and keeps an earlier track.

    Parameters
    ----------
    path
        The track's name without a suffix.
    labels
        Its distinct labels.
    hop_s
        Length of a frame in seconds.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with TrackWriter(Path(folder) / "tape 1.2", ("call",), hop_s=0.01) as writer:
    ...         writer.append(np.zeros((3, 1), np.float32))
    ...         writer.finish(duration_s=0.03)
    ...     read_track(Path(folder) / "tape 1.2").scores.shape
    (3, 1)
    """

    def __init__(self, path: Path, labels: Sequence[str], hop_s: float) -> None:
        if not labels or len(set(labels)) != len(labels):
            raise ValueError(f"a track needs at least one label and each only once, not {list(labels)}")
        if not (isfinite(hop_s) and hop_s > 0):
            raise ValueError(f"hop_s = {hop_s} must be a positive number of seconds")
        self._array, self._sidecar = track_files(path)
        self._labels = tuple(labels)
        self._hop_s = float(hop_s)
        self._n_frames = 0
        self._part = part_path(self._array)
        self._handle: BinaryIO | None = None

    def __enter__(self) -> "TrackWriter":
        """Open the temporary file."""
        make_folder(self._part.parent)
        self._handle = open_new(self._part)
        with naming(self._array):
            self._handle.write(bytes(HEADER_BYTES))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove an unfinished file."""
        handle, self._handle = self._handle, None
        if handle is not None:
            # Closing writes what is still in memory; on a full disk that fails too, and the first error names the file.
            with suppress(OSError):
                handle.close()
        remove_file(self._part)

    def append(self, scores: NDArray[np.float32]) -> None:
        """Add the next frames: float32, finite, shape (k, n_labels), k >= 0; raises ValueError otherwise."""
        if scores.dtype != np.float32 or scores.ndim != 2 or scores.shape[1] != len(self._labels):
            raise ValueError(
                f"{self._array}: scores must be float32 of shape (frames, {len(self._labels)}), "
                f"not {scores.dtype} of shape {scores.shape}"
            )
        if not np.isfinite(scores).all():
            first = self._n_frames + int(np.argwhere(~np.isfinite(scores))[0, 0])
            raise ValueError(f"{self._array}: the score of frame {first} is not a finite number")
        with naming(self._array):
            self._open().write(np.ascontiguousarray(scores, dtype=_DTYPE).data)
        self._n_frames += len(scores)

    def finish(self, duration_s: float) -> None:
        """Move the track to its path; ``duration_s`` is the recording's length in seconds."""
        if not (isfinite(duration_s) and duration_s >= 0):
            raise ValueError(f"{self._array}: duration_s = {duration_s} must be a number of seconds")
        handle = self._open()
        with naming(self._array):
            handle.seek(0)
            handle.write(_header(self._n_frames, len(self._labels)))
            handle.close()
        self._handle = None
        # Without its sidecar the earlier track does not exist, so new scores never have an old description.
        if self._sidecar.exists():
            remove_file(self._sidecar)
            sync(self._sidecar.parent)
        publish(self._part, self._array)
        write_json(
            self._sidecar,
            {
                "format": FORMAT_VERSION,
                "labels": self._labels,
                "hop_s": self._hop_s,
                "duration_s": float(duration_s),
                "n_frames": self._n_frames,
            },
        )

    def _open(self) -> BinaryIO:
        if self._handle is None:
            raise RuntimeError("a TrackWriter writes inside its `with` block and before finish()")
        return self._handle


def write_track(path: Path, track: ScoreTrack) -> None:
    """Write a track from memory; scores of shape (n_frames, n_labels)."""
    with TrackWriter(path, track.labels, track.hop_s) as writer:
        writer.append(track.scores)
        writer.finish(track.duration_s)


def track_info(path: Path) -> TrackInfo:
    """Return the description of a track, checked against its scores' header and size; raises ArtefactError."""
    array, sidecar = track_files(path)
    info = _parse(read_json(sidecar), sidecar)
    expected = HEADER_BYTES + info.n_frames * len(info.labels) * _DTYPE.itemsize
    try:
        size = os.path.getsize(array)
        with open_regular(array) as handle:
            header = handle.read(HEADER_BYTES)
    except FileNotFoundError:
        raise ArtefactError(f"{array} is missing beside {sidecar.name}; {how_to_mend(array)}") from None
    # The sidecar determines the header to the byte, so no untrusted header needs to be parsed.
    if header != _header(info.n_frames, len(info.labels)):
        raise ArtefactError(f"{array} is not the array that {sidecar.name} describes; {how_to_mend(array)}")
    if size != expected:
        raise ArtefactError(f"{array} has {size} bytes instead of {expected}; {how_to_mend(array)}")
    return info


def read_track(path: Path) -> ScoreTrack:
    """Return the track at ``path`` (a name without suffix), with its scores mapped read-only.

    Raises
    ------
    ArtefactError
        If the track is missing or damaged.
    """
    info, (array, _) = track_info(path), track_files(path)
    shape = (info.n_frames, len(info.labels))
    scores: NDArray[np.float32] = (
        np.asarray(np.memmap(array, dtype=_DTYPE, mode="r", offset=HEADER_BYTES, shape=shape))
        if info.n_frames
        else np.zeros(shape, np.float32)
    )
    try:
        return ScoreTrack(info.labels, scores, info.hop_s, info.duration_s)
    except ValueError as error:
        raise ArtefactError(f"{array}: {error}; {how_to_mend(array)}") from None


def require_finite(path: Path) -> None:
    """Check that a track on the disk still holds numbers only, as its writer made sure; memory is one block.

    Parameters
    ----------
    path
        The track, without a suffix.

    Raises
    ------
    ArtefactError
        The track is missing or damaged; the message names its file.
    """
    first = 0
    for block in iter_blocks(path, _CHECKED_FRAMES):
        if not np.isfinite(np.sum(block, dtype=np.float64)):
            array = track_files(path)[0]
            frame = first + int(np.argwhere(~np.isfinite(block))[0, 0])
            raise ArtefactError(f"{array} is damaged: frame {frame} holds NaN or Inf; {how_to_mend(array)}")
        first += len(block)


def iter_blocks(path: Path, block_frames: int) -> Iterator[NDArray[np.float32]]:
    """Yield the scores of a track in order, at most ``block_frames`` frames each: float32, shape (k, n_labels).

    Blocks are read, not mapped, so memory stays at one block. The track is checked at the call; raises ArtefactError.
    """
    if block_frames < 1:
        raise ValueError(f"block_frames = {block_frames} must be at least 1")
    return _blocks(track_files(path)[0], track_info(path), block_frames)


def _blocks(array: Path, info: TrackInfo, block_frames: int) -> Iterator[NDArray[np.float32]]:
    n_labels = len(info.labels)
    with open_regular(array) as handle:
        handle.seek(HEADER_BYTES)
        for start in range(0, info.n_frames, block_frames):
            count = min(block_frames, info.n_frames - start) * n_labels
            values = np.fromfile(handle, dtype=_DTYPE, count=count)
            if len(values) != count:
                raise ArtefactError(f"{array} ended at frame {start} while it was read; {how_to_mend(array)}")
            yield values.reshape(-1, n_labels)


def _header(n_frames: int, n_labels: int) -> bytes:
    return npy_header(_DTYPE.str, (n_frames, n_labels))


def _parse(value: Any, sidecar: Path) -> TrackInfo:
    """Return the sidecar's JSON as TrackInfo; ArtefactError names the file and the key."""
    if not isinstance(value, dict) or value.get("format") != FORMAT_VERSION:
        raise ArtefactError(f"{sidecar}: not a score track of format {FORMAT_VERSION}; {how_to_mend(sidecar)}")
    labels, n_frames = value.get("labels"), value.get("n_frames")
    hop_s, duration_s = value.get("hop_s"), value.get("duration_s")
    if not (isinstance(labels, list) and labels and all(isinstance(label, str) for label in labels)):
        raise ArtefactError(f"{sidecar}: `labels` is not a list of names; {how_to_mend(sidecar)}")
    if isinstance(n_frames, bool) or not isinstance(n_frames, int) or n_frames < 0:
        raise ArtefactError(f"{sidecar}: `n_frames` is not a count; {how_to_mend(sidecar)}")
    if not isinstance(hop_s, float) or hop_s <= 0:
        raise ArtefactError(f"{sidecar}: `hop_s` is not a positive number of seconds; {how_to_mend(sidecar)}")
    if not isinstance(duration_s, float) or duration_s < 0:
        raise ArtefactError(f"{sidecar}: `duration_s` is not a number of seconds; {how_to_mend(sidecar)}")
    return TrackInfo(tuple(labels), hop_s, duration_s, n_frames)


def track_digest(path: Path) -> str:
    """Return the digest of a track's two files, empty where one of them is missing."""
    files = track_files(path)
    return digest([file_digest(file) for file in files]) if all(file.exists() for file in files) else ""
