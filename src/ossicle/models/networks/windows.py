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
from ossicle.models.settings import WindowSettings

# A window whose values are all this close is silence at the floor: dividing by less would amplify rounding errors.
_LEAST_SPAN_DB = 1.0
# Range of "peak" below the loudest value, in dB (the usual top_db of librosa and of bird sound competitions).
_RANGE_DB = 80.0


class WindowImages(nn.Module):
    """Chunks' spectrograms (batch, n_frames, n_mels) in dB -> images of their windows (batch * n_windows, 1, *shape).

    ``framing`` gives ``n_frames`` and the rows of each window; the windows of a chunk follow each other.
    """

    rows: Tensor

    def __init__(self, settings: WindowSettings, framing: Framing, n_mels: int) -> None:
        super().__init__()
        self.normalise = settings.normalise
        self.shape = (framing.window_frames, n_mels)
        self.n_windows = 1 + (framing.n_frames - framing.window_frames) // framing.step_frames
        first = framing.step_frames * torch.arange(self.n_windows)
        rows = first[:, None] + torch.arange(framing.window_frames)
        self.register_buffer("rows", rows.flatten(), persistent=False)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Return the images, each normalised by itself."""
        windows = spectrogram.index_select(1, self.rows).reshape(-1, *self.shape)
        image = normalise(windows, self.normalise)[:, None]
        return image.contiguous(memory_format=torch.channels_last)


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


def normalise(windows: Tensor, how: str) -> Tensor:
    """Normalise each window of (n, n_frames, n_mels) in dB by itself.

    ``"minmax"``: the lowest value becomes 0 and the highest 1. ``"peak"``: the highest becomes 1, and values at least
    80 dB below it become 0. Digital silence becomes 0 in both. ``"level"``: -80 dB becomes 0 and 20 dB 1; values beyond
    are clamped. ``"none"``: unchanged.
    """
    if how == "minmax":
        low = windows.amin(dim=(1, 2), keepdim=True)
        span = windows.amax(dim=(1, 2), keepdim=True) - low
        return (windows - low) / span.clamp_min(_LEAST_SPAN_DB)
    if how == "peak":
        peak = windows.amax(dim=(1, 2), keepdim=True)
        # Silence has no peak: otherwise it would become uniformly bright.
        heard = (peak > windows.amin(dim=(1, 2), keepdim=True)).to(windows.dtype)
        return ((windows - peak) / _RANGE_DB + 1.0).clamp_min(0.0) * heard
    if how == "level":
        return ((windows + 80.0) / 100.0).clamp(0.0, 1.0)
    return windows
