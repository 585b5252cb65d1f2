"""Draws of the augmentation: on the CPU and from the generator that is passed, so that every device sees the same."""

import torch
from torch import Tensor


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    """Float32 draws from [low, high)."""
    return low + (high - low) * torch.rand(shape, generator=generator)


def touched(batch: int, probability: float, generator: torch.Generator) -> Tensor:
    """The items that a stage touches, each with ``probability``: their numbers, rising, int64 (k,).

    0 and 1 leave nothing to chance, and draw nothing.
    """
    if probability <= 0:
        return torch.arange(0)
    if probability >= 1:
        return torch.arange(batch)
    return torch.nonzero(torch.rand(batch, generator=generator) < probability)[:, 0]


def replaced(values: Tensor, items: Tensor, by: Tensor) -> Tensor:
    """``values`` (batch, ...) with ``by`` (k, ...) in the place of ``items`` (k,); the others stay to the bit."""
    return values.index_copy(0, items.to(values.device), by)
