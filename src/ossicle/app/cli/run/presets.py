"""``ossicle presets``: list what ships with Ossicle as named settings; ``presets show`` prints every value of one."""

from typing import Annotated, Any

import typer

from ossicle.app.cli.options import Json
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.project.variants.preset_values import preset_values
from ossicle.app.project.variants.presets import variant_preset, variant_preset_about, variant_preset_names
from ossicle.training.presets import preset, preset_about, preset_names
from ossicle.training.vocoder.presets import vocoder_preset, vocoder_preset_about, vocoder_preset_names

group = typer.Typer()


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.callback(invoke_without_command=True)(presets)
    group.command()(show)
    app.add_typer(group, name="presets")


def presets(context: typer.Context, as_json: Json = False) -> None:
    """List the named settings that ship with Ossicle. `ossicle presets show NAME` prints every value of one.

    There are three kinds: trainings, for `preset = "NAME"` in \\[training]; vocoders, for `preset = "NAME"` in
    \\[vocoder] of recipe units; and variants, which may change any table, for `base = "preset:NAME"` in
    \\[variants.NAME].
    """
    if context.invoked_subcommand is not None:
        return
    if as_json:
        trainings = {name: preset(name) for name in preset_names()}
        vocoders = {name: vocoder_preset(name) for name in vocoder_preset_names()}
        variants = {name: variant_preset(name) for name in variant_preset_names()}
        print(json_text({"training": trainings, "vocoder": vocoders, "variants": variants}))
        return
    rows = [(name, f'[training] preset = "{name}"', preset_about(name)) for name in preset_names()]
    rows += [(name, f'[vocoder] preset = "{name}"', vocoder_preset_about(name)) for name in vocoder_preset_names()]
    rows += [(name, f'base = "preset:{name}"', variant_preset_about(name)) for name in variant_preset_names()]
    print_rows(("preset", "use", "for"), rows)


def show(
    name: Annotated[str, typer.Argument(help="Name of the preset, as in quick or drums/warmup.")],
    as_json: Json = False,
) -> None:
    """Print every value of a preset, and whether the preset, its recipe or the defaults set it."""
    values = preset_values(name)
    about = _about(name)
    if as_json:
        tables: dict[str, dict[str, Any]] = {}
        for preset_value in values:
            tables.setdefault(preset_value.table, {})[preset_value.key] = {
                "value": preset_value.value,
                "source": preset_value.source,
            }
        print(json_text({"name": name, "about": about, "settings": tables}))
        return
    print(printable(f"{name}: {about}"))
    # What the preset fixes comes first.
    values = sorted(values, key=lambda preset_value: not preset_value.source.startswith("preset:"))
    print_rows(
        ("setting", "value", "set by"),
        [
            (f"{preset_value.table}.{preset_value.key}", _in_toml(preset_value.value), preset_value.source)
            for preset_value in values
        ],
    )


def _about(name: str) -> str:
    if name in preset_names():
        return preset_about(name)
    return vocoder_preset_about(name) if name in vocoder_preset_names() else variant_preset_about(name)


def _in_toml(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_in_toml, value))}]"
    return json_text(value)
