"""Frames of many segments, normalised, in blocks that do not depend on how they are stored."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from ossicle.units.frames import Frames, Indices, SegmentFrames
from ossicle.units.normalisation import (
    CORPUS,
    GROUP,
    NONE,
    SEGMENT,
    SUM_FRAMES,
    FrameStatistics,
    FrameSums,
    Normalisation,
)

_READ_FRAMES = SUM_FRAMES
# Statistics of segments that are kept while blocks pass through them.
_KEPT_SEGMENTS = 256

GroupStatistics = Mapping[str, FrameStatistics]


class NormalisedFrames:
    """Frames of segments in one row, normalised as ``Quantiser.assign`` does: to the same bits.

    Parameters
    ----------
    frames
        The segments.
    normalisation
        How they are normalised.
    own
        Statistics by group, for the normalisation ``group``.

    Raises
    ------
    KeyError
        A group has no statistics.
    """

    def __init__(
        self, frames: SegmentFrames, normalisation: Normalisation, statistics_by_group: GroupStatistics | None = None
    ) -> None:
        self.frames, self._normalisation = frames, normalisation
        self._statistics = (
            [dict(statistics_by_group or {})[group] for group in frames.groups] if normalisation.kind == GROUP else []
        )
        self._starts = frames.ends - frames.count
        self._segment = lru_cache(maxsize=_KEPT_SEGMENTS)(lambda number: segment_sums(frames, number).statistics())

    def __len__(self) -> int:
        """Return the number of frames."""
        return self.frames.n_frames

    @property
    def dim(self) -> int:
        """Length of a frame."""
        return self.frames.dim

    def block(self, first: int, count: int) -> Frames:
        """Return frames ``first`` to ``first + count`` of all segments in a row: float32 (count, dim)."""
        frames = np.empty((count, self.dim), np.float32)
        segment = int(np.searchsorted(self.frames.ends, first, side="right"))
        done = 0
        while done < count:
            offset = first + done - int(self._starts[segment])
            n = min(int(self.frames.count[segment]) - offset, count - done)
            # Segments that lie side by side and are normalised alike are read at once.
            last = segment
            while done + n < count and self._same_statistics(last, last + 1):
                last += 1
                n += min(int(self.frames.count[last]), count - done - n)
            part = frames[done : done + n]
            self.frames.source.read(int(self.frames.first[segment]) + offset, part)
            self._normalise(part, segment)
            done += n
            segment = last + 1
        return frames

    def take(self, places: Indices) -> Frames:
        """Return the frames at sorted ``places`` (n,) among all segments in a row: float32 (n, dim)."""
        frames = np.empty((len(places), self.dim), np.float32)
        position = 0
        while position < len(places):
            first = int(places[position])
            stop = int(np.searchsorted(places, first + _READ_FRAMES))
            block = self.block(first, int(places[stop - 1]) - first + 1)
            frames[position:stop] = block[places[position:stop] - first]
            position = stop
        return frames

    def _same_statistics(self, first: int, other: int) -> bool:
        frames, kind = self.frames, self._normalisation.kind
        beside = frames.first[first] + frames.count[first] == frames.first[other]
        return bool(beside) and (
            kind in (NONE, CORPUS) or (kind == GROUP and frames.groups[first] == frames.groups[other])
        )

    def _normalise(self, part: Frames, segment: int) -> None:
        kind, corpus = self._normalisation.kind, self._normalisation.corpus
        if kind == NONE:
            return
        if kind == CORPUS:
            mean, scale = corpus.mean, corpus.scale
        elif kind == SEGMENT:
            mean, scale = self._segment(segment).mean, corpus.scale
        else:
            mean, scale = self._statistics[segment].mean, self._statistics[segment].scale
        part -= mean
        part /= scale


def segment_sums(frames: SegmentFrames, segment: int, into: FrameSums | None = None) -> FrameSums:
    """Return the sums over one segment, read in bounded pieces, added to those of ``into`` if it is given."""
    sums = into or FrameSums(frames.dim)
    first, count = int(frames.first[segment]), int(frames.count[segment])
    for start in range(0, count, _READ_FRAMES):
        part = np.empty((min(_READ_FRAMES, count - start), frames.dim), np.float32)
        frames.source.read(first + start, part)
        sums.add(part)
    return sums


def group_statistics(frames: SegmentFrames) -> dict[str, FrameStatistics]:
    """Return the statistics of all frames of each group, its segments added in order."""
    sums: dict[str, FrameSums] = {}
    for segment, group in enumerate(frames.groups):
        segment_sums(frames, segment, sums.setdefault(group, FrameSums(frames.dim)))
    return {group: frame_sums.statistics() for group, frame_sums in sums.items()}


def normalisation_of(kind: str, frames: SegmentFrames) -> Normalisation:
    """Return a normalisation with the corpus statistics of frames.

    Parameters
    ----------
    kind
        One of ``NORMALISATIONS``.
    frames
        The training frames.
    """
    unit = FrameStatistics(np.zeros(frames.dim, np.float32), np.ones(frames.dim, np.float32))
    if kind not in (CORPUS, SEGMENT):
        return Normalisation(kind, unit)
    total = FrameSums(frames.dim)
    for segment in range(len(frames.ids)):
        sums = segment_sums(frames, segment)
        total.merge(sums.centred() if kind == SEGMENT else sums)
    return Normalisation(kind, total.statistics())
