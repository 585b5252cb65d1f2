"""The torch predictor of a bundle: its weights, with the model settings in its manifest."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from ossicle.core.errors import ArtefactError, BundleError, UsageError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.models.predictor import TorchPredictor, load_predictor
from ossicle.models.settings import ModelSettings

T = TypeVar("T")

# Number of layers: more than this is a mistake or an attack, and takes long to build even without memory.
_MOST_LAYERS = 256


def bundled_predictor(
    weights: Path,
    model: Mapping[str, Any],
    labels: tuple[str, ...],
    plan: ChunkPlan,
    front: FrontEndSettings,
    device: str = "cpu",
) -> TorchPredictor:
    """Open ``weights`` (safetensors) for ``model``, plain settings; raises BundleError if they do not fit a model."""
    settings = _settings(ModelSettings, model, "model")
    try:
        return load_predictor(weights, settings, labels, plan, front, device)
    except (ArtefactError, UsageError, ValueError) as error:
        raise BundleError(f"the bundle's weights and settings do not fit together: {error}") from error


def _settings(cls: type[T], values: Mapping[str, Any], where: str) -> T:
    hints = get_type_hints(cls)
    known = {spec.name for spec in fields(cls)}  # type: ignore[arg-type]
    arguments: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise BundleError(f"bundle.json: {where}.{name} is not a setting of this version; update ossicle")
        if is_dataclass(hints[name]) and isinstance(value, Mapping):
            arguments[name] = _settings(hints[name], value, f"{where}.{name}")
        else:
            arguments[name] = _plain_setting(value, hints[name], f"{where}.{name}")
    try:
        return cls(**arguments)
    except (TypeError, ValueError) as error:
        raise BundleError(f"bundle.json: {where}: {error}") from None


def _plain_setting(value: Any, hint: Any, where: str) -> Any:
    """Return a JSON value as the setting's type; raises BundleError if it has another type."""
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            raise BundleError(f"bundle.json: {where} = {value!r} is not a list")
        if len(value) > _MOST_LAYERS:
            raise BundleError(f"bundle.json: {where} lists {len(value)} values, more than the {_MOST_LAYERS} accepted")
        return tuple(_plain_setting(item, get_args(hint)[0], where) for item in value)
    kinds: tuple[type, ...] = (int, float) if hint is float else (hint,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and hint is not bool):
        raise BundleError(f"bundle.json: {where} = {value!r} is not of type {hint.__name__}")
    return value
