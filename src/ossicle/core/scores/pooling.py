"""The score of a whole recording for each label: is the label present anywhere? Computed block by block over frames.

``max``: the highest score of any frame. ``mean``: the mean over time; the last frame counts with the part of it that
lies before the end of the recording (the rest is padding).
"""

import numpy as np
from numpy.typing import NDArray

from ossicle.core.tracks import ScoreTrack

MAX, MEAN = "max", "mean"
POOLS = (MAX, MEAN)


class RecordingPool:
    """Pool the frames of one recording into one score per label; it keeps one frame in memory, whatever the length.

    Parameters
    ----------
    pool
        ``max`` or ``mean``.
    n_labels
        Number of labels.
    hop_s
        Length of a frame in seconds.
    """

    def __init__(self, pool: str, n_labels: int, hop_s: float) -> None:
        if pool not in POOLS:
            raise ValueError(f"pool = {pool!r} is not one of: {', '.join(POOLS)}")
        self.n_frames = 0
        self._pool, self._hop_s = pool, hop_s
        self._highest = np.full(n_labels, -np.inf, dtype=np.float32)
        # The sum over all frames except the last, which may reach beyond the end.
        self._total, self._last = np.zeros(n_labels), np.zeros(n_labels)

    def feed(self, scores: NDArray[np.float32]) -> None:
        """Add the next frames: float32, shape (k, n_labels), k >= 0."""
        if len(scores) == 0:
            return
        if self._pool == MAX:
            self._highest = np.maximum(self._highest, scores.max(axis=0))
        else:
            self._total = self._total + self._last + scores[:-1].sum(axis=0, dtype=np.float64)
            self._last = scores[-1].astype(np.float64)
        self.n_frames += len(scores)

    def finish(self, duration_s: float) -> NDArray[np.float32]:
        """Return the scores of the recording: float32, shape (n_labels,).

        Raises
        ------
        ValueError
            If no frame was added.
        """
        if self.n_frames == 0:
            raise ValueError("a recording without frames has no score")
        if self._pool == MAX:
            return self._highest
        before = self.n_frames - 1
        last = min(max(duration_s / self._hop_s - before, 0.0), 1.0) or (1.0 if before == 0 else 0.0)
        return ((self._total + last * self._last) / (before + last)).astype(np.float32)


def pooled(track: ScoreTrack, pool: str) -> NDArray[np.float32]:
    """Return the scores of a recording from its track: float32, shape (n_labels,).

    >>> track = ScoreTrack(("a",), np.array([[0.5], [1.0]], dtype=np.float32), hop_s=5.0, duration_s=7.5)
    >>> pooled(track, "max").tolist(), [round(one, 6) for one in pooled(track, "mean").tolist()]
    ([1.0], [0.666667])
    """
    fold = RecordingPool(pool, len(track.labels), track.hop_s)
    fold.feed(track.scores)
    return fold.finish(track.duration_s)


def as_judged(track: ScoreTrack, pool: str) -> ScoreTrack:
    """Return the track on which decisions are made: unchanged for ``max``, every frame at the recording's score for
    ``mean``.

    Under ``max`` a label is detected if there is any event. Under ``mean`` its one event lasts from 0 to the end.
    """
    if pool == MAX:
        return track
    scores = np.broadcast_to(pooled(track, pool), track.scores.shape)
    return ScoreTrack(track.labels, scores, track.hop_s, track.duration_s)
