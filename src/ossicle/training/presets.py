"""Named trainings as data: ``presets.toml`` beside this module holds the settings that each changes."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from ossicle.core.errors import UsageError
from ossicle.core.text.suggestion import did_you_mean


def preset_names() -> tuple[str, ...]:
    """Return the names of the presets, from the shortest training to the longest.

    >>> preset_names()
    ('quick', 'standard', 'long')
    """
    return tuple(_presets())


def preset(name: str) -> dict[str, Any]:
    """Return the ``TrainingSettings`` that a preset changes; raises UsageError for an unknown name.

    >>> preset("long")
    {'epochs': 120}
    """
    return dict(_entry(name)["training"])


def preset_about(name: str) -> str:
    """Return the purpose of a preset in one line; raises UsageError for an unknown name."""
    return str(_entry(name)["about"])


def _entry(name: str) -> dict[str, Any]:
    known = _presets()
    if name not in known:
        raise UsageError(f"no training preset is called {name!r}; {did_you_mean(name, known)}")
    return known[name]


@cache
def _presets() -> dict[str, dict[str, Any]]:
    return tomllib.loads(files("ossicle.training").joinpath("presets.toml").read_text(encoding="utf-8"))
