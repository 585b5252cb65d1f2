"""All folds in one graph: one spectrogram, the network of every fold, and the mean of their scores."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.export.onnx_graph import export_module, model_example, waveform_example
from ossicle.models.frontend import ChunkLogMel, ExportableLogMel
from ossicle.models.networks.detector import CoreScores


class MeanScores(nn.Module):
    """Spectrograms of whole chunks (batch, n_frames, n_mels) -> mean scores (batch, core_frames, n_labels)."""

    def __init__(self, networks: Sequence[nn.Module], plan: ChunkPlan) -> None:
        super().__init__()
        self.members = nn.ModuleList([CoreScores(network, plan) for network in networks])

    def forward(self, log_mel: Tensor) -> Tensor:
        """Return the mean of the members' scores."""
        return torch.stack([member(log_mel) for member in self.members]).mean(dim=0)


class WaveformMeanScores(nn.Module):
    """Samples of whole chunks (batch, chunk_samples) -> mean scores (batch, core_frames, n_labels)."""

    def __init__(self, networks: Sequence[nn.Module], plan: ChunkPlan, front: FrontEndSettings) -> None:
        super().__init__()
        self.front_end = ChunkLogMel(ExportableLogMel(front), plan, front)
        self.core = MeanScores(networks, plan)

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the mean of the members' scores; the spectrogram is computed once."""
        scores: Tensor = self.core(self.front_end(waveform))
        return scores


def folds_graph(networks: Sequence[nn.Module], plan: ChunkPlan, front: FrontEndSettings) -> bytes:
    """Return the graph for Ossicle's runtime of all ``networks``: ``log_mel`` -> mean ``scores``."""
    return export_module(MeanScores(networks, plan), model_example(plan, front), "log_mel")


def folds_waveform_graph(networks: Sequence[nn.Module], plan: ChunkPlan, front: FrontEndSettings) -> bytes:
    """Return the graph for other programs: ``waveform`` -> mean ``scores``."""
    return export_module(WaveformMeanScores(networks, plan, front), waveform_example(plan), "waveform")
