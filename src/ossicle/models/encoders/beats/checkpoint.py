"""Read a BEATs checkpoint: a file of ``torch.save`` with ``cfg`` and ``model``, of which nothing is unpickled but
tensors and plain values.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ossicle.artefacts.filesystem.reading import require_regular
from ossicle.core.errors import ArtefactError
from ossicle.models.encoders.beats.config import BeatsConfig, read_config
from ossicle.models.encoders.beats.network import Beats

_SHARED = ".self_attn.relative_attention_bias.weight"
# The classifier of fine-tuned checkpoints, which embeddings do not pass.
_CLASSIFIER = "predictor."
_MOST_NAMED = 5


def load_beats(path: Path) -> Beats:
    """Return the network of a checkpoint, in evaluation mode.

    Parameters
    ----------
    path
        A published checkpoint, pre-trained or fine-tuned (its classifier is left out).

    Raises
    ------
    ArtefactError
        The file is not readable, its configuration is not supported, or its tensors are not those of the configuration;
        missing, unknown and misshapen ones are named.
    """
    config, tensors = _read(path)
    with torch.device("meta"):
        # Without memory, whatever size the file claims.
        network = Beats(config)
    expected = network.state_dict()
    faults = [f"{name} is missing" for name in expected if name not in tensors]
    faults += [f"{name} is unknown" for name in tensors if name not in expected]
    faults += [
        f"{name} is {list(tensors[name].shape)}, not {list(tensor.shape)}"
        for name, tensor in expected.items()
        if name in tensors and tensors[name].shape != tensor.shape
    ]
    if faults:
        named = "; ".join(faults[:_MOST_NAMED])
        raise ArtefactError(f"{path}: {len(faults)} tensors do not fit the configuration in the file: {named}")
    biases = [name for name in expected if name.endswith(_SHARED)]
    for name in biases[1:]:
        if not torch.equal(tensors[name], tensors[biases[0]]):
            raise ArtefactError(f"{path}: {name} differs from {biases[0]}; all layers must share one table")
    # One tensor for the shared table, so that it stays shared.
    shared = {name: tensors[biases[0]].float() for name in biases}
    network.load_state_dict({name: tensors[name].float() for name in expected} | shared, assign=True)
    return network.requires_grad_(False).eval()


def _read(path: Path) -> tuple[BeatsConfig, dict[str, Tensor]]:
    try:
        require_regular(path)
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or hostile file can raise anything
        first_line = str(error).split("\n", 1)[0]
        raise ArtefactError(f"{path}: not a readable BEATs checkpoint ({first_line})") from error
    if not isinstance(content, Mapping) or not {"cfg", "model"} <= content.keys():
        raise ArtefactError(f"{path}: not a BEATs checkpoint, which holds cfg and model; see docs/encoders.md")
    config = read_config(content["cfg"], path.name)
    model = content["model"]
    if not isinstance(model, Mapping):
        raise ArtefactError(f"{path}: model is not a table of tensors")
    tensors = {
        str(name): value for name, value in model.items() if not (config.finetuned_model and _is_classifier(name))
    }
    odd = [name for name, value in tensors.items() if not (isinstance(value, Tensor) and value.is_floating_point())]
    if odd:
        raise ArtefactError(f"{path}: {odd[0]} is not a tensor of weights")
    return config, tensors


def _is_classifier(name: object) -> bool:
    return str(name).startswith(_CLASSIFIER)
