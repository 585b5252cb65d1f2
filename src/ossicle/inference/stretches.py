"""Scores of stretches of a recording, each read in windows of its own instead of the grid of the whole recording.

A window model that reads a whole recording puts its windows on a fixed grid. To judge one hit, the window must lie at
the onset, as in training. The samples around a stretch are those of the recording.
"""

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.decoding.stretches import stretches_of
from ossicle.core.errors import OssicleError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.scores.pooling import MAX, POOLS
from ossicle.inference.batch import SampleStream
from ossicle.inference.predictor import Predictor
from ossicle.inference.scorer import NOT_FINITE, NOT_FINITE_REMEDY


def n_windows(n_samples: int, plan: ChunkPlan) -> int:
    """Return how many windows a stretch is read in: one if it is hardly longer than a window, else enough to cover it.

    >>> plan = ChunkPlan(rate=8000, hop_samples=800, window_samples=800, core_frames=1, context_frames=0)
    >>> [n_windows(n, plan) for n in (400, 800, 1000, 1300)]
    [1, 1, 1, 2]
    """
    beyond = n_samples - plan.window_samples - plan.hop_samples // 2
    return 1 + max(0, -(-beyond // plan.hop_samples))


def score_stretches(
    stream: SampleStream,
    predictor: Predictor,
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    pool: str = MAX,
    batch_chunks: int = 32,
) -> NDArray[np.float32]:
    """Return the scores of stretches: float32 (n, n_labels).

    The windows of a stretch are centred on it. The recording is read once; memory is one block, one batch of chunks and
    the scores.

    Parameters
    ----------
    stream
        The samples of the recording, at the rate of the plan.
    predictor
        The model.
    starts, lengths
        int64 (n,): first sample and number of samples of each stretch, in any order.
    pool
        ``max`` or ``mean`` over the windows of a stretch.
    batch_chunks
        Chunks scored at a time.

    Raises
    ------
    AudioError
        If the recording must be left out.
    OssicleError
        If the model returns no finite scores.
    ValueError
        If ``pool`` is unknown.
    """
    if pool not in POOLS:
        raise ValueError(f"pool = {pool!r} is not one of: {', '.join(POOLS)}")
    totals, plan = _Totals(len(starts), len(predictor.labels), pool), predictor.plan
    chunks = _chunks(starts, lengths, plan)
    batch: list[NDArray[np.float32]] = []
    owners: list[tuple[int, int]] = []

    def score() -> None:
        for (stretch_index, frames), chunk_scores in zip(owners, _predicted(predictor, np.stack(batch)), strict=True):
            totals.add(stretch_index, chunk_scores[:frames])
        batch.clear()
        owners.clear()

    firsts = np.array([first for first, _, _ in chunks], dtype=np.int64)
    for row, samples in stretches_of(stream, firsts, plan.chunk_samples):
        batch.append(samples)
        owners.append(chunks[row][1:])
        if len(batch) == batch_chunks:
            score()
    if batch:
        score()
    return totals.finish()


def _chunks(starts: NDArray[np.int64], lengths: NDArray[np.int64], plan: ChunkPlan) -> list[tuple[int, int, int]]:
    """Return first sample, stretch and number of frames used of each chunk."""
    chunks = []
    for stretch_index, (start, length) in enumerate(zip(starts.tolist(), lengths.tolist(), strict=True)):
        windows = n_windows(length, plan)
        covered = (windows - 1) * plan.hop_samples + plan.window_samples
        first_sample = start + (length - covered) // 2 - plan.context_frames * plan.hop_samples
        chunks += [
            (first_sample + done * plan.hop_samples, stretch_index, min(plan.core_frames, windows - done))
            for done in range(0, windows, plan.core_frames)
        ]
    return chunks


def _predicted(predictor: Predictor, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
    scores = predictor.predict(chunks)
    expected = (len(chunks), predictor.plan.core_frames, len(predictor.labels))
    if scores.shape != expected:
        raise OssicleError(f"the model returned scores of shape {scores.shape} but its plan expects {expected}")
    if not np.isfinite(scores).all():
        raise OssicleError(f"{NOT_FINITE} for a clip; {NOT_FINITE_REMEDY}")
    return scores


class _Totals:
    """Pools the frames of each stretch as they arrive."""

    def __init__(self, n: int, n_labels: int, pool: str) -> None:
        self._highest = pool == MAX
        self._values = np.zeros((n, n_labels), dtype=np.float64)
        self._frames = np.zeros(n, dtype=np.int64)

    def add(self, stretch_index: int, scores: NDArray[np.float32]) -> None:
        """Add the scores (k, n_labels) of a stretch."""
        if self._highest:
            # Scores are at least 0.
            self._values[stretch_index] = np.maximum(self._values[stretch_index], scores.max(axis=0))
        else:
            self._values[stretch_index] += scores.sum(axis=0, dtype=np.float64)
        self._frames[stretch_index] += len(scores)

    def finish(self) -> NDArray[np.float32]:
        """Return the scores of the stretches."""
        by = 1 if self._highest else np.maximum(self._frames, 1)[:, None]
        stretch_scores: NDArray[np.float32] = (self._values / by).astype(np.float32)
        return stretch_scores
