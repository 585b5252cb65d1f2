"""Averages of a network's weights: a moving average over steps, and the mean over the ends of epochs."""

import copy

import torch
from torch import nn


class WeightAverage(nn.Module):
    """Keep ``average``, a copy of a network that follows it slowly; part of the state in a checkpoint.

    An exponential moving average (Polyak averaging) with a warm-up of the decay.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__()
        self.average = copy.deepcopy(network).requires_grad_(False).eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Update the average with ``network`` after optimiser step number ``step`` (from 0)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        current = network.state_dict()
        for name, mean in self.average.state_dict().items():
            if mean.dtype.is_floating_point:
                mean.lerp_(current[name], 1 - decay)
            else:
                mean.copy_(current[name])


class EpochMean(nn.Module):
    """Keep ``average``, the mean of a network's weights over the calls of :meth:`take`; part of the state in a
    checkpoint.

    It averages the last epochs whatever their scores: nothing is chosen on held-out data. Buffers are averaged with the
    weights.

    References
    ----------
    P. Izmailov et al., "Averaging weights leads to wider optima and better generalization", 2018.
    """

    taken: torch.Tensor

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.average = copy.deepcopy(network).requires_grad_(False).eval()
        self.register_buffer("taken", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def take(self, network: nn.Module) -> None:
        """Add the current weights to the mean."""
        self.taken += 1
        current = network.state_dict()
        for name, mean in self.average.state_dict().items():
            if mean.dtype.is_floating_point:
                mean.lerp_(current[name], 1 / float(self.taken))
            else:
                mean.copy_(current[name])
