"""``ossicle promote``: judge a finished run and add its bundle to the registry."""

import os
from typing import Annotated

import typer

from ossicle.app.cli.options import HERE, AudioRootMap, DataRoot, Json, ProjectFile, Set, Variant, overrides_of
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.project.load import load_project


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(promote)


def promote(
    project: ProjectFile = HERE,
    variant: Variant = "",
    name: Annotated[
        str, typer.Option("--name", help="Name in the registry. Default: the name of the project.", show_default=False)
    ] = "",
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    as_json: Json = False,
) -> None:
    """Compare a finished run with the limits and with the promoted model, and promote it. Exit code 4: refused.

    The limits are in \\[promotion] and \\[probe_gate] of the project file. The new version is `registry:NAME@current`
    for `predict`, `stream`, `live` and projects. A promotion and a refusal write a card and a line in the ledger.
    """
    from ossicle.app.steps.promotion.promote import promote as promote_run
    from ossicle.evaluation.gates.gate_line import gate_table

    loaded = load_project(project, overrides_of(set_, roots=audio_root_map), data_root, variant)
    done = promote_run(loaded, name)
    if as_json:
        print(json_text(done.to_json()))
    elif done.lines:
        print_rows(("gate", "value", "limit", "result"), gate_table(done.lines))
    if (refusal := done.refusal) is not None:
        raise refusal
    if not as_json:
        print(printable(f"promoted as {done.reference}: {done.outcome.path}"))
        print(
            printable(
                f"use it: OSSICLE_REGISTRY={os.path.abspath(done.registry.root)} and registry:{done.name}@current"
            )
        )
