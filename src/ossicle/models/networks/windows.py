"""Sliding-window models from the literature: an image network that reads one window at a time.

The family of ORCA-SPOT and ANIMAL-SPOT: each window's spectrogram is normalised by itself, a residual network without
its first pooling reads it, and a linear layer reads the global average. Its output stands for the step around the
window's centre (``core.model_input.chunks.window_plan``), so its targets are those of a frame-wise network.

References
----------
C. Bergler et al., "ORCA-SPOT: An automatic killer whale sound detection toolkit using deep learning", Scientific
Reports 9, 2019.
"""

import torch
from torch import Tensor, nn

from ossicle.core.model_input.chunks import Framing
from ossicle.models.networks.backbones import image_backbone
from ossicle.models.networks.window_images import WindowImages
from ossicle.models.settings import WindowSettings


class WindowNetwork(nn.Module):
    """Chunks' spectrograms (batch, n_frames, n_mels) in dB -> logits of their windows (batch, n_windows, n_labels).

    The windows of all chunks are one batch.
    """

    def __init__(self, settings: WindowSettings, framing: Framing, n_mels: int, n_labels: int) -> None:
        super().__init__()
        self.scores = settings.scores
        self.images = WindowImages(settings, framing, n_mels)
        backbone, n_features = image_backbone(settings.backbone, settings.max_pool, self.images.shape)
        self.backbone = backbone.to(memory_format=torch.channels_last)
        self.dropout = nn.Dropout(settings.dropout)
        self.output = nn.Linear(n_features, n_labels)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Return the logits of every window."""
        logits: Tensor = self.output(self.dropout(self.backbone(self.images(spectrogram))))
        return logits.reshape(-1, self.images.n_windows, logits.shape[1])
