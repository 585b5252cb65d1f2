"""The optimiser of a training."""

from collections.abc import Iterable

import torch
from torch import nn

from ossicle.training.settings import TrainingSettings


def build_optimiser(parameters: Iterable[nn.Parameter], training: TrainingSettings) -> torch.optim.Optimizer:
    """Return the optimiser that ``training.optimiser`` names, at the highest learning rate.

    Parameters
    ----------
    parameters
        What it changes.
    training
        Name, learning rate and weight decay. AdamW and RAdam shrink weights directly; Adam adds the decay to the
        gradient (L2).
    """
    rate, decay = training.learning_rate, training.weight_decay
    if training.optimiser == "radam":
        return torch.optim.RAdam(parameters, lr=rate, weight_decay=decay, decoupled_weight_decay=True)
    if training.optimiser == "adam":
        return torch.optim.Adam(parameters, lr=rate, weight_decay=decay)
    return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay)
