"""Settings: frozen dataclasses whose fields carry unit, range, choices and help as data.

A settings class lives beside the function that uses it and is passed on as a whole. The decorator marks it for strict
validation of text input (only ``ossicle.app.project`` uses pydantic for that). Ranges are checked whenever an instance
is created, so an instance that exists is valid.
"""

import operator
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")

MOST_WHOLE = 2**63 - 1
"""Largest whole number of a setting: larger ones are neither floats nor sizes of arrays nor seeds of torch."""

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
    digest_default: bool = True,
) -> Any:
    """Return a dataclass field with its documentation and bounds.

    Pass the default by name, ``setting(default=1.0, ...)``: type checkers recognise only that word (PEP 681) and treat
    a positional default as a required setting.

    Parameters
    ----------
    default
        Default value; without it the setting is required.
    help
        One sentence for the documentation.
    unit
        Unit of the value.
    ge, gt, le, lt
        Bounds: at least, more than, at most, less than.
    choices
        Allowed values; empty for no restriction.
    digest
        Whether the setting can change a result. False (workers, device) keeps it out of fingerprints.
    digest_default
        False keeps the default value out of fingerprints, so that a setting that is added later leaves the results of
        earlier versions valid.
    """
    limits = {"ge": ge, "gt": gt, "le": le, "lt": lt}
    # Bounds have their own key: pydantic reads metadata named ge, gt, ... itself and compares whole tuples with them.
    bounds = {key: bound for key, bound in limits.items() if bound is not None}
    meta: dict[str, Any] = {"help": help, "unit": unit, "bounds": bounds, "choices": choices}
    meta |= {"digest": digest, "digest_default": digest_default}
    if default is MISSING:
        return field(metadata=meta)
    if isinstance(default, dict | list):
        return field(default_factory=lambda: type(default)(default), metadata=meta)
    return field(default=default, metadata=meta)


def _check(instance: Any) -> None:
    for spec in fields(instance):
        meta, value = spec.metadata, getattr(instance, spec.name)
        for number in value if isinstance(value, tuple) else (value,):
            if meta.get("choices") and number not in meta["choices"]:
                allowed = ", ".join(map(str, meta["choices"]))
                raise ValueError(f"{spec.name} = {number!r} is not one of: {allowed}")
            if isinstance(number, bool) or not isinstance(number, int | float):
                continue
            unit = f" {meta['unit']}" if meta.get("unit") else ""
            for key, relation, holds in _BOUNDS:
                bound = meta.get("bounds", {}).get(key)
                if bound is not None and not holds(number, bound):
                    raise ValueError(f"{spec.name} = {number}{unit} must be {relation} {bound:g}{unit}")
            if isinstance(number, int) and abs(number) > MOST_WHOLE:
                relation = f"at most {MOST_WHOLE}" if number > 0 else f"at least -{MOST_WHOLE}"
                raise ValueError(f"{spec.name} = {number} must be {relation}")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(setting, field))
def settings(cls: type[T]) -> type[T]:
    """Make ``cls`` a frozen, keyword-only dataclass that checks its own bounds and rejects unknown keys.

    Raises
    ------
    ValueError
        When an instance is created with a value outside its bounds or choices.

    Examples
    --------
    >>> @settings
    ... class Window:
    ...     length_s: float = setting(default=1.0, help="length", unit="s", gt=0)
    >>> Window(length_s=-1.0)
    Traceback (most recent call last):
    ValueError: length_s = -1.0 s must be more than 0 s
    """
    own_check: Callable[[Any], None] | None = cls.__dict__.get("__post_init__")

    def post_init(self: Any) -> None:
        _check(self)
        if own_check is not None:
            own_check(self)

    cls.__post_init__ = post_init  # type: ignore[attr-defined]
    cls.__pydantic_config__ = {"extra": "forbid", "strict": True}  # type: ignore[attr-defined]
    return dataclass(frozen=True, kw_only=True)(cls)


def digestible(instance: Any) -> dict[str, Any]:
    """Return the settings that can change a result, as plain values ready for a fingerprint."""
    plain: dict[str, Any] = {}
    for spec in fields(instance):
        if not spec.metadata.get("digest", True):
            continue
        value = getattr(instance, spec.name)
        default = spec.default if spec.default_factory is MISSING else spec.default_factory()
        if not spec.metadata.get("digest_default", True) and value == default:
            continue
        plain[spec.name] = digestible(value) if hasattr(value, "__dataclass_fields__") else value
    return plain
