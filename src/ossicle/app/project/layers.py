"""Layers of a project file: recipe, project, local file, variant and ``--set``; later layers override earlier ones.

The origin of every value is recorded, so that messages can name the file, and so that settings which can do harm are
taken from the user only.
"""

import importlib.resources
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ossicle.app.project.former_names import present_key, present_tables
from ossicle.app.project.local_file import read_local_file
from ossicle.app.project.tables.benchmark import with_benchmark_preset
from ossicle.app.project.toml import parse_toml, read_toml
from ossicle.core.errors import ProjectError, UsageError
from ossicle.core.text.suggestion import did_you_mean
from ossicle.training.presets import preset
from ossicle.training.vocoder.presets import vocoder_preset

_RECIPES = "ossicle.app.recipes"
_MOST_BASES = 8
_PRESETS = (("training", "preset"), ("benchmark", "preset"), ("vocoder", "preset"))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a setting came from: its name for messages, and whether the user of this machine wrote it.

    The user writes ``ossicle.local.toml`` and ``--set``; the project file, its bases and its variants may be a
    stranger's. Whether a setting is trusted depends on ``by_user`` and never on the name, which a stranger may choose.
    """

    name: str
    by_user: bool = False

    def __str__(self) -> str:
        return self.name


@dataclass(slots=True)
class Layers:
    """Merged tables, and the origin of each value by its path of keys; ``main`` is the file that was loaded."""

    main: str = "the project"
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[tuple[str, ...], Origin] = field(default_factory=dict)

    def add(self, values: dict[str, Any], origin: Origin, prefix: tuple[str, ...] = ()) -> None:
        """Merge a layer over the present values: tables are merged, other values replaced."""
        target = self.values
        for depth, key in enumerate(prefix):
            target = target.setdefault(key, {})
            if not isinstance(target, dict):
                raise ProjectError(f"{origin}: {'.'.join(prefix[: depth + 1])} is a setting, not a table")
        for key, value in values.items():
            path = (*prefix, key)
            self.origins[path] = origin
            if isinstance(value, dict) and isinstance(target.get(key, {}), dict):
                target.setdefault(key, {})
                self.add(value, origin, path)
            else:
                target[key] = value

    def origin(self, path: tuple[str, ...]) -> Origin:
        """Return where a value came from, or where its table did."""
        return origin_of(path, self.origins, self.main)

    def by_user(self, path: tuple[str, ...]) -> bool:
        """Return whether the user wrote everything at and below a path of keys."""
        return all(origin.by_user for keys, origin in self.origins.items() if keys[: len(path)] == path)


def origin_of(path: tuple[str, ...], origins: Mapping[tuple[str, ...], Origin], main: str) -> Origin:
    """Return where the value at a path of keys came from, or where its table did; ``main`` if neither is recorded."""
    while path and path not in origins:
        path = path[:-1]
    return origins.get(path, Origin(main))


def recipe_names() -> list[str]:
    """Return the names for ``base = "recipe:NAME"`` and ``ossicle new NAME``."""
    folder = importlib.resources.files(_RECIPES)
    return sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))


def recipe_text(name: str) -> str:
    """Return the TOML of a recipe; raises ProjectError if there is none with this name."""
    if name not in recipe_names():
        raise ProjectError(f"no recipe is called {name!r}; {did_you_mean(name, recipe_names())}")
    return (importlib.resources.files(_RECIPES) / f"{name}.toml").read_text(encoding="utf-8")


def recipe_values(name: str) -> dict[str, Any]:
    """Return the tables of a recipe merged over those of its bases."""
    layers = Layers(f"recipe:{name}")
    for values, origin in reversed(_chain(Path(f"recipe:{name}"))):
        layers.add(in_full(values, origin), Origin(origin))
    return layers.values


def read_layers(file: Path) -> Layers:
    """Read the layers of a project: its bases first, then its file, then ``ossicle.local.toml`` next to it."""
    layers = Layers(str(file))
    for values, origin in reversed(_chain(file)):
        layers.add(in_full(values, origin), Origin(origin))
    if (local_file := read_local_file(file)) is not None:
        values, local = local_file[0], str(local_file[1])
        layers.add(in_full(values, local), Origin(local, by_user=True))
    return layers


def add_overrides(layers: Layers, overrides: tuple[str, ...]) -> None:
    """Merge the ``--set`` options over all other layers: presets first, so that single settings override them."""
    overrides_read = []
    for text in overrides:
        key, value = parse_override(text)
        overrides_read.append((present_key(key, f"--set {text}"), value, f"--set {text}"))
    for key, value, origin in sorted(overrides_read, key=lambda override: override[0] not in _PRESETS):
        if key in _PRESETS:
            layers.add(with_preset({key[0]: {"preset": value}}, origin), Origin(origin, by_user=True))
        else:
            layers.add({key[-1]: value}, Origin(origin, by_user=True), key[:-1])


def parse_override(text: str) -> tuple[tuple[str, ...], Any]:
    """Split ``training.epochs=8`` into (("training", "epochs"), 8); the value is TOML, or a bare word read as text.

    >>> parse_override("training.epochs=8")
    (('training', 'epochs'), 8)
    >>> parse_override('roots."e-gmd.v1"=["/disk"]')
    (('roots', 'e-gmd.v1'), ['/disk'])
    """
    name, sign, value = text.partition("=")
    key = _quoted_key(name, text) if '"' in name else tuple(part.strip() for part in name.split("."))
    if not sign or len(key) < 2 or not all(key):
        raise ProjectError(f"--set {text}: write TABLE.KEY=VALUE, for instance training.epochs=8")
    try:
        return key, parse_toml(f"value = {value}", text)["value"]
    except ProjectError:
        return key, value.strip()


def _quoted_key(name: str, text: str) -> tuple[str, ...]:
    """Return the parts of a key in which some are quoted, as in TOML."""
    nested: Any = parse_toml(f"{name} = 0", text)
    key: list[str] = []
    while isinstance(nested, dict):
        ((part, nested),) = nested.items()
        key.append(part)
    return tuple(key)


def in_full(values: dict[str, Any], origin: str) -> dict[str, Any]:
    """Return the tables of one layer under their present names, with presets replaced by their settings."""
    return with_preset(present_tables(values, origin), origin)


def with_preset(values: dict[str, Any], origin: str) -> dict[str, Any]:
    """Replace ``preset`` of ``[training]`` and ``[benchmark]`` by the settings it stands for.

    That of ``[vocoder]`` stays beside its settings, as it says that there is a vocoder. Keys of the same layer override
    those settings.
    """
    values = _with_vocoder_preset(with_benchmark_preset(values, origin), origin)
    training = values.get("training")
    if not isinstance(training, dict) or "preset" not in training:
        return values
    name = training["preset"]
    try:
        meant = preset(name if isinstance(name, str) else str(name))
    except UsageError as error:
        raise ProjectError(f"{origin}: [training] preset: {error}") from None
    own_values = {key: value for key, value in training.items() if key != "preset"}
    return {**values, "training": {**meant, **own_values}}


def _with_vocoder_preset(values: dict[str, Any], origin: str) -> dict[str, Any]:
    vocoder = values.get("vocoder")
    if not isinstance(vocoder, dict) or not vocoder.get("preset"):
        return values
    try:
        meant = vocoder_preset(str(vocoder["preset"]))
    except UsageError as error:
        raise ProjectError(f"{origin}: [vocoder] preset: {error}") from None
    own_layers = Layers(origin, deepcopy(meant))
    own_layers.add(vocoder, Origin(origin))
    return {**values, "vocoder": own_layers.values}


def _chain(file: Path) -> list[tuple[dict[str, Any], str]]:
    """Return the file and its bases, the file first."""
    chain: list[tuple[dict[str, Any], str]] = []
    name = str(file)
    while len(chain) <= _MOST_BASES:
        try:
            values = _values(name)
        except ProjectError as error:
            if not chain:
                raise
            raise ProjectError(f"{chain[-1][1]}: base: {error}") from None
        base = values.pop("base", None)
        chain.append((values, name))
        if base is None:
            return chain
        if not isinstance(base, str) or not base.isprintable():
            raise ProjectError(f'{name}: base must be text, such as "recipe:tapes" or another project file')
        name = base if base.startswith("recipe:") else str(Path(name).parent / base)
    raise ProjectError(f"{file}: more than {_MOST_BASES} bases; check for a circle")


def _values(name: str) -> dict[str, Any]:
    """Return the values of a recipe or of a project file."""
    if name.startswith("recipe:"):
        return parse_toml(recipe_text(name.removeprefix("recipe:")), name)
    return read_toml(Path(name))
