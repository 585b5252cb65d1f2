"""A head as an ONNX graph: embeddings in, scores out."""

import torch
from torch import nn

from ossicle.export.onnx_graph import export_module
from ossicle.models.heads.head import HeadScores

EMBEDDINGS = "embeddings"


def head_graph(head: nn.Module, tokens: int, dim: int) -> bytes:
    """Return the graph from ``embeddings`` (batch, tokens, dim) float32 to ``scores`` (batch, n_labels) in [0, 1].

    Parameters
    ----------
    head
        The head, or blocks of an encoder with a head; it is neither moved nor changed.
    tokens
        Tokens of one window, as the encoder gives them; the graph accepts this number only.
    dim
        Values of one token.
    """
    return export_module(HeadScores(head), torch.zeros(2, tokens, dim), EMBEDDINGS)
