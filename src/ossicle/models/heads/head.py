"""The head of a frozen encoder: pooling over tokens, then a small network with one logit for each label.

The statistics by which inputs are standardised are buffers of the head: they are saved and exported with its weights.
"""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ossicle.models.heads.settings import HeadSettings
from ossicle.models.weights import load_weights, require_shapes


class InputStatistics(NamedTuple):
    """Mean and deviation of embeddings, each float32 of shape (dim,).

    ``token_*``: over all tokens of all windows; ``window_*``: over the mean token of each window, after
    :func:`scaled_values`.
    """

    token_mean: Tensor
    token_deviation: Tensor
    window_mean: Tensor
    window_deviation: Tensor


def scaled_values(values: Tensor, scaling: str) -> Tensor:
    """Return pooled values as the head reads them: ``"plain"``, or ``"root"``: square roots with the sign kept.

    References
    ----------
    F. Perronnin et al., "Improving the Fisher kernel for large-scale image classification", 2010 (power normalisation).
    """
    if scaling != "root":
        return values
    magnitudes = torch.abs(values)
    if values.requires_grad:
        # The slope at 0 is infinite: times the slope of the sign, 0, it would make every weight before it NaN.
        magnitudes = magnitudes.clamp_min(torch.finfo(values.dtype).tiny)
    return torch.sign(values) * torch.sqrt(magnitudes)


class Pooling(nn.Module):
    """Tokens (batch, tokens, dim) -> one vector for each window (batch, dim), by attention or as their mean.

    ``forward`` reads raw tokens. The weight of a token is a linear function of its standardised values; since the
    weights of a window sum to 1, the mean of the tokens needs no subtraction there. Attention starts as the mean.
    """

    def __init__(self, pooling: str, dim: int) -> None:
        super().__init__()
        self.attention = nn.Linear(dim, 1, bias=False) if pooling == "attention" else None
        if self.attention is not None:
            nn.init.zeros_(self.attention.weight)

    def forward(self, tokens: Tensor, deviation: Tensor) -> Tensor:
        """Return the pooled tokens."""
        if self.attention is None:
            return tokens.mean(dim=1)
        weights = torch.softmax(nn.functional.linear(tokens, self.attention.weight / deviation), dim=1)
        return torch.matmul(weights.transpose(1, 2), tokens)[:, 0]


class Head(nn.Module):
    """Embeddings of windows to logits.

    Parameters
    ----------
    settings
        Pooling, hidden units and dropout.
    dim
        Values of one token.
    n_labels
        Number of labels.

    Notes
    -----
    ``forward``: float32 (batch, tokens, dim), as the encoder gives them -> logits (batch, n_labels). Any number of
    tokens from 1 on is accepted. Weights are initialised from torch's random state.
    """

    token_mean: Tensor
    token_deviation: Tensor
    window_mean: Tensor
    window_deviation: Tensor

    def __init__(self, settings: HeadSettings, dim: int, n_labels: int) -> None:
        super().__init__()
        for name in InputStatistics._fields:
            self.register_buffer(name, torch.ones(dim) if name.endswith("deviation") else torch.zeros(dim))
        self.values = settings.values
        self.pooling = Pooling(settings.pooling, dim)
        layers: list[nn.Module] = [nn.Dropout(settings.dropout)]
        if settings.hidden:
            layers += [nn.Linear(dim, settings.hidden), nn.GELU(), nn.Dropout(settings.dropout)]
        self.hidden = nn.Sequential(*layers)
        self.output = nn.Linear(settings.hidden or dim, n_labels)
        # Training weighs both sides of a label equally, so a new head says neither.
        nn.init.zeros_(self.output.bias)

    @property
    def dim(self) -> int:
        """Values of one token."""
        return len(self.token_mean)

    @property
    def n_labels(self) -> int:
        """Number of labels."""
        return self.output.out_features

    def standardise(self, statistics: InputStatistics) -> None:
        """Set the statistics by which inputs are standardised."""
        for name, value in statistics._asdict().items():
            getattr(self, name).copy_(value)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of windows."""
        pooled = scaled_values(self.pooling(tokens, self.token_deviation), self.values)
        logits: Tensor = self.output(self.hidden((pooled - self.window_mean) / self.window_deviation))
        return logits


class HeadScores(nn.Module):
    """Embeddings (batch, tokens, dim) -> scores (batch, n_labels) in [0, 1], by a network that gives logits."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the scores of windows."""
        return torch.sigmoid(self.head(tokens))


def load_head(path: Path, settings: HeadSettings, dim: int, n_labels: int) -> Head:
    """Return the head whose weights :func:`ossicle.models.weights.save_weights` wrote to ``path``, ready for use.

    Raises
    ------
    ArtefactError
        The file is not readable, or its weights do not fit these settings; the first tensor that differs is named.
    """
    require_shapes(path, lambda: Head(settings, dim, n_labels))
    head = Head(settings, dim, n_labels)
    load_weights(head, path)
    return head.eval()
