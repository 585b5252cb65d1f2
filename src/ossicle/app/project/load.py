"""Convert merged tables to settings: the only place where pydantic checks them, and the messages for its findings."""

import json
import math
import os
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, time
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from ossicle.app.project.file_names import DATA_ROOT_VARIABLE, LOCAL_FILE, PROJECT_FILE
from ossicle.app.project.former_names import REMOVED_KEYS
from ossicle.app.project.layers import Layers, Origin, add_overrides, origin_of, read_layers
from ossicle.app.project.places import refuse_linked_root, require_below
from ossicle.app.project.settings import ProjectSettings
from ossicle.app.project.tables.modal import ACCOUNT, ModalSettings
from ossicle.app.project.tables.placement import (
    SHELL,
    STEP_TABLES,
    JobsSettings,
    StepPlacement,
    with_step_tables,
    without_step_tables,
)
from ossicle.app.project.variants.overlays import Variants
from ossicle.app.project.variants.starting_variant import require_start
from ossicle.artefacts.filesystem.links import settled
from ossicle.artefacts.roots import Roots, roots_of_environment
from ossicle.core.errors import ProjectError
from ossicle.core.text.controls import control_name, first_control
from ossicle.core.text.suggestion import did_you_mean

RESULTS_OF_VARIANTS = "variants"
_DATA_ROOT = ("project", "data_root")


@dataclass(frozen=True, slots=True)
class Project:
    """A project or a variant of it: its settings, and the places of its data on this machine.

    ``variants`` names the variants that the project file defines, and ``active`` those to train. ``overrides`` are the
    ``--set`` options, and ``origins`` holds the file or option that each setting came from.
    """

    file: Path
    settings: ProjectSettings
    data_root: Path
    variant: str = ""
    variants: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    origins: Mapping[tuple[str, ...], Origin] = field(default_factory=dict, repr=False, compare=False)

    def origin(self, *keys: str) -> str:
        """Return where the setting at a path of keys came from, for messages: a file, a variant, or ``--set``."""
        return str(origin_of(keys, self.origins, str(self.file)))

    def is_of_user(self, *keys: str) -> bool:
        """Return whether the user of this machine wrote the setting at a path of keys, and not the project's author."""
        return origin_of(keys, self.origins, str(self.file)).by_user

    @property
    def folder(self) -> Path:
        """The folder of the project file."""
        return self.file.parent

    @property
    def results(self) -> Path:
        """Where a run writes its results: next to the project file, for a variant below ``variants/``."""
        return self.folder / RESULTS_OF_VARIANTS / self.variant if self.variant else self.folder

    @property
    def audio_folder(self) -> Path:
        """The folder of recordings."""
        return self.folder / self.settings.corpus.audio

    @property
    def roots(self) -> Roots:
        """The folders of recordings by root on this machine: of the environment, of ``[roots]``, and of ``audio``."""
        named = {name: [self.folder / folder for folder in folders] for name, folders in self.settings.roots.items()}
        return Roots(named, [self.audio_folder], roots_of_environment(os.environ))

    @property
    def manifest(self) -> Path | None:
        """The manifest of events; None if the project has none."""
        return self.folder / self.settings.corpus.manifest if self.settings.corpus.manifest else None

    @property
    def annotation_folder(self) -> Path | None:
        """The folder (or file) of annotations; None if the project has none."""
        return self.folder / self.settings.corpus.annotations if self.settings.corpus.annotations else None

    @property
    def metadata_table(self) -> Path | None:
        """The table with one row for each recording; None if the project has none."""
        table = self.settings.corpus.metadata.table
        return self.folder / table if table else None


def load_project(
    file: Path, overrides: tuple[str, ...] = (), data_root: Path | None = None, variant: str = ""
) -> Project:
    """Read a project file and check all its variants.

    Every variant is checked, so that a misspelt key is reported before the first training. Overrides are checked
    only with what is loaded: other variants need not go together with them.

    Parameters
    ----------
    file
        The project file, or the folder of an ``ossicle.toml``.
    overrides
        ``--set`` options, which override file and variant.
    data_root
        The data root; None for ``$OSSICLE_DATA_ROOT`` if it is set, else ``[project] data_root``.
    variant
        The variant to load, which overrides the file; empty for the project itself.

    Returns
    -------
    Project
        The settings, their origins, and the places of the project.

    Raises
    ------
    ProjectError
        The file or a variant is invalid; the message names file, table, key and remedy.
    """
    file = settled(file) / PROJECT_FILE if file.is_dir() else settled(file.parent) / file.name
    layers = read_layers(file)
    variants = Variants(layers)
    if variant:
        variants.require(variant, str(file))
    loaded: dict[str, tuple[Layers, ProjectSettings]] = {}
    for name in variants.names:
        if name != variant:
            loaded[name] = _settings(layers, variants, name, ())
    layers, settings = loaded[variant] = _settings(layers, variants, variant, overrides)
    starts = {name: its_settings.training.init_from for name, (_, its_settings) in loaded.items()}
    for name, (variant_layers, _) in loaded.items():
        require_start(name, starts, str(variant_layers.origin(("training", "init_from"))), file.parent)
    for path, stated in (
        (_DATA_ROOT, settings.project.data_root),
        (("fetch", "folder"), settings.fetch.folder),
        (("registry", "folder"), settings.registry.folder or "."),
    ):
        origin = layers.origin(path)
        if not origin.by_user:
            require_below(stated, f"{origin}: [{path[0]}] {path[1]}")
    _refuse_shell(layers, file.parent / LOCAL_FILE)
    _refuse_account(layers, file.parent / LOCAL_FILE)
    _refuse_costs(layers, settings.modal, file.parent / LOCAL_FILE)
    named = data_root or os.environ.get(DATA_ROOT_VARIABLE)
    if not named and not layers.origin(_DATA_ROOT).by_user:
        refuse_linked_root(file, settings.project.data_root)
    root = settled(named or file.parent / settings.project.data_root)
    return Project(file, settings, root, variant, variants.names, variants.active, overrides, layers.origins)


def _refuse_account(layers: Layers, local: Path) -> None:
    """Raise ProjectError for a Modal volume or a folder in it, unless the user named it: it may hold other data."""
    for key in ACCOUNT:
        origin = layers.origin(("modal", key))
        if key in layers.values.get("modal", {}) and not origin.by_user:
            raise ProjectError(
                f"{origin}: [modal] {key}: it names data of your Modal account, and a project file may come from "
                f"another person; write it in {local} or give it with --set"
            )


def _refuse_costs(layers: Layers, modal: ModalSettings, local: Path) -> None:
    """Raise ProjectError for more containers at a time than by default, unless the user allowed them: they cost money.

    A project file may lower the number.
    """
    most, origin = ModalSettings().max_concurrent, layers.origin(("modal", "max_concurrent"))
    if modal.max_concurrent > most and not origin.by_user:
        raise ProjectError(
            f"{origin}: [modal] max_concurrent = {modal.max_concurrent}: more than {most} containers at a time cost "
            f"money, and a project file may come from another person; write it in {local} or give it with --set"
        )


def _refuse_shell(layers: Layers, local: Path) -> None:
    """Raise ProjectError for lines in ``[jobs]`` that a shell would run, unless the user wrote them.

    The user writes them in the local file or with ``--set``; a project file may come from a stranger.
    """
    for path, _ in _leaves(layers.values.get("jobs", {}), ("jobs",)):
        origin = layers.origin(path)
        if path[-1] in SHELL and not origin.by_user:
            raise ProjectError(
                f"{origin}: [{'.'.join(path[:-1])}] {path[-1]}: a shell runs these lines, and a project file may "
                f"come from another person; write them in {local} or give them with --set"
            )


def _settings(
    layers: Layers, variants: Variants, variant: str, overrides: tuple[str, ...]
) -> tuple[Layers, ProjectSettings]:
    """Return the layers of a variant (empty for the project itself) with the ``--set`` options, and its settings."""
    variant_layers = deepcopy(layers)
    if variant:
        variants.lay_over(variant_layers, variant)
    add_overrides(variant_layers, overrides)
    return variant_layers, check(variant_layers)


def check(layers: Layers) -> ProjectSettings:
    """Return the settings of merged layers; raises ProjectError that lists all errors in them."""
    for path, value in _leaves(layers.values, ()):
        key_place = _place_of_key(layers, path)
        if isinstance(value, date | time):
            raise ProjectError(f"{key_place} = {value}: put dates and times in quotes")
        if isinstance(value, float) and not math.isfinite(value):
            raise ProjectError(f"{key_place} = {value}: should be a finite number; {_help(path[:-1], path[-1])}")
        if isinstance(value, str) and (control := first_control(value)) is not None:
            raise ProjectError(
                f"{key_place} = {value!r}: contains {control_name(control)}, and settings become names, lines of "
                f"scripts and text on the screen; {_help(path[:-1], path[-1])}"
            )
    try:
        return TypeAdapter(ProjectSettings).validate_json(json.dumps(with_step_tables(layers.values)))
    except ValidationError as error:
        # A setting of several types has one error for each of them; the first is enough.
        by_setting = {_setting_of(fault): fault for fault in reversed(error.errors(include_url=False))}
        complaints = [_complaint(fault, layers) for fault in reversed(by_setting.values())]
        raise ProjectError("\n".join(dict.fromkeys(complaints))) from None


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every plain value with the keys that lead to it; all values of an array have the array's key."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, path)
    else:
        yield path, value


def _setting_of(error: Any) -> tuple[str, ...]:
    """Return the keys that lead to the setting of an error, without the names of the types that it may have."""
    path = without_step_tables(tuple(str(part) for part in error["loc"] if not isinstance(part, int)))
    while len(path) > 1 and _class_of(path[:-1]) is None:
        path = path[:-1]
    return path


def _complaint(error: Any, layers: Layers) -> str:
    path = _setting_of(error)
    table, key = path[:-1], path[-1] if path else ""
    key_place = _place_of_key(layers, path)
    kind = error["type"]
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        if path in REMOVED_KEYS:
            return f"{key_place}: {REMOVED_KEYS[path]}"
        noun = "key" if table else "table"
        return f"{key_place}: unknown {noun}; {did_you_mean(key, _names(table))}"
    if kind in ("missing", "missing_argument", "missing_keyword_only_argument"):
        return f"{layers.main}: [{'.'.join(table) or key}] {key if table else ''}".rstrip() + (
            f": is missing; {_help(table, key)}"
        )
    if kind == "value_error":
        message = error["msg"].removeprefix("Value error, ")
        if not path:
            # Checks across tables: their messages begin with the complete key.
            *path_of, word = message.split(" ")[0].split(".")
            path, message = tuple(path_of), " ".join([word, *message.split(" ")[1:]])
        origin = layers.origin((*path, message.split(" ")[0]))
        return f"{origin}: [{'.'.join(path)}] {message}"
    message = error["msg"].removeprefix("Input should be ")
    return f"{key_place}: should be {message}, not {error['input']!r}; {_help(table, key)}"


def _place_of_key(layers: Layers, path: tuple[str, ...]) -> str:
    table = f": [{'.'.join(path[:-1] or path)}]" if path else ""
    return f"{layers.origin(path)}{table}{f' {path[-1]}' if len(path) > 1 else ''}"


def _class_of(table: tuple[str, ...]) -> Any:
    cls: Any = ProjectSettings
    for name in table:
        hint = get_type_hints(cls).get(name)
        if cls is JobsSettings and hint is None:
            hint = StepPlacement
        if not is_dataclass(hint):
            return None
        cls = hint
    return cls


def _names(table: tuple[str, ...]) -> list[str]:
    cls = _class_of(table)
    return [spec.name for spec in fields(cls) if spec.name != STEP_TABLES] if cls is not None else []


def _help(table: tuple[str, ...], key: str) -> str:
    cls = _class_of(table)
    for spec in fields(cls) if cls is not None else ():
        if spec.name == key:
            return f"{key} is: {spec.metadata['help']}"
    return "see the documentation of the project file"
