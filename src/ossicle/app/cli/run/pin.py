"""``ossicle pin``: name results that ``ossicle purge`` must keep."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ossicle.app.cli.options import HERE, AudioRootMap, DataRoot, Json, ProjectFile, Set, Variant, overrides_of
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.project.bundle_places import bundle_folder
from ossicle.app.project.load import load_project
from ossicle.core.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(pin)


def pin(
    name: Annotated[str, typer.Argument(help="Name of the pin; without it, all pins are listed.")] = "",
    project: ProjectFile = HERE,
    variant: Variant = "",
    bundle: Annotated[
        Path | None,
        typer.Option(
            help="Keep what this bundle was made from, instead of what the settings give.", show_default=False
        ),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the pin; its outputs stay until a purge.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a pin of this name.")] = False,
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    as_json: Json = False,
) -> None:
    """Name finished outputs that `ossicle purge` must keep, or list the names.

    A pin keeps every finished step of the project, variant and --set options, with all that these were made from.
    Steps that are not finished are named, with the results that the pin lacks because of them.
    """
    from ossicle.app.steps.maintenance.pins import pin as make_pin
    from ossicle.app.steps.maintenance.pins import pins, unfinished_in_words, unpin

    loaded = load_project(project, overrides_of(set_, roots=audio_root_map), data_root, variant)
    if name and remove:
        unpin(loaded.data_root, name)
        print(printable(f"removed the pin {name}"), file=sys.stderr)
        return
    if remove or (bundle is not None and not name):
        raise UsageError("give the name of the pin")
    made_from = None if bundle is None else bundle_folder(bundle, loaded)
    listed_pins = [make_pin(loaded, name, made_from, replace=force)] if name else pins(loaded.data_root)
    if name and made_from is None and (unfinished := unfinished_in_words(loaded)):
        print(printable(f"{name}: {unfinished}"), file=sys.stderr)
    if as_json:
        print(json_text([asdict(listed_pin) for listed_pin in listed_pins]))
        return
    print_rows(
        ("pin", "of", "made", "steps"),
        [
            (listed_pin.name, listed_pin.made_of, listed_pin.created, ", ".join(listed_pin.contents))
            for listed_pin in listed_pins
        ],
    )
