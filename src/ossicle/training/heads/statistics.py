"""Mean and deviation of embeddings, computed block by block."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ossicle.core.errors import OssicleError
from ossicle.models.heads.head import InputStatistics, scaled_values

_BLOCK_VALUES = 1 << 22
# Deviations below this share of the mean are rounding errors of a constant.
_LEAST_SHARE = 1e-5


def input_statistics(features: NDArray[Any], values: str = "plain") -> InputStatistics:
    """Return the statistics of embeddings of shape (n, tokens, dim); those of constants have the deviation 1.

    ``values`` is that of the head. Sums are float64, so that millions of float16 tokens lose nothing. Raises
    OssicleError if a value is not finite.
    """
    n, tokens, dim = features.shape
    step = max(1, _BLOCK_VALUES // (tokens * dim))
    # Differences from the first values: squares of large constants would lose the deviation.
    first_tokens = np.asarray(features[:1], dtype=np.float64)
    token_origin, window_origin = first_tokens[0].mean(axis=0), _window_values(first_tokens, values)[0]
    sums = np.zeros((2, 2, dim))
    for first in range(0, n, step):
        block = np.asarray(features[first : first + step], dtype=np.float64)
        windows = _window_values(block, values) - window_origin
        block = block - token_origin
        sums[0] += block.sum(axis=(0, 1)), (block**2).sum(axis=(0, 1))
        sums[1] += windows.sum(axis=0), (windows**2).sum(axis=0)
    if not bool(np.isfinite(sums).all()):
        raise OssicleError("embeddings contain values that are not finite numbers; build the features again")
    token_mean, token_deviation = _moments(sums[0], n * tokens, token_origin)
    window_mean, window_deviation = _moments(sums[1], n, window_origin)
    return InputStatistics(token_mean, token_deviation, window_mean, window_deviation)


def _window_values(block: NDArray[np.float64], values: str) -> NDArray[np.float64]:
    """Return what the head reads of windows whose tokens are pooled by their mean: (n, dim)."""
    pooled: NDArray[np.float64] = scaled_values(torch.from_numpy(block.mean(axis=1)), values).numpy()
    return pooled


def _moments(sums: NDArray[np.float64], count: int, origin: NDArray[np.float64]) -> tuple[torch.Tensor, torch.Tensor]:
    mean = sums[0] / count
    deviation = np.sqrt(np.maximum(sums[1] / count - mean**2, 0.0))
    mean = mean + origin
    deviation[deviation <= _LEAST_SHARE * np.maximum(np.abs(mean), _LEAST_SHARE)] = 1.0
    return torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(deviation.astype(np.float32))
