"""Scores that were written once, given again as a predictor would: for what hears the recording beside its scores."""

import numpy as np
from numpy.typing import NDArray

from ossicle.core.chunks import ChunkPlan
from ossicle.core.tracks import ScoreTrack


class StoredScores:
    """A predictor of one recording that looks at no samples: its chunks are asked for in turn, as ``Scorer`` does."""

    def __init__(self, track: ScoreTrack, plan: ChunkPlan) -> None:
        self.labels = track.labels
        self.plan = plan
        self._scores, self._next = track.scores, 0

    def predict(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        """The stored scores of the next chunks, (batch, core_frames, n_labels); zeros behind the last frame."""
        n_frames = len(chunks) * self.plan.core_frames
        known = self._scores[self._next : self._next + n_frames]
        self._next += n_frames
        out = np.zeros((n_frames, len(self.labels)), dtype=np.float32)
        out[: len(known)] = known
        return out.reshape(len(chunks), self.plan.core_frames, len(self.labels))
