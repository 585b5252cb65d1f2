"""The torch predictor of a bundle: its weights with the model settings that stand in its manifest."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from ossicle.core.chunks import ChunkPlan
from ossicle.core.errors import BundleError
from ossicle.core.frontend import FrontEndSettings
from ossicle.models.predictor import TorchPredictor, load_predictor
from ossicle.models.settings import ModelSettings

T = TypeVar("T")


def bundled_predictor(
    weights: Path,
    model: Mapping[str, Any],
    labels: tuple[str, ...],
    plan: ChunkPlan,
    front: FrontEndSettings,
    device: str = "cpu",
) -> TorchPredictor:
    """Open ``weights`` (safetensors) for ``model``, plain settings; raises BundleError where they are not a model's."""
    return load_predictor(weights, _settings(ModelSettings, model, "model"), labels, plan, front, device)


def _settings(cls: type[T], values: Mapping[str, Any], where: str) -> T:
    hints = get_type_hints(cls)
    known = {spec.name for spec in fields(cls)}  # type: ignore[arg-type]
    given: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise BundleError(f"bundle.json: {where}.{name} is no setting of this version; update ossicle")
        if is_dataclass(hints[name]) and isinstance(value, Mapping):
            given[name] = _settings(hints[name], value, f"{where}.{name}")
        else:
            given[name] = tuple(value) if isinstance(value, list) else value
    try:
        return cls(**given)
    except (TypeError, ValueError) as error:
        raise BundleError(f"bundle.json: {where}: {error}") from None
