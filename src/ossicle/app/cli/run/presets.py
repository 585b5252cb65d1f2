"""``ossicle presets``: list the training presets."""

import typer

from ossicle.app.cli.options import Json
from ossicle.app.cli.printable import json_text
from ossicle.app.cli.table import print_rows
from ossicle.training.presets import preset, preset_about, preset_names


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(presets)


def presets(as_json: Json = False) -> None:
    """List the training presets. Choose one with --set training.preset=NAME, or in the project file."""
    if as_json:
        print(json_text({name: preset(name) for name in preset_names()}))
        return
    rows = [
        (
            name,
            preset_about(name),
            ", ".join(f"{key} = {value}" for key, value in preset(name).items()) or "the defaults",
        )
        for name in preset_names()
    ]
    print_rows(("preset", "for", "settings"), rows)
