"""A batch of crops on its way to the network, and how loud each of them is."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ossicle.core.time import to_samples

_LOUDEST_S = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Sounds:
    """``waveforms`` (batch, n_samples); ``targets`` in [0, 1] and ``mask`` (batch, n_frames, n_labels).

    A mask of 0 says that nothing is known there. Its target is 1 where nobody looked, so that no such crop passes for
    one without calls, and 0 in the padding of short recordings.
    """

    waveforms: Tensor
    targets: Tensor
    mask: Tensor

    def __len__(self) -> int:
        """Crops."""
        return len(self.waveforms)

    @property
    def free(self) -> Tensor:
        """The crops without any target: their numbers, rising, int64 (k,) on the CPU."""
        return torch.nonzero(self.targets.amax(dim=(1, 2)) == 0)[:, 0].cpu()


def peaks(waveforms: Tensor) -> Tensor:
    """The largest absolute sample of each crop: (batch, 1)."""
    return waveforms.abs().amax(dim=1, keepdim=True)


def to_full_scale(waveforms: Tensor) -> Tensor:
    """Each crop by its own peak, which becomes 1; digital silence stays what it is."""
    highest = peaks(waveforms)
    return waveforms / torch.where(highest > 0, highest, 1.0)


def call_power(waveforms: Tensor, targets: Tensor) -> Tensor:
    """Mean square of each crop where it has targets, or of the whole crop where it has none: (batch, 1)."""
    share = targets.amax(dim=2)
    share = torch.where(share.sum(dim=1, keepdim=True) > 0, share, 1.0)
    weight = interpolate(share[:, None], size=waveforms.shape[1], mode="nearest")[:, 0]
    return (waveforms.square() * weight).sum(dim=1, keepdim=True) / weight.sum(dim=1, keepdim=True)


def loudest(waveforms: Tensor, rate: int) -> Tensor:
    """The effective value of the loudest tenth of a second of each crop: (batch, 1)."""
    n_samples = waveforms.shape[1]
    length = min(n_samples, to_samples(_LOUDEST_S, rate))
    whole = waveforms[:, : n_samples - n_samples % length].square()
    return whole.reshape(len(waveforms), -1, length).mean(dim=2).amax(dim=1, keepdim=True).sqrt()
