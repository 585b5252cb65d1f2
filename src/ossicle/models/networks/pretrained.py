"""Pretrained weights as the start of a backbone: from a file, or from timm's hub.

Nothing is unpickled: safetensors files are read directly, files of ``torch.save`` with ``weights_only``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ossicle.artefacts.filesystem.reading import require_regular
from ossicle.core.errors import ArtefactError, UsageError
from ossicle.models.networks.averaged import networks_of
from ossicle.models.networks.small_cnn import SMALL_CNN
from ossicle.models.settings import WindowSettings

HUB = "hub"
# Prefixes of a backbone in the network it was saved with: Ossicle's, Lightning's, data-parallel ones.
_PREFIXES = ("backbone.network.", "backbone.", "network.", "model.", "module.", "encoder.")
_MOST_NAMED = 5


def load_pretrained(network: nn.Module, source: str | Path, settings: WindowSettings) -> None:
    """Load weights of ``source``, a file or :data:`HUB`, into the backbone of a window network.

    Networks that are averaged all get them.

    Classifiers in the file are left out, and a first layer for colour images is summed to one channel, as in timm.

    Raises
    ------
    UsageError
        If the network has no such backbone, or timm no such weights.
    ArtefactError
        With the file and the first names that do not fit.
    """
    backbones = [getattr(part, "backbone", None) for part in networks_of(network)]
    targets = [getattr(backbone, "network", backbone) for backbone in backbones if backbone is not None]
    if not targets:
        raise UsageError('[training] pretrained: only [model] name = "window" has a backbone with pretrained weights')
    if str(source) == HUB:
        if settings.backbone == SMALL_CNN:
            raise UsageError(
                f'[training] pretrained = "hub": {SMALL_CNN} is Ossicle\'s own network, of which timm has no weights; '
                "remove it, or give a file"
            )
        pretrained, where = _from_hub(settings), f"timm's weights of {settings.backbone}"
    else:
        pretrained, where = _from_file(Path(source)), str(source)
    for target in targets:
        _copy(target, pretrained, where)


def _from_hub(settings: WindowSettings) -> Mapping[str, Tensor]:
    import timm

    try:
        pretrained: Any = timm.create_model(settings.backbone, pretrained=True, num_classes=0)
    except Exception as error:  # whatever the network and the hub's libraries raise
        first_line = str(error).split("\n", 1)[0]
        raise UsageError(
            f'[training] pretrained = "hub": no weights of {settings.backbone!r} could be downloaded ({first_line}); '
            "give a file that you downloaded elsewhere"
        ) from error
    state: Mapping[str, Tensor] = pretrained.state_dict()
    return state


def _from_file(path: Path) -> Mapping[str, Tensor]:
    try:
        require_regular(path)
        if path.suffix == ".safetensors":
            return load_file(path)
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError) as error:
        raise ArtefactError(f"{path}: not a readable file of weights ({error})") from error
    except Exception as error:  # a damaged or hostile pickle can raise anything
        first_line = str(error).split("\n", 1)[0]
        raise ArtefactError(
            f"{path}: not a readable file of weights ({first_line}); save them as safetensors"
        ) from error
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ArtefactError(f"{path}: contains no table of weights; save the state_dict of the network")
    return state


def _copy(target: nn.Module, pretrained: Mapping[str, Tensor], where: str) -> None:
    weights = target.state_dict()
    prefix = max(
        ("", *_PREFIXES, *(f"model.{prefix_part}" for prefix_part in _PREFIXES)),
        key=lambda candidate: sum(f"{candidate}{name}" in pretrained for name in weights),
    )
    missing, misfits = [], []
    for name, tensor in weights.items():
        tensor_found = pretrained.get(prefix + name)
        if tensor_found is not None and tensor_found.ndim == 4 and tensor_found.shape[1] == 3 and tensor.shape[1] == 1:
            tensor_found = tensor_found.sum(dim=1, keepdim=True)
        if tensor_found is None:
            missing.append(name)
        elif tensor_found.shape != tensor.shape:
            misfits.append(f"{name} is {list(tensor_found.shape)}, not {list(tensor.shape)}")
        elif tensor_found.is_floating_point() and not bool(torch.isfinite(tensor_found).all()):
            raise ArtefactError(f"{where}: {prefix}{name} holds NaN or Inf, so the file is damaged; download it again")
        else:
            weights[name] = tensor_found
    if missing or misfits:
        named = "; ".join([*misfits, *(f"{name} is missing" for name in missing)][:_MOST_NAMED])
        raise ArtefactError(
            f"{where}: {len(missing) + len(misfits)} of {len(weights)} tensors do not fit the backbone: {named}"
        )
    target.load_state_dict(weights)
