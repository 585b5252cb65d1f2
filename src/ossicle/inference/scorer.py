"""From samples to scores, on the absolute grid of the chunk plan (invariant 4).

Every runner (batch, file stream, microphone) feeds samples in blocks of any size; the chunks that the model sees, and
so the scores, are always the same. A chunk is computed once all its samples have been fed, or at the end with zeros for
the missing ones.
"""

import numpy as np
from numpy.typing import NDArray

from ossicle.core.errors import OssicleError
from ossicle.inference.predictor import Predictor, for_recording

Scores = NDArray[np.float32]

NOT_FINITE = "the model returned NaN or Inf"
NOT_FINITE_REMEDY = "its weights are damaged, or its training failed: copy the bundle again, or train again"


class Scorer:
    """Turn the samples of one recording into scores, block by block.

    ``batch_chunks`` chunks are collected before the predictor is called; a live stream uses 1 for the lowest latency.
    Memory is one batch of chunks, whatever the length of the recording.
    """

    def __init__(self, predictor: Predictor, batch_chunks: int = 8) -> None:
        if batch_chunks < 1:
            raise ValueError(f"batch_chunks = {batch_chunks} must be at least 1")
        plan = predictor.plan
        self.predictor = for_recording(predictor)
        self.plan = plan
        self.n_samples = 0
        self.n_frames = 0
        self._finished = False
        self._advance = batch_chunks * plan.core_samples
        # Holds the samples of one batch; the first sample is that of the batch's first chunk.
        self._buffer = np.zeros(plan.chunk_samples + (batch_chunks - 1) * plan.core_samples, dtype=np.float32)
        # The recording begins `lead_samples` into the first chunk. The lead is negative if windows are shorter than
        # hops: then the first samples belong to no chunk and are skipped, like later ones between two chunks.
        self._filled = max(plan.lead_samples, 0)
        self._skip = max(-plan.lead_samples, 0)

    def feed(self, samples: NDArray[np.float32]) -> Scores:
        """Add the next samples, float32 (n,) at the plan's rate.

        Returns
        -------
        ndarray
            The scores of the frames that became known, shape (k, n_labels), k >= 0.
        """
        if self._finished:
            raise ValueError("this scorer has finished its recording: make another for the next")
        self.n_samples += len(samples)
        scores = self._take(samples)
        self.n_frames += len(scores)
        return scores

    def finish(self) -> Scores:
        """Return the scores of the remaining frames, shape (k, n_labels): the end is padded with zeros and trimmed.

        The scorer has then returned ``plan.n_frames(n_samples)`` frames in all, and accepts no more samples.
        """
        self._finished = True
        plan = self.plan
        left = plan.n_frames(self.n_samples) - self.n_frames
        if left == 0:
            return self._no_scores()
        last = plan.n_chunks(self.n_samples) - 1
        missing = plan.start_sample(last) + plan.chunk_samples - self.n_samples
        scores = np.concatenate([self._take(np.zeros(max(missing, 0), dtype=np.float32)), self._score_whole_chunks()])
        self.n_frames += left
        return scores[:left]

    def _no_scores(self) -> Scores:
        return np.zeros((0, len(self.predictor.labels)), dtype=np.float32)

    def _take(self, samples: NDArray[np.float32]) -> Scores:
        known = [self._no_scores()]
        first = 0
        while first < len(samples):
            if self._skip:
                step = min(self._skip, len(samples) - first)
                self._skip -= step
            else:
                step = min(len(self._buffer) - self._filled, len(samples) - first)
                self._buffer[self._filled : self._filled + step] = samples[first : first + step]
                self._filled += step
                if self._filled == len(self._buffer):
                    known.append(self._score_whole_chunks())
                    self._slide()
            first += step
        return np.concatenate(known)

    def _slide(self) -> None:
        n_kept = max(len(self._buffer) - self._advance, 0)
        self._skip = max(self._advance - len(self._buffer), 0)
        self._buffer[:n_kept] = self._buffer[len(self._buffer) - n_kept :].copy()
        self._filled = n_kept

    def _score_whole_chunks(self) -> Scores:
        plan = self.plan
        n_chunks = max(0, (self._filled - plan.chunk_samples) // plan.core_samples + 1)
        if n_chunks == 0:
            return self._no_scores()
        chunks = np.stack([self._buffer[c * plan.core_samples :][: plan.chunk_samples] for c in range(n_chunks)])
        scores = self.predictor.predict(chunks)
        expected = (n_chunks, plan.core_frames, len(self.predictor.labels))
        if scores.shape != expected:
            raise OssicleError(f"the model returned scores of shape {scores.shape} but its plan expects {expected}")
        if not np.isfinite(scores).all():
            first_s = self.n_frames * plan.hop_s
            raise OssicleError(f"{NOT_FINITE}, in the chunks that begin near {first_s:.2f} s; {NOT_FINITE_REMEDY}")
        return scores.reshape(-1, len(self.predictor.labels)).astype(np.float32, copy=False)
