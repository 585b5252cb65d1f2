"""The known sliding-window models: an image network that looks at one window at a time.

The family of ORCA-SPOT and ANIMAL-SPOT (Bergler et al., "ORCA-SPOT: An Automatic Killer Whale Sound Detection Toolkit
Using Deep Learning", Scientific Reports 2019): each window's spectrogram is normalised by itself, a residual network
without its first pooling looks at it, and a linear layer reads the global average. What it says stands for the step
around the window's centre (``core.chunks.window_plan``), so its targets are those of a frame-wise network.
"""

import torch
from torch import Tensor, nn

from ossicle.core.chunks import Framing
from ossicle.models.backbones import image_backbone
from ossicle.models.settings import WindowSettings

# A window whose values all lie this close is silence at the floor: dividing by less would blow up its rounding.
_LEAST_SPAN_DB = 1.0


class WindowNetwork(nn.Module):
    """Chunks' spectrograms (batch, n_frames, n_mels) in dB -> logits of their windows (batch, n_windows, n_labels).

    ``n_frames`` and which rows each window has are those of ``framing``. The windows of all chunks are one batch.
    """

    rows: Tensor

    def __init__(self, settings: WindowSettings, framing: Framing, n_mels: int, n_labels: int) -> None:
        super().__init__()
        self.normalise = settings.normalise
        self.shape = (framing.window_frames, n_mels)
        self.n_windows = 1 + (framing.n_frames - framing.window_frames) // framing.step_frames
        first = framing.step_frames * torch.arange(self.n_windows)
        rows = first[:, None] + torch.arange(framing.window_frames)
        self.register_buffer("rows", rows.flatten(), persistent=False)
        backbone, n_features = image_backbone(settings.backbone, settings.max_pool)
        self.backbone = backbone.to(memory_format=torch.channels_last)
        self.output = nn.Linear(n_features, n_labels)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Logits of every window."""
        windows = spectrogram.index_select(1, self.rows).reshape(-1, *self.shape)
        image = normalise(windows, self.normalise)[:, None]
        logits: Tensor = self.output(self.backbone(image.contiguous(memory_format=torch.channels_last)))
        return logits.reshape(-1, self.n_windows, logits.shape[1])


def normalise(windows: Tensor, how: str) -> Tensor:
    """Windows (n, n_frames, n_mels) in dB, each normalised by itself.

    ``"minmax"``: its least value becomes 0 and its largest 1. ``"level"``: -80 dB becomes 0 and 20 dB 1, and what lies
    beyond is clamped. ``"none"``: as it is.
    """
    if how == "minmax":
        low = windows.amin(dim=(1, 2), keepdim=True)
        span = windows.amax(dim=(1, 2), keepdim=True) - low
        return (windows - low) / span.clamp_min(_LEAST_SPAN_DB)
    if how == "level":
        return ((windows + 80.0) / 100.0).clamp(0.0, 1.0)
    return windows
