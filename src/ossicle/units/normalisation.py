"""Normalisation of frames before clustering: what differs between speakers, microphones and dimensions is removed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NONE, CORPUS, SEGMENT, GROUP = "none", "corpus", "segment", "group"
NORMALISATIONS = (NONE, CORPUS, SEGMENT, GROUP)
"""What mean and scale are taken from, see :class:`Normalisation`."""

SUM_FRAMES = 4096
"""Frames that are summed at once; whoever reads a segment in pieces of this length gets the bytes of its whole."""
_LEAST_SCALE = 1e-6

Values = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class FrameStatistics:
    """Mean and scale of some frames.

    Attributes
    ----------
    mean, scale
        float32, shape (dim,). The scale is the standard deviation, or 1 where a dimension is constant.
    """

    mean: Values
    scale: Values

    def apply(self, frames: NDArray[np.floating]) -> Values:
        """Return frames (n, dim) with the mean subtracted and divided by the scale: float32 (n, dim)."""
        normalised: Values = np.subtract(frames, self.mean, dtype=np.float32)
        normalised /= self.scale
        return normalised


class FrameSums:
    """Collects frames block by block, in float64, and gives their statistics.

    The order of the blocks and their sizes change the result by rounding only; equal blocks in equal order give equal
    bytes.

    Examples
    --------
    >>> sums = FrameSums(1)
    >>> sums.add(np.array([[1.0], [3.0]], np.float32))
    >>> float(sums.statistics().mean[0]), float(sums.statistics().scale[0])
    (2.0, 1.0)
    """

    def __init__(self, dim: int) -> None:
        self.count = 0
        self.sums = np.zeros(dim)
        self.squares = np.zeros(dim)

    def add(self, frames: NDArray[np.floating]) -> None:
        """Add frames of shape (n, dim)."""
        for first in range(0, len(frames), SUM_FRAMES):
            exact = frames[first : first + SUM_FRAMES].astype(np.float64)
            self.count += len(exact)
            self.sums += exact.sum(axis=0)
            self.squares += np.square(exact).sum(axis=0)

    def merge(self, other: "FrameSums") -> None:
        """Add the frames that ``other`` collected."""
        self.count += other.count
        self.sums += other.sums
        self.squares += other.squares

    def centred(self) -> "FrameSums":
        """Return the sums of the same frames with their mean subtracted."""
        centred_sums = FrameSums(len(self.sums))
        centred_sums.count = self.count
        centred_sums.squares = np.maximum(self.squares - self.sums**2 / max(self.count, 1), 0.0)
        return centred_sums

    def statistics(self) -> FrameStatistics:
        """Return mean and scale of the frames so far; 0 and 1 where there are none."""
        count = max(self.count, 1)
        mean = self.sums / count
        scale = np.sqrt(np.maximum(self.squares / count - mean**2, 0.0))
        # A constant dimension tells nothing apart, and dividing by almost 0 would blow up its rounding errors.
        scale[scale < _LEAST_SCALE * np.maximum(np.abs(mean), 1.0)] = 1.0
        return FrameStatistics(mean.astype(np.float32), scale.astype(np.float32))


def statistics_of(frames: NDArray[np.floating]) -> FrameStatistics:
    """Return the statistics of frames of shape (n, dim)."""
    sums = FrameSums(frames.shape[1])
    sums.add(frames)
    return sums.statistics()


@dataclass(frozen=True, slots=True, eq=False)
class Normalisation:
    """How frames are normalised before they are compared with centres.

    Attributes
    ----------
    kind
        ``none``: not at all. ``corpus``: by mean and scale of the training frames. ``segment``: each segment by its own
        mean, and by the scale of the training frames, because a segment may be too short for a scale. ``group``: each
        group (a speaker, a microphone) by its own mean and scale.
    corpus
        Mean and scale of the training frames; of ``segment``, after each segment's mean was subtracted; of ``none``, 0
        and 1. ``group`` does not use it.

    Raises
    ------
    ValueError
        For another kind, or statistics that are not finite and of one dimension, or a scale that no training gives.

    Examples
    --------
    >>> frames = np.array([[1.0], [3.0]], np.float32)
    >>> Normalisation("group", statistics_of(frames)).apply(frames + 5).ravel().tolist()
    [-1.0, 1.0]
    """

    kind: str
    corpus: FrameStatistics

    def __post_init__(self) -> None:
        """Reject what no training can have left."""
        mean, scale = self.corpus.mean, self.corpus.scale
        if self.kind not in NORMALISATIONS:
            raise ValueError(f"normalisation = {self.kind!r} is not one of: {', '.join(NORMALISATIONS)}")
        if mean.ndim != 1 or mean.shape != scale.shape:
            raise ValueError(f"mean and scale have the shapes {mean.shape} and {scale.shape}, not (dim,)")
        if not (np.isfinite(mean).all() and np.isfinite(scale).all() and (scale >= np.float32(_LEAST_SCALE)).all()):
            raise ValueError(f"mean or scale has a value that is not finite, or a scale below {_LEAST_SCALE:g}")

    def apply(self, frames: NDArray[np.floating], statistics: FrameStatistics | None = None) -> Values:
        """Return normalised frames.

        Parameters
        ----------
        frames
            Frames of one segment, shape (n, dim).
        statistics
            Statistics of their segment or group; None: those of ``frames`` themselves, so give all frames of a segment
            at once. ``none`` and ``corpus`` do not use it.

        Returns
        -------
        Values
            float32, shape (n, dim).
        """
        if self.kind == NONE or len(frames) == 0:
            return frames.astype(np.float32)
        if self.kind == CORPUS:
            return self.corpus.apply(frames)
        statistics = statistics or statistics_of(frames)
        return (
            statistics.apply(frames)
            if self.kind == GROUP
            else FrameStatistics(statistics.mean, self.corpus.scale).apply(frames)
        )
