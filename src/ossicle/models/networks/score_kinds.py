"""From logits to scores: every label by itself, or one label of all."""

import torch
from torch import Tensor, nn

SIGMOID, SOFTMAX = "sigmoid", "softmax"


def is_softmax(network: nn.Module) -> bool:
    """Return whether the scores of a network's labels sum to 1; networks without an attribute ``scores`` have
    independent ones.
    """
    return getattr(network, "scores", SIGMOID) == SOFTMAX


def scores_of(logits: Tensor, softmax: bool) -> Tensor:
    """Return scores in [0, 1] of logits (..., n_labels)."""
    return torch.softmax(logits, dim=-1) if softmax else torch.sigmoid(logits)
