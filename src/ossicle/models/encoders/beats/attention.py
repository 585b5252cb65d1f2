"""Self-attention of BEATs: relative positions in buckets, gated by the query."""

import math

import torch
from torch import Tensor, nn

from ossicle.models.encoders.beats.config import BeatsConfig

_GATE_VALUES = 8


def position_buckets(n_tokens: int, num_buckets: int, max_distance: int) -> Tensor:
    """Return the bucket of every pair of positions, int64 of shape (n_tokens, n_tokens): row query, column key.

    Half of the buckets is for keys behind the query. Within a half, distances up to a quarter of ``num_buckets`` have
    a bucket each; longer ones share buckets that widen with the logarithm of the distance, up to ``max_distance``.

    References
    ----------
    C. Raffel et al., "Exploring the limits of transfer learning with a unified text-to-text transformer", 2020.
    """
    positions = torch.arange(n_tokens, device="cpu")
    relative = positions[None, :] - positions[:, None]
    half = num_buckets // 2
    exact = half // 2
    distance = relative.abs()
    far = exact + (
        torch.log(distance.clamp_min(1).float() / exact) / math.log(max_distance / exact) * (half - exact)
    ).to(torch.int64)
    bucket = torch.where(distance < exact, distance, far.clamp_max(half - 1))
    return bucket + (relative > 0).to(torch.int64) * half


class RelativeAttention(nn.Module):
    """Tokens (batch, n, dim) -> (batch, n, dim). Names of the weights are those of the published checkpoint.

    All layers share one table of biases, ``relative_attention_bias``.
    """

    def __init__(self, config: BeatsConfig, relative_attention_bias: nn.Embedding) -> None:
        super().__init__()
        dim = config.encoder_embed_dim
        self.heads = config.encoder_attention_heads
        self.head_dim = dim // self.heads
        self.dropout = config.attention_dropout
        self.q_proj, self.k_proj = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.v_proj, self.out_proj = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.relative_attention_bias = relative_attention_bias
        self.grep_linear = nn.Linear(self.head_dim, _GATE_VALUES)
        self.grep_a = nn.Parameter(torch.ones(1, self.heads, 1, 1))

    def forward(self, x: Tensor, buckets: Tensor) -> Tensor:
        """Return the attended tokens; ``buckets``: (n, n) of :func:`position_buckets`."""
        query, key, value = (self._divided(project(x)) for project in (self.q_proj, self.k_proj, self.v_proj))
        bias = self.relative_attention_bias(buckets).permute(2, 0, 1)
        mask = self._gate(query) * bias
        mixed = nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, dropout_p=self.dropout if self.training else 0.0
        )
        attended: Tensor = self.out_proj(mixed.transpose(1, 2).reshape(x.shape))
        return attended

    def _divided(self, x: Tensor) -> Tensor:
        """Divide the values among the heads: (batch, n, dim) -> (batch, heads, n, head_dim)."""
        return x.reshape(x.shape[0], x.shape[1], self.heads, self.head_dim).transpose(1, 2)

    def _gate(self, query: Tensor) -> Tensor:
        """Return the factor of the biases of each query: (batch, heads, n, 1)."""
        values = self.grep_linear(query)
        halves = torch.sigmoid(values.reshape(*values.shape[:-1], 2, _GATE_VALUES // 2).sum(dim=-1))
        reset, update = halves.chunk(2, dim=-1)
        gate: Tensor = reset * (update * self.grep_a - 1.0) + 2.0
        return gate
