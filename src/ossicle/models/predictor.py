"""The torch predictor: one of the runtimes behind ``ossicle.inference``'s predictor protocol."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ossicle.core.model_input.chunks import ChunkPlan, framing
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.models.frontend import ChunkLogMel, LogMel
from ossicle.models.networks.detector import CoreScores
from ossicle.models.networks.registry import build_network
from ossicle.models.settings import ModelSettings
from ossicle.models.weights import load_weights, require_shapes

_MOST_WINDOWS = 16


class TorchPredictor:
    """Chunks of samples to scores with a torch network.

    ``predict``: float32 (batch, plan.chunk_samples) -> float32 (batch, plan.core_frames, len(labels)).
    """

    def __init__(
        self,
        network: nn.Module,
        labels: tuple[str, ...],
        plan: ChunkPlan,
        front: FrontEndSettings,
        device: str = "cpu",
    ) -> None:
        self.labels = labels
        self.plan = plan
        # The windows of one chunk are already a batch; those of several would not fit in the caches.
        self._batch = None if framing(plan, front).frame_wise else max(1, _MOST_WINDOWS // plan.chunk_frames)
        self._device = torch.device(device)
        self._front = ChunkLogMel(LogMel(front), plan, front).to(self._device)
        self._core = CoreScores(network, plan).to(self._device).eval()

    def predict(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the scores of the core frames of each chunk."""
        waveforms = torch.from_numpy(chunks).to(self._device)
        with torch.inference_mode():
            parts = [self._core(self._front(part)) for part in torch.split(waveforms, self._batch or len(waveforms))]
        scores: NDArray[np.float32] = torch.cat(parts).float().cpu().numpy()
        return scores


def load_predictor(
    weights: Path,
    model: ModelSettings,
    labels: tuple[str, ...],
    plan: ChunkPlan,
    front: FrontEndSettings,
    device: str = "cpu",
) -> TorchPredictor:
    """Return a predictor from a safetensors file; raises ArtefactError if the weights do not fit the network."""
    require_shapes(weights, lambda: build_network(model, front, plan, len(labels)))
    network = build_network(model, front, plan, len(labels))
    load_weights(network, weights)
    return TorchPredictor(network, labels, plan, front, device)


def use_threads(threads: int) -> None:
    """Set the number of torch threads in this process; the number is recorded, because sums depend on it."""
    torch.set_num_threads(threads)
