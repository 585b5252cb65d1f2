"""Averages of a network's weights: a moving one over steps, and the mean over the ends of epochs."""

import copy

import torch
from torch import nn


class WeightAverage(nn.Module):
    """Keeps ``average``, a copy of a network that follows it slowly; part of the state that a checkpoint holds.

    An exponential moving average (Polyak averaging) with a warm-up of the decay.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__()
        self.average = copy.deepcopy(network).requires_grad_(False).eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Move towards ``network`` after optimiser step number ``step`` (from 0)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        current = network.state_dict()
        for name, kept in self.average.state_dict().items():
            if kept.dtype.is_floating_point:
                kept.lerp_(current[name], 1 - decay)
            else:
                kept.copy_(current[name])


class EpochMean(nn.Module):
    """Keeps ``average``, the mean of a network's weights at the times it is told; part of a checkpoint's state.

    As Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization" (2018), over the last epochs
    whatever they score: nothing is chosen on held-out data. Buffers are averaged with the weights.
    """

    taken: torch.Tensor

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.average = copy.deepcopy(network).requires_grad_(False).eval()
        self.register_buffer("taken", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def take(self, network: nn.Module) -> None:
        """Take the weights of now into the mean."""
        self.taken += 1
        current = network.state_dict()
        for name, kept in self.average.state_dict().items():
            if kept.dtype.is_floating_point:
                kept.lerp_(current[name], 1 / float(self.taken))
            else:
                kept.copy_(current[name])
