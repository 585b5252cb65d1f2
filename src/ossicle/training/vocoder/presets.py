"""Named vocoders as data: ``presets.toml`` beside this module holds the settings that each changes."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from ossicle.core.errors import UsageError
from ossicle.core.text.suggestion import did_you_mean


def vocoder_preset_names() -> tuple[str, ...]:
    """Return the names of the presets, the smallest first.

    Examples
    --------
    >>> vocoder_preset_names()
    ('small', 'full')
    """
    return tuple(_presets())


def vocoder_preset(name: str) -> dict[str, Any]:
    """Return what a preset changes in ``VocoderSettings``; lists, and a table ``network``, as in a project file.

    Parameters
    ----------
    name
        Its name.

    Raises
    ------
    UsageError
        There is no such preset.

    Examples
    --------
    >>> vocoder_preset("full")
    {}
    """
    known = _presets()
    if name not in known:
        raise UsageError(f"no vocoder preset is called {name!r}; {did_you_mean(name, known)}")
    return dict(known[name]["vocoder"])


def vocoder_preset_about(name: str) -> str:
    """Return the purpose of a preset in one line.

    Parameters
    ----------
    name
        Its name.

    Raises
    ------
    UsageError
        There is no such preset.
    """
    vocoder_preset(name)
    return str(_presets()[name]["about"])


@cache
def _presets() -> dict[str, dict[str, Any]]:
    return tomllib.loads(files("ossicle.training.vocoder").joinpath("presets.toml").read_text(encoding="utf-8"))
