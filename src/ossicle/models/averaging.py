"""An exponential moving average of a network's weights (Polyak averaging), with a warm-up of the decay."""

import copy

import torch
from torch import nn


class WeightAverage(nn.Module):
    """Keeps ``average``, a copy of a network that follows it slowly; part of the state that a checkpoint holds."""

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
