"""Stored scores in the form of a predictor, for code that reads the recording along with its scores."""

import numpy as np
from numpy.typing import NDArray

from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.tracks import ScoreTrack


class StoredScores:
    """A predictor of one recording that ignores its samples; chunks must be requested in order, as ``Scorer`` does."""

    def __init__(self, track: ScoreTrack, plan: ChunkPlan) -> None:
        self.labels = track.labels
        self.plan = plan
        self._scores, self._next = track.scores, 0

    def predict(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the stored scores of the next chunks, (batch, core_frames, n_labels); zeros after the last frame."""
        n_frames = len(chunks) * self.plan.core_frames
        known = self._scores[self._next : self._next + n_frames]
        self._next += n_frames
        padded = np.zeros((n_frames, len(self.labels)), dtype=np.float32)
        padded[: len(known)] = known
        return padded.reshape(len(chunks), self.plan.core_frames, len(self.labels))
