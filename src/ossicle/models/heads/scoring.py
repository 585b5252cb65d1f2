"""Scores of many windows by a head, batch by batch."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ossicle.models.heads.head import HeadScores

_BATCH = 256


def head_scores(head: nn.Module, tokens: NDArray[Any], batch: int = _BATCH) -> Iterator[NDArray[np.float32]]:
    """Yield the scores of windows, float32 (k, n_labels) in [0, 1], ``batch`` windows at a time.

    Parameters
    ----------
    head
        The head, or a network that ends with one; it is left in evaluation mode.
    tokens
        Embeddings, float16 or float32 of shape (n, tokens, dim); a memory-mapped array is read batch by batch.
    batch
        Windows at a time.
    """
    scores = HeadScores(head).eval()
    for first in range(0, len(tokens), batch):
        rows = torch.from_numpy(np.asarray(tokens[first : first + batch]).astype(np.float32))
        with torch.inference_mode():
            batch_scores: NDArray[np.float32] = scores(rows).numpy()
        yield batch_scores


def window_scores(head: nn.Module) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return a function from the embeddings (tokens, dim) of one window to its scores, float32 (n_labels,)."""

    def scores(tokens: NDArray[np.float32]) -> NDArray[np.float32]:
        window_scores: NDArray[np.float32] = next(head_scores(head, tokens[None]))[0]
        return window_scores

    return scores
