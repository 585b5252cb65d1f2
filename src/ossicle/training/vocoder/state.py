"""The whole state of a training after a step, in one file that is written atomically; nothing in it is unpickled."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ossicle.artefacts.files import whole_file
from ossicle.artefacts.filesystem.reading import require_regular
from ossicle.core.errors import ArtefactError

SAVE_EVERY_S = 300.0
"""Seconds of work that an interrupted training repeats at most, and the time of one step."""
_PROGRESS = "ossicle_vocoder"


@dataclass(slots=True)
class Progress:
    """How far a training is.

    Attributes
    ----------
    made_from
        Digest of settings and corpus.
    epoch
        The last complete epoch; 0: none.
    steps
        Steps of the generator so far.
    start
        Log-mel distance of the choosing group before training, in dB.
    best, best_epoch
        The lowest so far of the epochs that count, and its epoch.
    reference, waited
        The distance that the next one must be below by ``min_delta``, and the epochs since it was.
    epochs
        Figures of each epoch.
    crops
        Crops of the epoch after the last complete one that were trained on; 0: none.
    totals
        Sums of the figures of these crops.
    """

    made_from: str
    epoch: int = 0
    steps: int = 0
    start: float = 0.0
    best: float = 0.0
    best_epoch: int = 0
    reference: float = 0.0
    waited: int = 0
    epochs: list[dict[str, Any]] = field(default_factory=list)
    crops: int = 0
    totals: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Parts:
    """What a state holds besides its progress.

    Attributes
    ----------
    networks
        Modules by name, whose weights are stored.
    optimisers
        Optimisers by name.
    """

    networks: dict[str, nn.Module]
    optimisers: dict[str, torch.optim.Optimizer]


def save_state(path: Path, progress: Progress, parts: Parts) -> None:
    """Write the state; equal states give equal bytes.

    Parameters
    ----------
    path
        The file.
    progress, parts
        The state.
    """
    tensors = {
        f"{name}/{key}": tensor for name, part in parts.networks.items() for key, tensor in part.state_dict().items()
    }
    for name, optimiser in parts.optimisers.items():
        for number, values in optimiser.state_dict()["state"].items():
            tensors |= {f"{name}/{number}/{key}": value for key, value in values.items()}
    # Shared memory is refused, and a copy of everything on the CPU is what the file holds.
    stored = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in sorted(tensors.items())}
    with whole_file(path) as part:
        save_file(stored, part, metadata={_PROGRESS: json.dumps(asdict(progress), sort_keys=True)})


def read_state(path: Path, made_from: str, parts: Parts) -> Progress:
    """Put the state in a file into ``parts``, and return its progress.

    Parameters
    ----------
    path
        The file.
    made_from
        Digest of settings and corpus, which must be that of the state.
    parts
        Networks and optimisers of the same sizes.

    Raises
    ------
    ArtefactError
        The file is damaged, or the state of another training.
    """
    remedy = f"delete the folder {path.parent} and run again to start the training from the beginning"
    try:
        require_regular(path)
        with safe_open(path, framework="pt") as file:
            progress = Progress(**json.loads((file.metadata() or {})[_PROGRESS]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ArtefactError(f"{path}: not a readable state of a vocoder's training ({error}); {remedy}") from error
    if progress.made_from != made_from:
        raise ArtefactError(f"{path}: the state of a training with other settings or segments; {remedy}")
    try:
        for name, network in parts.networks.items():
            network.load_state_dict(_below(tensors, name), strict=True)
        for name, optimiser in parts.optimisers.items():
            _restore(optimiser, _below(tensors, name))
    except (RuntimeError, KeyError, ValueError) as error:
        raise ArtefactError(f"{path}: the state does not fit the networks ({error}); {remedy}") from error
    return progress


def _below(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}/"): tensor for key, tensor in tensors.items() if key.startswith(f"{name}/")}


def _restore(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, _, key = name.partition("/")
        state.setdefault(int(number), {})[key] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
