"""The score of a recording as a whole: is the label in it, wherever? A fold over blocks of frames.

``max``: the highest frame; a recording scores high when any part of it does. ``mean``: the mean over its time, so the
last frame weighs what of it lies before the end (the rest is padding).
"""

import numpy as np
from numpy.typing import NDArray

from ossicle.core.tracks import ScoreTrack

MAX, MEAN = "max", "mean"
POOLS = (MAX, MEAN)


class RecordingPool:
    """A fold of one recording's scores into one score a label; memory is a frame, whatever the length."""

    def __init__(self, pool: str, n_labels: int, hop_s: float) -> None:
        if pool not in POOLS:
            raise ValueError(f"pool = {pool!r} is not one of: {', '.join(POOLS)}")
        self.n_frames = 0
        self._pool, self._hop_s = pool, hop_s
        self._highest = np.full(n_labels, -np.inf, dtype=np.float32)
        # Of all frames but the last, which may reach beyond the end.
        self._total, self._last = np.zeros(n_labels), np.zeros(n_labels)

    def feed(self, scores: NDArray[np.float32]) -> None:
        """Take the next frames, float32 (k, n_labels), k >= 0."""
        if len(scores) == 0:
            return
        if self._pool == MAX:
            self._highest = np.maximum(self._highest, scores.max(axis=0))
        else:
            self._total = self._total + self._last + scores[:-1].sum(axis=0, dtype=np.float64)
            self._last = scores[-1].astype(np.float64)
        self.n_frames += len(scores)

    def finish(self, duration_s: float) -> NDArray[np.float32]:
        """The scores of the recording, float32 (n_labels,); raises ValueError where it had no frame."""
        if self.n_frames == 0:
            raise ValueError("a recording without frames has no score")
        if self._pool == MAX:
            return self._highest
        before = self.n_frames - 1
        last = min(max(duration_s / self._hop_s - before, 0.0), 1.0) or (1.0 if before == 0 else 0.0)
        return ((self._total + last * self._last) / (before + last)).astype(np.float32)


def pooled(track: ScoreTrack, pool: str) -> NDArray[np.float32]:
    """The scores of a recording from its track, float32 (n_labels,).

    >>> track = ScoreTrack(("a",), np.array([[0.5], [1.0]], dtype=np.float32), hop_s=5.0, duration_s=7.5)
    >>> pooled(track, "max").tolist(), [round(one, 6) for one in pooled(track, "mean").tolist()]
    ([1.0], [0.666667])
    """
    fold = RecordingPool(pool, len(track.labels), track.hop_s)
    fold.feed(track.scores)
    return fold.finish(track.duration_s)


def as_judged(track: ScoreTrack, pool: str) -> ScoreTrack:
    """The track that decisions are made on: as it is for ``max``, all frames at the recording's score for ``mean``.

    Under ``max`` a label is found where any event is; under ``mean`` its one event lasts from 0 to the end.
    """
    if pool == MAX:
        return track
    scores = np.broadcast_to(pooled(track, pool), track.scores.shape)
    return ScoreTrack(track.labels, scores, track.hop_s, track.duration_s)
