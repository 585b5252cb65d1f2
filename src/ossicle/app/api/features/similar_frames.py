"""Search the frames of segments for the stretches that sound most like a given one, in the same order of sounds."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.core.errors import UsageError

PARTS = 4
"""Parts of a stretch whose mean frames are compared, each with the part at its place."""

_LEAST_DEVIATION = 1e-6

Frames = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FrameHit:
    """A stretch of a segment: its cosine similarity, and its first frame."""

    similarity: float
    segment_id: str
    first: int


def similar_frames(features: FeaturesFolder, example: Frames, most: int) -> list[FrameHit]:
    """Return the stretches that are most like an example, the most similar first; none overlaps a better one.

    Every dimension is centred and divided by its deviation over all frames. A stretch is as long as the example.
    Its quarters are averaged, and the four means are compared with those of the example by the cosine.

    Parameters
    ----------
    features
        Features of frames.
    example
        float32, shape (n, dim), n at least 1.
    most
        How many stretches to return.

    Raises
    ------
    UsageError
        The example is longer than every segment.
    """
    mean, deviation = features.scale()
    scale = 1 / np.where(deviation > _LEAST_DEVIATION, deviation, np.inf)
    query = _means((example - mean) * scale, len(example))[0]
    hits: Iterable[FrameHit] = (
        hit
        for segment_id, frames, _ in features.frames()
        if len(frames) >= len(example)
        for hit in _best((frames - mean) * scale, query, len(example), segment_id, most)
    )
    frame_hits = heapq.nsmallest(most, hits, key=lambda hit: (-hit.similarity, hit.segment_id, hit.first))
    if not frame_hits:
        raise UsageError(
            f"the example has {len(example) * features.hop_s:.2f} s, and every segment is shorter; give a part of it "
            "with --start-s and --duration-s"
        )
    return frame_hits


def _means(frames: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return the mean frames of the parts of each stretch of ``n`` frames, as unit vectors (stretches, parts * dim)."""
    count = len(frames) - n + 1
    sums = np.concatenate([np.zeros((1, frames.shape[1])), np.cumsum(frames, axis=0)])
    edges = np.linspace(0, n, min(PARTS, n) + 1).astype(int)
    parts = [
        (sums[stop : stop + count] - sums[start : start + count]) / (stop - start) for start, stop in _pairs(edges)
    ]
    vectors: NDArray[np.float64] = np.concatenate(parts, axis=1)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    return vectors


def _pairs(edges: NDArray[np.integer]) -> Iterator[tuple[int, int]]:
    yield from zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)


def _best(
    frames: NDArray[np.float64], query: NDArray[np.float64], n: int, segment_id: str, most: int
) -> Iterator[FrameHit]:
    """Yield the best stretches of a segment that do not overlap."""
    scores = _means(frames, n) @ query
    for _ in range(most):
        first = int(scores.argmax())
        if scores[first] == -np.inf:
            return
        yield FrameHit(float(scores[first]), segment_id, first)
        scores[max(0, first - n + 1) : first + n] = -np.inf
