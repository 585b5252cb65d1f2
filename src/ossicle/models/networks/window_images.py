"""Windows of a spectrogram as images, each normalised by itself, and which of them hold no sound."""

import torch
from torch import Tensor, nn

from ossicle.core.model_input.chunks import Framing
from ossicle.models.networks.averaged import networks_of
from ossicle.models.settings import LEAST_DB, WindowSettings

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
        self.silence_db = settings.silence_db
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

    def sounding(self, spectrogram: Tensor) -> Tensor:
        """Return 1 for the windows that hold sound and 0 for silent ones (batch, n_windows, 1), of the same type."""
        windows = spectrogram.index_select(1, self.rows)
        loudest = windows.reshape(-1, self.n_windows, self.shape[0] * self.shape[1]).amax(dim=2, keepdim=True)
        return (loudest > self.silence_db).to(spectrogram.dtype)


def normalise(windows: Tensor, normalisation: str) -> Tensor:
    """Normalise each window of (n, n_frames, n_mels) in dB by itself.

    ``"minmax"``: the lowest value becomes 0 and the highest 1. ``"peak"``: the highest becomes 1, and values at least
    80 dB below it become 0. Digital silence becomes 0 in both. ``"level"``: -80 dB becomes 0 and 20 dB 1; values beyond
    are clamped. ``"none"``: unchanged.
    """
    if normalisation == "minmax":
        low = windows.amin(dim=(1, 2), keepdim=True)
        span = windows.amax(dim=(1, 2), keepdim=True) - low
        return (windows - low) / span.clamp_min(_LEAST_SPAN_DB)
    if normalisation == "peak":
        peak = windows.amax(dim=(1, 2), keepdim=True)
        # Silence has no peak: otherwise it would become uniformly bright.
        heard = (peak > windows.amin(dim=(1, 2), keepdim=True)).to(windows.dtype)
        return ((windows - peak) / _RANGE_DB + 1.0).clamp_min(0.0) * heard
    if normalisation == "level":
        return ((windows + 80.0) / 100.0).clamp(0.0, 1.0)
    return windows


def gated_windows(network: nn.Module) -> WindowImages | None:
    """Return what divides chunks into windows, of which silent ones hold no label; None if a network does not do so.

    Parameters
    ----------
    network
        A network, or several that are averaged.
    """
    images = getattr(networks_of(network)[0], "images", None)
    return images if isinstance(images, WindowImages) and images.silence_db > LEAST_DB else None
