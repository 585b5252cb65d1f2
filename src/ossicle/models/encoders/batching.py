"""Run a network on a few waveforms at a time, so that memory does not grow with the batch."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ossicle.core.errors import BundleError

_MOST_WAVEFORMS = 8

Embed = Callable[[NDArray[np.float32]], Tensor]
"""From waveforms (batch, n_samples) to tokens (batch, tokens, dim)."""


def embed(waveforms: NDArray[np.float32], run: Embed, source: str) -> NDArray[np.float32]:
    """Return the tokens of waveforms (batch, n_samples): float32, shape (batch, tokens, dim).

    Parameters
    ----------
    waveforms
        At least one.
    run
        The network with its front end; called without gradients.
    source
        What is run, for the message.

    Raises
    ------
    BundleError
        The network returns values that are not finite numbers.
    """
    parts = []
    with torch.inference_mode():
        for first in range(0, len(waveforms), _MOST_WAVEFORMS):
            part = np.ascontiguousarray(waveforms[first : first + _MOST_WAVEFORMS], dtype=np.float32)
            parts.append(run(part).float().cpu().numpy())
    tokens: NDArray[np.float32] = np.concatenate(parts)
    if not np.isfinite(tokens).all():
        raise BundleError(f"{source} returned NaN or Inf: these weights cannot encode these waveforms")
    return tokens
