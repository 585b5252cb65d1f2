"""A batch of crops during augmentation, and the levels of its crops."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ossicle.core.time import to_samples

_LOUDEST_S = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Sounds:
    """``waveforms`` (batch, n_samples); ``targets`` in [0, 1] and ``mask`` (batch, n_frames, n_labels).

    A mask of 0 means unknown. Its target is 1 where nobody checked, so that no such crop counts as one without calls,
    and 0 in the padding of short recordings.
    """

    waveforms: Tensor
    targets: Tensor
    mask: Tensor

    def __len__(self) -> int:
        """Number of crops."""
        return len(self.waveforms)

    @property
    def free(self) -> Tensor:
        """Return the indices of the crops without any target, rising, int64 (k,) on the CPU."""
        return torch.nonzero(self.targets.amax(dim=(1, 2)) == 0)[:, 0].cpu()


def peaks(waveforms: Tensor) -> Tensor:
    """Return the largest absolute sample of each crop: (batch, 1)."""
    return waveforms.abs().amax(dim=1, keepdim=True)


def to_full_scale(waveforms: Tensor) -> Tensor:
    """Divide each crop by its own peak; digital silence stays unchanged."""
    highest = peaks(waveforms)
    return waveforms / torch.where(highest > 0, highest, 1.0)


def call_power(waveforms: Tensor, targets: Tensor) -> Tensor:
    """Return the mean square of each crop where it has targets, or of the whole crop if it has none: (batch, 1)."""
    share = targets.amax(dim=2)
    share = torch.where(share.sum(dim=1, keepdim=True) > 0, share, 1.0)
    weight = interpolate(share[:, None], size=waveforms.shape[1], mode="nearest")[:, 0]
    return (waveforms.square() * weight).sum(dim=1, keepdim=True) / weight.sum(dim=1, keepdim=True)


def loudest(waveforms: Tensor, rate: int) -> Tensor:
    """Return the root mean square of the loudest tenth of a second of each crop: (batch, 1)."""
    n_samples = waveforms.shape[1]
    length = min(n_samples, to_samples(_LOUDEST_S, rate))
    whole = waveforms[:, : n_samples - n_samples % length].square()
    return whole.reshape(len(waveforms), -1, length).mean(dim=2).amax(dim=1, keepdim=True).sqrt()
