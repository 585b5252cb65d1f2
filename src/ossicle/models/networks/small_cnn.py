"""A small image network of Ossicle's own: four convolutions that train on one core in minutes.

Its first convolution halves both axes, so the rest is cheap. It is a backbone by name (:data:`SMALL_CNN`) beside those
of timm, for short windows and corpora of hundreds to thousands of clips.
"""

from torch import Tensor, nn

SMALL_CNN = "small_cnn"
"""The name of the network in ``[model.window] backbone``."""
_CHANNELS = (24, 48, 96, 128)
_STEM = 5


class SmallCnn(nn.Module):
    """Images (batch, 1, height, width) -> maps (batch, 128, height / 8, width / 8), both sizes rounded.

    Blocks of a convolution, batch normalisation and ReLU, with maximum pooling between them. ``pooled`` returns the
    mean of each map, (batch, 128).
    """

    def __init__(self, pooled: bool) -> None:
        super().__init__()
        self.pooled = pooled
        stem, *rest = _CHANNELS
        parts = _block(1, stem, _STEM, stride=2)
        for before, channels in zip(_CHANNELS, rest, strict=False):
            parts += _block(before, channels, 3)
            if channels != rest[-1]:
                parts.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*parts)

    def forward_features(self, image: Tensor) -> Tensor:
        """Return the maps of images."""
        maps: Tensor = self.features(image)
        return maps

    def forward(self, image: Tensor) -> Tensor:
        """Return the maps of images, or the mean of each."""
        maps = self.forward_features(image)
        return maps.mean(dim=(2, 3)) if self.pooled else maps


def _block(before: int, channels: int, size: int, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(before, channels, size, stride, padding=size // 2, bias=False)
    return [convolution, nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
