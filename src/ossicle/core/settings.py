"""Settings: frozen dataclasses whose fields carry unit, range, choices and help as data.

A settings class lives beside the function that uses it and is handed on whole. The decorator marks it for strict
validation where text comes in (``ossicle.app.project`` uses pydantic there, and only there), and checks ranges
wherever an instance is made, so a value that exists is a value that works.
"""

import operator
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")

_BOUNDS: tuple[tuple[str, str, Callable[[float, float], bool]], ...] = (
    ("ge", "at least", operator.ge),
    ("gt", "more than", operator.gt),
    ("le", "at most", operator.le),
    ("lt", "less than", operator.lt),
)


def setting(
    default: Any = MISSING,
    *,
    help: str,
    unit: str = "",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    choices: tuple[Any, ...] = (),
    digest: bool = True,
) -> Any:
    """A dataclass field with its documentation and bounds.

    Name the default, ``setting(default=1.0, ...)``: type checkers find it by that word only (PEP 681), and take a
    positional one for a setting that must be given.
    ``digest=False`` marks a setting that cannot change a result (workers, device), and so stays out of fingerprints.
    """
    given = {"ge": ge, "gt": gt, "le": le, "lt": lt}
    # Under a key of their own: pydantic reads metadata named ge, gt, ... itself and holds a whole tuple against it.
    bounds = {key: bound for key, bound in given.items() if bound is not None}
    meta = {"help": help, "unit": unit, "bounds": bounds, "choices": choices, "digest": digest}
    if default is MISSING:
        return field(metadata=meta)
    if isinstance(default, dict | list):
        return field(default_factory=lambda: type(default)(default), metadata=meta)
    return field(default=default, metadata=meta)


def _check(instance: Any) -> None:
    for spec in fields(instance):
        meta, value = spec.metadata, getattr(instance, spec.name)
        for one in value if isinstance(value, tuple) else (value,):
            if meta.get("choices") and one not in meta["choices"]:
                allowed = ", ".join(map(str, meta["choices"]))
                raise ValueError(f"{spec.name} = {one!r} is not one of: {allowed}")
            if isinstance(one, bool) or not isinstance(one, int | float):
                continue
            unit = f" {meta['unit']}" if meta.get("unit") else ""
            for key, words, holds in _BOUNDS:
                bound = meta.get("bounds", {}).get(key)
                if bound is not None and not holds(one, bound):
                    raise ValueError(f"{spec.name} = {one}{unit} must be {words} {bound:g}{unit}")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(setting, field))
def settings(cls: type[T]) -> type[T]:
    """Make ``cls`` a frozen, keyword-only dataclass that checks its own bounds and refuses unknown keys.

    >>> @settings
    ... class Window:
    ...     length_s: float = setting(default=1.0, help="length", unit="s", gt=0)
    >>> Window(length_s=-1.0)
    Traceback (most recent call last):
    ValueError: length_s = -1.0 s must be more than 0 s
    """
    own: Callable[[Any], None] | None = cls.__dict__.get("__post_init__")

    def post_init(self: Any) -> None:
        _check(self)
        if own is not None:
            own(self)

    cls.__post_init__ = post_init  # type: ignore[attr-defined]
    cls.__pydantic_config__ = {"extra": "forbid", "strict": True}  # type: ignore[attr-defined]
    return dataclass(frozen=True, kw_only=True)(cls)


def digestible(instance: Any) -> dict[str, Any]:
    """The settings that can change a result, as plain values ready for a fingerprint."""
    out: dict[str, Any] = {}
    for spec in fields(instance):
        if not spec.metadata.get("digest", True):
            continue
        value = getattr(instance, spec.name)
        out[spec.name] = digestible(value) if hasattr(value, "__dataclass_fields__") else value
    return out
