"""Variants that ship with Ossicle, as data: ``base = "preset:NAME"`` in ``[variants.NAME]``.

Presets for one recipe lie in a folder named after it, as ``drums/warmup``.
"""

import importlib.resources
from functools import cache
from typing import Any

from ossicle.app.project.toml import parse_toml

_PACKAGE = "ossicle.app.recipes.variants"
_ENDING = ".toml"


def variant_preset_names(recipe: str = "") -> tuple[str, ...]:
    """Return the names of all presets, sorted; with ``recipe``, those of that recipe, the shortest training first.

    >>> variant_preset_names("drums")
    ('drums/warmup', 'drums/baseline', 'drums/long')
    """
    if not recipe:
        return tuple(sorted(_files()))
    recipe_presets = [name for name in _files() if name.startswith(f"{recipe}/")]
    return tuple(sorted(recipe_presets, key=lambda name: variant_preset(name).get("training", {}).get("epochs", 0)))


def variant_preset(name: str) -> dict[str, Any]:
    """Return the tables of a preset; raises KeyError if there is none with this name."""
    return parse_toml(_text(name), f"preset:{name}")


def variant_preset_about(name: str) -> str:
    """Return the purpose of a preset in one line: the first line of its file.

    >>> variant_preset_about("debug")[:20]
    'A small part of the '
    """
    return _text(name).split("\n", 1)[0].removeprefix("# ")


def recipe_of_preset(name: str) -> str:
    """Return the recipe that a preset is for; empty if it is for several.

    >>> recipe_of_preset("drums/warmup"), recipe_of_preset("debug")
    ('drums', '')
    """
    return name.rpartition("/")[0]


def _text(name: str) -> str:
    return importlib.resources.files(_PACKAGE).joinpath(_files()[name]).read_text(encoding="utf-8")


@cache
def _files() -> dict[str, str]:
    """Return the files by the names of their presets."""
    files: dict[str, str] = {}
    for entry in importlib.resources.files(_PACKAGE).iterdir():
        inside = [f"{entry.name}/{path.name}" for path in entry.iterdir()] if entry.is_dir() else [entry.name]
        files |= {name.removesuffix(_ENDING): name for name in inside if name.endswith(_ENDING)}
    return files
