"""The parts of a model that run outside training: from chunks or their log-mel to scores of the core frames."""

from torch import Tensor, nn

from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.models.frontend import ChunkLogMel, ExportableLogMel
from ossicle.models.networks.score_kinds import is_softmax, scores_of
from ossicle.models.networks.window_images import gated_windows


class CoreScores(nn.Module):
    """Spectrograms of whole chunks (batch, n_frames, n_mels) -> scores (batch, core_frames, n_labels) in [0, 1].

    All scores of a window that is silent by ``[model.window] silence_db`` are 0.
    """

    def __init__(self, network: nn.Module, plan: ChunkPlan) -> None:
        super().__init__()
        self.network = network
        self.softmax = is_softmax(network)
        self.first = plan.context_frames
        self.last = plan.context_frames + plan.core_frames

    def forward(self, log_mel: Tensor) -> Tensor:
        """Return the scores of the core; the context is only read."""
        scores = scores_of(self.network(log_mel)[:, self.first : self.last], self.softmax)
        windows = gated_windows(self.network)
        return scores if windows is None else scores * windows.sounding(log_mel)[:, self.first : self.last]


class WaveformScores(nn.Module):
    """Samples of whole chunks (batch, chunk_samples) -> scores (batch, core_frames, n_labels) in [0, 1]."""

    def __init__(self, network: nn.Module, plan: ChunkPlan, front: FrontEndSettings) -> None:
        super().__init__()
        self.front_end = ChunkLogMel(ExportableLogMel(front), plan, front)
        self.core = CoreScores(network, plan)

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the scores of the core."""
        scores: Tensor = self.core(self.front_end(waveform))
        return scores
