"""From merged tables to settings: the one border where pydantic checks, and words for what it finds."""

import difflib
import json
import os
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from ossicle.app.project.layers import Layers, read_layers
from ossicle.app.project.settings import ProjectSettings
from ossicle.core.errors import ProjectError

PROJECT_FILE = "ossicle.toml"
DATA_ROOT_VARIABLE = "OSSICLE_DATA_ROOT"


@dataclass(frozen=True, slots=True)
class Project:
    """A project: its settings, and where its things lie on this machine."""

    file: Path
    settings: ProjectSettings
    data_root: Path

    @property
    def folder(self) -> Path:
        """The folder of the project file; results are left here."""
        return self.file.parent

    @property
    def audio_folder(self) -> Path:
        """The folder of recordings."""
        return self.folder / self.settings.corpus.audio

    @property
    def annotation_folder(self) -> Path | None:
        """The folder (or file) of annotations; None where the project has none."""
        return self.folder / self.settings.corpus.annotations if self.settings.corpus.annotations else None


def load_project(file: Path, overrides: tuple[str, ...] = (), data_root: Path | None = None) -> Project:
    """Read a project file (or the ``ossicle.toml`` of a folder); raises ProjectError with file, table, key and remedy.

    The data root is ``data_root``, else ``$OSSICLE_DATA_ROOT``, else ``[project] data_root``, in this order.
    """
    if file.is_dir():
        file = file / PROJECT_FILE
    layers = read_layers(file, overrides)
    settings = check(layers)
    named = data_root or os.environ.get(DATA_ROOT_VARIABLE)
    root = Path(named) if named else file.parent / settings.project.data_root
    return Project(file, settings, root)


def check(layers: Layers) -> ProjectSettings:
    """Settings from merged layers; raises ProjectError that lists everything wrong with them."""
    try:
        text = json.dumps(layers.values)
    except TypeError:
        raise ProjectError(
            "a project file holds text, numbers, booleans, arrays and tables; dates go in quotes"
        ) from None
    try:
        return TypeAdapter(ProjectSettings).validate_json(text)
    except ValidationError as error:
        found = [_complaint(one, layers) for one in error.errors(include_url=False)]
        raise ProjectError("\n".join(dict.fromkeys(found))) from None


def _complaint(error: Any, layers: Layers) -> str:
    path = tuple(str(part) for part in error["loc"] if not isinstance(part, int))
    origin = layers.origin(path)
    table, key = path[:-1], path[-1] if path else ""
    place = f"{origin}: [{'.'.join(table)}] {key}" if table else f"{origin}: [{key}]" if key else origin
    kind = error["type"]
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        names = _names(table)
        close = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
        remedy = f"did you mean {close[0]!r}?" if close else f"there is: {', '.join(names)}"
        what = "key" if table else "table"
        return f"{place}: unknown {what}; {remedy}"
    if kind in ("missing", "missing_argument", "missing_keyword_only_argument"):
        return f"{layers.main}: [{'.'.join(table) or key}] {key if table else ''}".rstrip() + (
            f": is missing; {_help(table, key)}"
        )
    if kind == "value_error":
        message = error["msg"].removeprefix("Value error, ")
        origin = layers.origin((*path, message.split(" ")[0]))
        return f"{origin}: [{'.'.join(path)}] {message}"
    message = error["msg"].removeprefix("Input should be ")
    return f"{place}: should be {message}, not {error['input']!r}; {_help(table, key)}"


def _class_of(table: tuple[str, ...]) -> Any:
    cls: Any = ProjectSettings
    for name in table:
        hint = get_type_hints(cls).get(name)
        if not is_dataclass(hint):
            return None
        cls = hint
    return cls


def _names(table: tuple[str, ...]) -> list[str]:
    cls = _class_of(table)
    return [spec.name for spec in fields(cls)] if cls is not None else []


def _help(table: tuple[str, ...], key: str) -> str:
    cls = _class_of(table)
    for spec in fields(cls) if cls is not None else ():
        if spec.name == key:
            return f"it is the {spec.metadata['help']}"
    return "see the documentation of the project file"
