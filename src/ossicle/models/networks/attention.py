"""Networks that say what a clip contains, and where: an image network with an attention head.

Generalised-mean pooling over frequency (Radenovic et al. 2018) is followed by attention over time (Kong et al. 2020):
each label has a value and a weight at every position in time, and the output for the clip is the weighted mean of the
values. Weak labels (present in the clip) thereby also train the position within the clip.

:class:`AttentionNetwork` reads each window as one clip; :class:`AttentionFrames` reads a chunk as one clip and returns
every part of it. Their weights have the same names and shapes, so each can load those of the other.

References
----------
F. Radenovic et al., "Fine-tuning CNN image retrieval with no human annotation", 2018.
Q. Kong et al., "PANNs: Large-scale pretrained audio neural networks for audio pattern recognition", 2020.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ossicle.core.errors import UsageError
from ossicle.core.model_input.chunks import Framing
from ossicle.models.networks.backbones import FeatureMaps
from ossicle.models.networks.window_images import WindowImages, normalise
from ossicle.models.settings import WindowSettings

_GEM_START = 3.0
# Powers of 0 have no gradient.
_GEM_LEAST = 1e-6


class Heard(NamedTuple):
    """Output of the head: logits of each clip (n, n_labels), and of its positions in time (n, n_places, n_labels)."""

    clip: Tensor
    places: Tensor


class FrequencyPool(nn.Module):
    """Maps (n, n_features, height, width) -> (n, height, n_features): one value for all frequencies of a position.

    ``pooling``: ``"gem"`` (the generalised mean with a learned power), ``"mean"`` or ``"max"``.
    """

    def __init__(self, pooling: str) -> None:
        super().__init__()
        self.pooling = pooling
        if pooling == "gem":
            self.power = nn.Parameter(torch.tensor(_GEM_START))

    def forward(self, maps: Tensor) -> Tensor:
        """Pool over frequency."""
        if self.pooling == "gem":
            # In float32: high powers of small values exceed the precision of bfloat16.
            with torch.autocast(maps.device.type, enabled=False):
                pooled = maps.float().clamp_min(_GEM_LEAST).pow(self.power).mean(dim=3).pow(1.0 / self.power)
        else:
            pooled = maps.amax(dim=3) if self.pooling == "max" else maps.mean(dim=3)
        return pooled.transpose(1, 2)


class _Attention(nn.Module):
    """The parts that both networks share, including the names of their weights."""

    def __init__(self, settings: WindowSettings, shape: tuple[int, int], n_labels: int) -> None:
        super().__init__()
        self.scores = settings.scores
        maps = FeatureMaps(settings.backbone, settings.max_pool, shape)
        self.n_places = maps.size[0]
        self.backbone = maps.to(memory_format=torch.channels_last)
        self.pool = FrequencyPool(settings.pool)
        self.hidden = nn.Linear(maps.n_features, settings.hidden)
        self.dropout = nn.ModuleList([nn.Dropout(settings.dropout / 2), nn.Dropout(settings.dropout)])
        self.attention = nn.Linear(settings.hidden, n_labels)
        self.output = nn.Linear(settings.hidden, n_labels)

    def hear(self, image: Tensor) -> Heard:
        """Return logits of images (n, 1, *shape) and of their positions in time."""
        places = self.dropout[0](self.pool(self.backbone(image)))
        hidden = self.dropout[1](torch.relu(self.hidden(places)))
        values: Tensor = self.output(hidden)
        weights = torch.softmax(torch.tanh(self.attention(hidden)), dim=1)
        return Heard((weights * values).sum(dim=1), values)


class AttentionNetwork(_Attention):
    """Chunks' spectrograms (batch, n_frames, n_mels) in dB -> logits of their windows (batch, n_windows, n_labels)."""

    def __init__(self, settings: WindowSettings, framing: Framing, n_mels: int, n_labels: int) -> None:
        super().__init__(settings, (framing.window_frames, n_mels), n_labels)
        self.images = WindowImages(settings, framing, n_mels)

    def heard(self, spectrogram: Tensor) -> Heard:
        """Return the logits of every window (batch * n_windows, n_labels), and of its positions in time."""
        return self.hear(self.images(spectrogram))

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Return the logits of every window."""
        clip = self.heard(spectrogram).clip
        return clip.reshape(-1, self.images.n_windows, clip.shape[1])


class AttentionFrames(_Attention):
    """Chunks' spectrograms (batch, n_frames, n_mels) in dB -> logits of their frames (batch, chunk_frames, n_labels).

    A chunk is one clip. A frame of the plan must be the STFT frames that the network joins into one position in time,
    or a multiple of them; raises UsageError otherwise.
    """

    def __init__(self, settings: WindowSettings, framing: Framing, n_mels: int, n_labels: int) -> None:
        super().__init__(settings, (framing.n_frames, n_mels), n_labels)
        self.normalise = settings.normalise
        self.chunk_frames = framing.n_frames // framing.step_frames
        n_places = self.n_places
        if n_places % self.chunk_frames:
            raise UsageError(
                f"[model.window] backbone = {settings.backbone!r} divides a chunk of {framing.n_frames} STFT frames "
                f"into {n_places} places, which do not match frames of {framing.step_frames} STFT frames; use "
                'reading = "clips"'
            )
        self.per_frame = n_places // self.chunk_frames

    def heard(self, spectrogram: Tensor) -> Heard:
        """Return the logits of every chunk (batch, n_labels), and of its frames (batch, chunk_frames, n_labels)."""
        clip, places = self.hear(normalise(spectrogram, self.normalise)[:, None])
        return Heard(clip, places.reshape(-1, self.chunk_frames, self.per_frame, places.shape[2]).mean(dim=2))

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Return the logits of every frame."""
        return self.heard(spectrogram).places
