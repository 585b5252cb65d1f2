"""Weights as safetensors: nothing is ever unpickled."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from ossicle.artefacts.files import whole_file
from ossicle.core.errors import ArtefactError


def save_weights(network: nn.Module, path: Path) -> None:
    """Write the network's parameters and buffers, whole or not at all; equal weights give equal bytes."""
    state = {
        name: tensor.detach().cpu().contiguous(memory_format=torch.contiguous_format)
        for name, tensor in sorted(network.state_dict().items())
    }
    with whole_file(path) as temporary:
        save_file(state, temporary)


def load_weights(network: nn.Module, path: Path) -> None:
    """Load what :func:`save_weights` wrote; every name and shape must fit."""
    try:
        network.load_state_dict(load_file(path), strict=True)
    except (OSError, SafetensorError) as error:
        raise ArtefactError(f"{path.name}: not a readable safetensors file ({error})") from error
    except RuntimeError as error:
        raise ArtefactError(f"{path.name}: the weights do not fit the network: {error}") from error
