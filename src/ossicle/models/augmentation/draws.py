"""Random draws of the augmentation: on the CPU and from a given generator, so that all devices give the same result."""

import torch
from torch import Tensor


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    """Return float32 draws from [low, high)."""
    return low + (high - low) * torch.rand(shape, generator=generator)


def touched(batch: int, probability: float, generator: torch.Generator) -> Tensor:
    """Return the items that a stage changes, each with ``probability``: their indices, rising, int64 (k,).

    Probabilities of 0 and 1 draw nothing.
    """
    if probability <= 0:
        return torch.arange(0)
    if probability >= 1:
        return torch.arange(batch)
    return torch.nonzero(torch.rand(batch, generator=generator) < probability)[:, 0]


def replaced(values: Tensor, items: Tensor, by: Tensor) -> Tensor:
    """Return ``values`` (batch, ...) with ``by`` (k, ...) in place of ``items`` (k,); the others stay bit-identical."""
    return values.index_copy(0, items.to(values.device), by)
