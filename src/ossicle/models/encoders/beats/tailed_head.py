"""A head behind the last blocks of BEATs, as one network on the tokens before these blocks."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ossicle.models.encoders.beats.network import Beats
from ossicle.models.encoders.beats.tail import BeatsTail
from ossicle.models.heads.head import Head
from ossicle.models.weights import load_weights


class TailedHead(nn.Module):
    """Tokens before the last blocks (batch, tokens, dim) -> logits (batch, n_labels).

    Parameters
    ----------
    tail
        The last blocks.
    head
        The head that reads the tokens after them.
    """

    def __init__(self, tail: BeatsTail, head: Head) -> None:
        super().__init__()
        self.tail, self.head = tail, head

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of windows."""
        logits: Tensor = self.head(self.tail(tokens))
        return logits

    def after_blocks(self, tokens: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the tokens after the blocks, which the head reads: float32 (n, tokens, dim) from the same shape."""
        with torch.inference_mode():
            block_tokens: NDArray[np.float32] = self.tail(torch.from_numpy(tokens)).numpy()
        return block_tokens


HeadNetwork = Head | TailedHead
"""A network from the tokens of cached features to logits."""


def tailed_head(network: Beats, n_blocks: int, trained: Path | None, head: Head) -> TailedHead:
    """Return a head behind the last blocks of an encoder, in evaluation mode.

    Parameters
    ----------
    network
        The encoder; it is not changed.
    n_blocks
        Number of last blocks.
    trained
        Weights of these blocks that stage 2 wrote; None: those of the encoder.
    head
        The head.

    Raises
    ------
    UsageError
        The encoder has not so many blocks.
    ArtefactError
        The weights do not fit.
    """
    tail = BeatsTail(network, n_blocks)
    if trained is not None:
        load_weights(tail, trained)
    tailed = TailedHead(tail, head)
    tailed.requires_grad_(False)
    return tailed.eval()
