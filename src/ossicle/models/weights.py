"""Weights as safetensors: nothing is ever unpickled, and nothing is built for weights that are missing.

A bundle states the size of its network and is not trusted. The shapes in the file's header are therefore compared with
those of a network without memory (torch's ``meta`` device) before the real one is built.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ossicle.artefacts.files import how_to_mend, whole_file
from ossicle.artefacts.filesystem.reading import open_regular, require_regular
from ossicle.core.errors import ArtefactError


def save_weights(network: nn.Module, path: Path, note: Mapping[str, str] | None = None) -> None:
    """Write the network's parameters and buffers atomically; equal weights give equal bytes.

    Parameters
    ----------
    network
        The network.
    path
        The file.
    note
        At most one entry to keep in the file's header, because the order of several is not fixed; None for none.
    """
    state = {
        name: tensor.detach().cpu().contiguous(memory_format=torch.contiguous_format)
        for name, tensor in sorted(network.state_dict().items())
    }
    with whole_file(path) as temporary:
        save_file(state, temporary, metadata=dict(note) if note else None)


def load_weights(network: nn.Module, path: Path) -> None:
    """Load weights written by :func:`save_weights`; every name, shape and dtype must match.

    Parameters
    ----------
    network
        The network to fill.
    path
        The file.

    Raises
    ------
    ArtefactError
        The file is not safetensors, its tensors are not those of the network, or hold NaN or Inf. A network with NaN
        in its first layers can still return numbers, because a rectifier may turn NaN into 0.
    """
    try:
        require_regular(path)
        stored = load_file(path)
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from error
    expected = network.state_dict()
    _require_same_shapes(path, _shapes_of(stored), _shapes_of(expected))
    for name, tensor in stored.items():
        if tensor.dtype != expected[name].dtype:
            raise ArtefactError(
                f"{path}: the weights do not fit the network: {name} is {_dtype(tensor)} in the file, "
                f"{_dtype(expected[name])} by the settings; {how_to_mend(path)}"
            )
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ArtefactError(f"{path}: {name} holds NaN or Inf, so the file is damaged; {how_to_mend(path)}")
    try:
        network.load_state_dict(stored, strict=True)
    except RuntimeError as error:
        raise ArtefactError(f"{path}: the weights do not fit the network: {error}") from error


def read_note(path: Path) -> dict[str, str]:
    """Return what :func:`save_weights` kept in the header of a file.

    Parameters
    ----------
    path
        The file of weights.

    Returns
    -------
    dict
        Empty if nothing was kept.

    Raises
    ------
    ArtefactError
        The file is not safetensors.
    """
    try:
        require_regular(path)
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from error


def require_shapes(path: Path, build: Callable[[], nn.Module]) -> None:
    """Raise ArtefactError unless the tensors of ``path`` match the network that ``build`` makes.

    Only the file's header is read, and the network is built without memory, whatever its size.
    """
    try:
        require_regular(path)
        with safe_open(path, framework="pt") as file:
            stored_shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from error
    try:
        with torch.device("meta"):
            expected_shapes = _shapes_of(build().state_dict())
    except (RuntimeError, TypeError, OverflowError) as error:
        # Sizes beyond the largest that torch can represent.
        first_line = str(error).split("\n", 1)[0]
        raise ArtefactError(f"{path}: the settings ask for a network that cannot be made: {first_line}") from error
    _require_same_shapes(path, stored_shapes, expected_shapes)


def _require_same_shapes(
    path: Path, stored_shapes: Mapping[str, tuple[int, ...]], expected_shapes: Mapping[str, tuple[int, ...]]
) -> None:
    """Raise ArtefactError, naming the first tensor, unless both have the same names and shapes."""
    for name in sorted(stored_shapes.keys() | expected_shapes.keys()):
        if stored_shapes.get(name) != expected_shapes.get(name):
            raise ArtefactError(
                f"{path}: the weights do not fit the network: {name} is {_shape(stored_shapes.get(name))} in the "
                f"file, {_shape(expected_shapes.get(name))} by the settings; {how_to_mend(path)}"
            )


def _shapes_of(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _shape(shape: tuple[int, ...] | None) -> str:
    return "absent" if shape is None else f"of shape {list(shape)}"


def _unreadable(path: Path, error: Exception) -> ArtefactError:
    """Return the error for a file that is not safetensors; a file from torch or pickle is named as such and not
    opened.
    """
    try:
        with open_regular(path) as handle:
            start = handle.read(4)
    except OSError:
        start = b""
    if start.startswith(b"PK") or (start[:1] == b"\x80" and start[1:2] in b"\2\3\4\5"):
        reason = "it was written by torch.save or pickle and could run code; ask for the weights as safetensors"
        return ArtefactError(f"{path}: not a readable safetensors file: {reason}")
    return ArtefactError(f"{path}: not a readable safetensors file ({error}); {how_to_mend(path)}")
