"""Write the reference of the project file from the settings classes: ``docs/project-file.md``."""

from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, get_type_hints

from ossicle.app.project.settings import ProjectSettings
from ossicle.app.project.tables.placement import STEP_TABLES, JobsSettings
from ossicle.core.text.printable import printable

_HEAD = """\
# The project file

`ossicle.toml` has one table for each step. A project may start from a recipe (`base = "recipe:tapes"`) or from
another project file. `ossicle.local.toml` in the same folder (not for version control) overrides it, and `--set
TABLE.KEY=VALUE` overrides both. `[variants.NAME]` contains variants of the same tables ([variants](variants.md)).
Unknown keys, wrong types and impossible values are errors. The defaults below are those of the settings; a recipe
may set its own. This page is generated: after a change of settings, run `python -m ossicle.app.project.reference >
docs/project-file.md`.
"""


def reference() -> str:
    """Return the page as Markdown."""
    return _HEAD + "".join(_table(spec.name, spec) for spec in fields(ProjectSettings))


def _table(name: str, spec: Field[Any]) -> str:
    cls = get_type_hints(ProjectSettings)[name]
    if not is_dataclass(cls):
        return f"\n## `[{name}]`: free keys\n\n| key | meaning |\n|---|---|\n| `NAME` | {spec.metadata['help']} |\n"
    return (
        f"\n## `[{name}]`: {spec.metadata['help']}\n\n| key | meaning | default | range |\n|---|---|---|---|\n"
        + _rows(cls)
    )


def _rows(cls: Any, prefix: str = "") -> str:
    hints = get_type_hints(cls)
    lines = []
    for spec in fields(cls):
        if spec.name == STEP_TABLES and cls is JobsSettings:
            lines.append(f"| `{prefix}STEP.*` | {spec.metadata['help']} | | |\n")
            continue
        if is_dataclass(hints[spec.name]):
            lines.append(_rows(hints[spec.name], f"{prefix}{spec.name}."))
            continue
        unit = f" ({spec.metadata['unit']})" if spec.metadata["unit"] else ""
        cells = (f"`{prefix}{spec.name}`", f"{spec.metadata['help']}{unit}", _default(spec), _range(spec))
        lines.append("| " + " | ".join(cells) + " |\n")
    return "".join(lines)


def _default(spec: Field[Any]) -> str:
    value = spec.default_factory() if spec.default_factory is not MISSING else spec.default
    return "must be given" if value is MISSING else f"`{_toml(value)}`"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _range(spec: Field[Any]) -> str:
    if spec.metadata["choices"]:
        return ", ".join(f"`{choice}`" for choice in spec.metadata["choices"] if choice != "")
    bound_phrases = (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than"))
    bounds = spec.metadata["bounds"]
    return ", ".join(f"{word} {bounds[key]:g}" for key, word in bound_phrases if bounds.get(key) is not None)


if __name__ == "__main__":
    print(printable(reference()), end="")
