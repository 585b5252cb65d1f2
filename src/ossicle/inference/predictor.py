"""The protocol of every runtime that turns chunks of samples into scores, and a fake that needs no model.

The protocol is structural: the torch model, ``ossicle.bundle.runtimes.onnx_runtime.OnnxPredictor`` and the fake below
share no base class. A predictor must treat the chunks of a batch independently, so that a chunk's scores do not depend
on its neighbours.
"""

from dataclasses import replace
from itertools import pairwise
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import analysis_window


class Predictor(Protocol):
    """A model that reads chunks of one plan."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that are scored, in the order of the scores' last axis."""
        ...

    @property
    def plan(self) -> ChunkPlan:
        """The grid on which the model reads a recording."""
        ...

    def predict(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities of the core frames of each chunk.

        Parameters
        ----------
        chunks
            float32, shape (batch, plan.chunk_samples), any batch of at least 1.

        Returns
        -------
        ndarray
            float32, shape (batch, plan.core_frames, n_labels), in [0, 1].
        """
        ...


@runtime_checkable
class PerRecording(Protocol):
    """A predictor whose scores depend on what it has heard of the recording so far."""

    def for_recording(self) -> Predictor:
        """Return a predictor for one recording, whose chunks it must be given once each, in their order."""
        ...


def for_recording(predictor: Predictor) -> Predictor:
    """Return the predictor for one recording.

    Parameters
    ----------
    predictor
        A predictor of a bundle.

    Returns
    -------
    Predictor
        A new one if it is :class:`PerRecording`, else itself.
    """
    return predictor.for_recording() if isinstance(predictor, PerRecording) else predictor


class OnChannel:
    """A predictor whose recordings are read by another channel than the one it was trained on.

    ``channel`` is a choice as :func:`ossicle.core.model_input.channel.channel_name` returns it.
    """

    def __init__(self, predictor: Predictor, channel: str) -> None:
        self._predictor, self.labels = predictor, predictor.labels
        self.plan = replace(predictor.plan, channel=channel)

    def predict(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the scores of the predictor."""
        return self._predictor.predict(chunks)

    def for_recording(self) -> Predictor:
        """Return the same for one recording."""
        return OnChannel(for_recording(self._predictor), self.plan.channel)


class FakePredictor:
    """Give scores that rise with the power in each label's band; deterministic, and local to each frame's window.

    The bands split 0 Hz to half the rate evenly among the labels. A score is ``1 / (1 + exp(-(level_db - threshold_db)
    / slope_db))`` with the band's level in dB re full-scale sine.
    """

    def __init__(
        self, labels: tuple[str, ...], plan: ChunkPlan, threshold_db: float = -30.0, slope_db: float = 6.0
    ) -> None:
        self.labels = labels
        self.plan = plan
        self.threshold_db = threshold_db
        self.slope_db = slope_db
        self._window = analysis_window(plan.window_samples).astype(np.float64)
        edges = np.linspace(0, plan.window_samples // 2 + 1, len(labels) + 1).round().astype(int)
        self._bands = [slice(int(low), max(int(low) + 1, int(high))) for low, high in pairwise(edges)]

    def predict(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the scores of (batch, chunk_samples) float32 chunks: shape (batch, core_frames, n_labels)."""
        plan = self.plan
        first = plan.context_frames * plan.hop_samples
        frames = sliding_window_view(chunks, plan.window_samples, axis=1)[:, first :: plan.hop_samples]
        power = np.abs(np.fft.rfft(frames[:, : plan.core_frames] * self._window)) ** 2
        levels = np.stack([power[..., band].sum(axis=-1) for band in self._bands], axis=-1)
        level_db = 10 * np.log10(np.maximum(levels, 1e-10))
        scores: NDArray[np.float32] = (1 / (1 + np.exp(-(level_db - self.threshold_db) / self.slope_db))).astype(
            np.float32
        )
        return scores
