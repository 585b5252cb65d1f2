"""Gradients of several batches, added up to those of one large batch."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


class Accumulation:
    """Weight the loss of each batch by its known targets, so that the step is that of all their crops together.

    The loss of a batch is a mean over its known targets. The mean of such means is not the mean over all targets
    unless each batch has equally many.

    Parameters
    ----------
    n_batches
        Batches in each optimiser step. Lightning divides the loss of each by this number.
    """

    def __init__(self, n_batches: int) -> None:
        self._n_batches = n_batches
        self._n_known: Tensor | None = None

    def add(self, loss: Tensor, n_known: Tensor) -> Tensor:
        """Return the loss of a batch as a sum over its ``n_known`` targets, for its backward pass."""
        self._n_known = n_known if self._n_known is None else self._n_known + n_known
        return loss * n_known

    @torch.no_grad()
    def normalise(self, parameters: Iterable[nn.Parameter]) -> None:
        """Turn the gradients of all batches since the last call into those of the mean over all their targets."""
        if self._n_known is None:
            raise ValueError("no batch was added since the last optimiser step")
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad *= self._n_batches / self._n_known.clamp_min(1)
        self._n_known = None
