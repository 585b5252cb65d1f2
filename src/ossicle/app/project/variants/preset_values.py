"""Every value that a preset fixes, and those that its recipe or the defaults give beside them."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from ossicle.app.project.layers import Layers, Origin, in_full, recipe_names, recipe_values
from ossicle.app.project.load import check
from ossicle.app.project.variants.presets import recipe_of_preset, variant_preset, variant_preset_names
from ossicle.core.errors import UsageError
from ossicle.core.text.suggestion import did_you_mean
from ossicle.training.presets import preset, preset_names
from ossicle.training.vocoder.presets import vocoder_preset_names

_DEFAULT = "default"
_OF_VOCODERS = "units"


@dataclass(frozen=True, slots=True)
class PresetValue:
    """One setting under a preset.

    Attributes
    ----------
    table, key
        Where it stands in a project file.
    value
        Its value.
    source
        ``preset:NAME``, ``recipe:NAME`` or ``default``.
    """

    table: str
    key: str
    value: Any
    source: str


def preset_values(name: str) -> list[PresetValue]:
    """Return every setting of the tables that a preset changes.

    Parameters
    ----------
    name
        A training preset (``quick``), one of a vocoder (``small``), or a variant that ships with Ossicle
        (``drums/warmup``). One for a recipe is laid over that recipe.

    Raises
    ------
    UsageError
        There is no such preset.
    """
    if name in preset_names():
        changed, recipe = {"training": preset(name)}, ""
    elif name in vocoder_preset_names():
        changed, recipe = in_full({"vocoder": {"preset": name}}, f"preset:{name}"), _OF_VOCODERS
    elif name in variant_preset_names():
        changed, recipe = in_full(dict(variant_preset(name)), f"preset:{name}"), recipe_of_preset(name)
    else:
        known = (*preset_names(), *vocoder_preset_names(), *variant_preset_names())
        raise UsageError(f"no preset is called {name!r}; {did_you_mean(name, known)}")
    layers = Layers(f"preset:{name}")
    layers.add({"corpus": {"audio": "."}}, Origin(_DEFAULT))
    if recipe in recipe_names():
        layers.add(recipe_values(recipe), Origin(f"recipe:{recipe}"))
    layers.add(changed, Origin(f"preset:{name}"))
    settings = check(layers)
    return [preset_value for table in changed for preset_value in _values((table,), getattr(settings, table), layers)]


def _values(path: tuple[str, ...], instance: Any, layers: Layers) -> Iterator[PresetValue]:
    """Yield the settings of the table at a path of keys, and of the tables inside it."""
    for spec in fields(instance):
        here, value = (*path, spec.name), getattr(instance, spec.name)
        if is_dataclass(value):
            yield from _values(here, value, layers)
        else:
            yield PresetValue(here[0], ".".join(here[1:]), value, str(layers.origins.get(here, _DEFAULT)))
