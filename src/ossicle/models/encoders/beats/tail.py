"""The last blocks of BEATs as a network of their own, so that they can be trained while the others are not even run."""

import copy
from pathlib import Path

import torch
from torch import Tensor, nn

from ossicle.artefacts.files import whole_file
from ossicle.core.errors import UsageError
from ossicle.models.encoders.beats.attention import position_buckets
from ossicle.models.encoders.beats.config import written_config
from ossicle.models.encoders.beats.network import Beats, Block

_SHARED = "self_attn.relative_attention_bias."


class BeatsTail(nn.Module):
    """Tokens before the last ``n_blocks`` blocks (batch, n, dim) -> tokens after the last block.

    The blocks are copies: those of ``network`` stay as they are. The table of biases that all blocks share is not
    trained, because the frozen blocks read it too.

    Raises
    ------
    UsageError
        The network has no so many blocks.
    """

    def __init__(self, network: Beats, n_blocks: int) -> None:
        super().__init__()
        self.config = network.config
        if not 1 <= n_blocks <= self.config.encoder_layers:
            raise UsageError(
                f"blocks = {n_blocks}: this BEATs has blocks 1 to {self.config.encoder_layers} to unfreeze"
            )
        self.first = self.config.encoder_layers - n_blocks
        self.blocks = nn.ModuleList(copy.deepcopy(block) for block in network.encoder.layers[self.first :])

    def trained_parameters(self) -> list[tuple[str, nn.Parameter]]:
        """Return what a training changes, by the names in the whole network."""
        return [
            (f"encoder.layers.{self.first + number}.{name}", parameter)
            for number, block in enumerate(self.blocks)
            for name, parameter in block.named_parameters()
            if not name.startswith(_SHARED)
        ]

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the tokens after the last block."""
        buckets = position_buckets(tokens.shape[1], self.config.num_buckets, self.config.max_distance).to(tokens.device)
        for block in self.blocks:
            tokens = block(tokens, buckets)
        return tokens

    def put_into(self, network: Beats) -> Beats:
        """Return a copy of ``network`` with these blocks, in evaluation mode."""
        network_copy = copy.deepcopy(network)
        for layer, block in enumerate(self.blocks, start=self.first):
            target = network_copy.encoder.layers[layer]
            assert isinstance(target, Block)
            target.load_state_dict(block.state_dict())
        return network_copy.requires_grad_(False).eval()


def write_beats(network: Beats, path: Path) -> None:
    """Write a checkpoint that :func:`ossicle.models.encoders.beats.checkpoint.load_beats` reads."""
    state = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    with whole_file(path) as temporary:
        torch.save({"cfg": written_config(network.config), "model": state}, temporary)
