"""The network of BEATs: patches of a spectrogram to tokens. Names of the weights are those of the published checkpoint.

References
----------
S. Chen et al., "BEATs: Audio pre-training with acoustic tokenizers", 2022 (arXiv 2212.09058).
"""

import torch
from torch import Tensor, nn

from ossicle.models.encoders.beats.attention import RelativeAttention, position_buckets
from ossicle.models.encoders.beats.config import BeatsConfig


class PositionConvolution(nn.Module):
    """Convolution over tokens (batch, dim, n) -> (batch, dim, n); the norm of its weights at each place is a weight."""

    def __init__(self, config: BeatsConfig) -> None:
        super().__init__()
        dim, self.width, self.groups = config.encoder_embed_dim, config.conv_pos, config.conv_pos_groups
        self.bias = nn.Parameter(torch.zeros(dim))
        self.weight_g = nn.Parameter(torch.ones(1, 1, self.width))
        self.weight_v = nn.Parameter(torch.randn(dim, dim // self.groups, self.width))

    def forward(self, x: Tensor) -> Tensor:
        """Return as many values as there are tokens."""
        norm = torch.linalg.vector_norm(self.weight_v, dim=(0, 1), keepdim=True)
        weight = self.weight_v * (self.weight_g / norm)
        positions = nn.functional.conv1d(x, weight, self.bias, padding=self.width // 2, groups=self.groups)
        # An even width gives one value more than there are tokens.
        return positions[:, :, : x.shape[2]]


class Block(nn.Module):
    """One layer of the transformer: attention, then two linear layers, each with a scaled residual and a norm."""

    def __init__(self, config: BeatsConfig, relative_attention_bias: nn.Embedding) -> None:
        super().__init__()
        dim = config.encoder_embed_dim
        self.self_attn = RelativeAttention(config, relative_attention_bias)
        self.self_attn_layer_norm = nn.LayerNorm(dim)
        self.fc1, self.fc2 = nn.Linear(dim, config.encoder_ffn_embed_dim), nn.Linear(config.encoder_ffn_embed_dim, dim)
        self.final_layer_norm = nn.LayerNorm(dim)
        self.dropout, self.activation_dropout = nn.Dropout(config.dropout), nn.Dropout(config.activation_dropout)
        self.residual = (2 * config.encoder_layers) ** 0.25 if config.deep_norm else 1.0

    def forward(self, x: Tensor, buckets: Tensor) -> Tensor:
        """Return the tokens after this layer."""
        x = self.self_attn_layer_norm(self.residual * x + self.dropout(self.self_attn(x, buckets)))
        wide = self.activation_dropout(nn.functional.gelu(self.fc1(x)))
        tokens: Tensor = self.final_layer_norm(self.residual * x + self.dropout(self.fc2(wide)))
        return tokens


class Transformer(nn.Module):
    """Tokens (batch, n, dim) -> tokens after one of the layers."""

    def __init__(self, config: BeatsConfig) -> None:
        super().__init__()
        self.config = config
        self.pos_conv = nn.Sequential(PositionConvolution(config), nn.GELU())
        self.layer_norm = nn.LayerNorm(config.encoder_embed_dim)
        bias = nn.Embedding(config.num_buckets, config.encoder_attention_heads)
        self.layers = nn.ModuleList([Block(config, bias) for _ in range(config.encoder_layers)])
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, n_layers: int) -> Tensor:
        """Return the tokens after the first ``n_layers`` layers."""
        x = x + self.pos_conv(x.transpose(1, 2)).transpose(1, 2)
        x = self.dropout(self.layer_norm(x))
        buckets = position_buckets(x.shape[1], self.config.num_buckets, self.config.max_distance).to(x.device)
        for layer in self.layers[:n_layers]:
            x = layer(x, buckets)
        return x


class Beats(nn.Module):
    """Normalised log-mel energies (batch, n_frames, 128) -> tokens (batch, n_tokens, dim).

    A patch is 16 frames by 16 bands; frames that fill no patch are left out. Token ``8 * time + band`` is the patch at
    that time and group of bands.
    """

    def __init__(self, config: BeatsConfig) -> None:
        super().__init__()
        size = config.input_patch_size
        self.config = config
        self.patch_embedding = nn.Conv2d(1, config.embed_dim, size, stride=size, bias=config.conv_bias)
        self.layer_norm = nn.LayerNorm(config.embed_dim)
        # The published network has no projection where both sizes are equal.
        same = config.embed_dim == config.encoder_embed_dim
        self.post_extract_proj = nn.Identity() if same else nn.Linear(config.embed_dim, config.encoder_embed_dim)
        self.encoder = Transformer(config)

    def forward(self, energies: Tensor, n_layers: int | None = None) -> Tensor:
        """Return the tokens after ``n_layers`` layers; None: after the last."""
        patches = self.patch_embedding(energies[:, None]).flatten(2).transpose(1, 2)
        tokens = self.post_extract_proj(self.layer_norm(patches))
        encoded: Tensor = self.encoder(tokens, self.config.encoder_layers if n_layers is None else n_layers)
        return encoded
