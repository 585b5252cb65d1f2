"""Discriminators of a vocoder: of the sound folded by periods, and of the sound at several rates.

References
----------
J. Kong, J. Kim, J. Bae, "HiFi-GAN: generative adversarial networks for efficient and high fidelity speech synthesis",
NeurIPS 2020.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from ossicle.models.vocoder.settings import VocoderNetworkSettings

Layers = list[tuple[Tensor, Tensor]]
"""Of each layer its values (b, channels, positions), and which positions count (b, positions); the last: 1 channel."""

_SLOPE = 0.1
_PERIOD_KERNEL, _PERIOD_STRIDE = 5, 3
_SCALE_STRIDES = (1, 2, 2, 4, 4, 1)


class PeriodDiscriminator(nn.Module):
    """Judges a sound folded by a period: convolutions over samples that lie one period apart."""

    def __init__(self, period: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.period = period
        before, convs = 1, []
        for number, after in enumerate(channels):
            stride = _PERIOD_STRIDE if number < len(channels) - 1 or number == 0 else 1
            convs.append(_convolution(before, after, _PERIOD_KERNEL, stride))
            before = after
        self.convs = nn.ModuleList(convs)
        self.out = _convolution(before, 1, 3, 1)

    def forward(self, samples: Tensor, mask: Tensor) -> Layers:
        """Return all layers for samples (b, n), of which ``mask`` (b, n) counts."""
        batch = len(samples)
        folded, counted = (self._folded(tensor) for tensor in (samples, mask))
        layers: Layers = []
        values = folded.flatten(0, 1).unsqueeze(1)
        for conv in (*self.convs, self.out):
            values = conv(values)
            if conv is not self.out:
                values = nn.functional.leaky_relu(values, _SLOPE)
            # (b * period, channels, length) -> (b, channels, period * length)
            shown = values.reshape(batch, self.period, *values.shape[1:]).transpose(1, 2).flatten(2)
            layers.append((shown, _nearest(counted, values.shape[-1]).flatten(1)))
        return layers

    def _folded(self, samples: Tensor) -> Tensor:
        """Return (b, period, n / period), filled up with 0."""
        missing = -samples.shape[-1] % self.period
        padded = torch.nn.functional.pad(samples, (0, missing))
        return padded.reshape(len(samples), -1, self.period).transpose(1, 2)


class ScaleDiscriminator(nn.Module):
    """Judges a sound at one rate: its own, halved ``halvings`` times."""

    def __init__(self, halvings: int, channels: Sequence[int], inner: int) -> None:
        super().__init__()
        self.halvings = halvings
        before, convs = 1, []
        for number, after in enumerate(channels):
            stride = _SCALE_STRIDES[number] if number < len(_SCALE_STRIDES) else 1
            kernel = 15 if number == 0 else inner if number < len(_SCALE_STRIDES) else 5
            groups = 1 if kernel != inner or number == 0 else math.gcd(4 if number == 1 else 16, before, after)
            convs.append(_convolution(before, after, kernel, stride, groups))
            before = after
        self.convs = nn.ModuleList(convs)
        self.out = _convolution(before, 1, 3, 1)

    def forward(self, samples: Tensor, mask: Tensor) -> Layers:
        """Return all layers for samples (b, n), of which ``mask`` (b, n) counts."""
        values = samples.unsqueeze(1)
        for _ in range(self.halvings):
            values = nn.functional.avg_pool1d(values, 4, 2, padding=1)
        layers: Layers = []
        for conv in (*self.convs, self.out):
            values = conv(values)
            if conv is not self.out:
                values = nn.functional.leaky_relu(values, _SLOPE)
            layers.append((values, _nearest(mask, values.shape[-1])))
        return layers


class VocoderDiscriminators(nn.Module):
    """All discriminators of a training.

    Parameters
    ----------
    settings
        Periods, scales and channels.
    """

    def __init__(self, settings: VocoderNetworkSettings) -> None:
        super().__init__()
        periods = [PeriodDiscriminator(period, settings.period_channels) for period in settings.periods]
        scales = [
            ScaleDiscriminator(number, settings.scale_channels, settings.scale_kernel)
            for number in range(settings.scales)
        ]
        self.all = nn.ModuleList([*periods, *scales])

    def forward(self, samples: Tensor, mask: Tensor) -> list[Layers]:
        """Return the layers of each discriminator.

        Parameters
        ----------
        samples
            float32, shape (b, n), 0 where ``mask`` is 0.
        mask
            float32, shape (b, n): 1 for samples that count.
        """
        return [discriminator(samples, mask) for discriminator in self.all]


def _convolution(before: int, after: int, kernel: int, stride: int, groups: int = 1) -> nn.Module:
    conv = nn.Conv1d(before, after, kernel, stride, padding=kernel // 2, groups=groups)
    normalised: nn.Module = weight_norm(conv)
    return normalised


def _nearest(mask: Tensor, positions: int) -> Tensor:
    """Return the mask (..., n) at the samples where so many positions of a layer lie."""
    places = torch.arange(positions, device=mask.device) * mask.shape[-1] // positions
    return mask[..., places]
