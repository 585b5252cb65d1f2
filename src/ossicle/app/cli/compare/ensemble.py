"""``ossicle ensemble``: combine the variants that ``[ensemble]`` names into one detector, evaluated and bundled."""

import sys
from typing import Annotated

import typer

from ossicle.app.cli.compare.leaderboard import show
from ossicle.app.cli.options import (
    HERE,
    AudioRootMap,
    DataRoot,
    Device,
    Json,
    ProgressKind,
    ProjectFile,
    Set,
    overrides_of,
)
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.project.load import load_project
from ossicle.core.errors import GateRefused


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ensemble)


def ensemble(
    project: ProjectFile = HERE,
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    device: Device = "",
    data_root: DataRoot = None,
    no_bundle: Annotated[bool, typer.Option("--no-bundle", help="Evaluate only; write no bundle.")] = False,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Combine several variants into one detector, and compare it with each of them and with their plain mean.

    The table \\[ensemble] of the project file sets members, rule and weights. Members without a model are trained
    first. All figures are out of fold: the weights and thresholds for a fold are fitted on the other folds. Writes
    ensemble/ in the project folder: ensemble.json, metrics.json and bundle/, for `ossicle predict` and
    `ossicle stream`. Exit code 4: the noise gate refused the bundle.
    """
    from ossicle.app.steps.compare.ensemble_results import make_ensemble
    from ossicle.app.steps.engine.progress import make_progress

    overrides = overrides_of(set_, device, roots=audio_root_map)
    loaded = load_project(project, overrides, data_root)
    with make_progress(progress) as shown:
        result = make_ensemble(loaded, shown, overrides, with_bundle=not no_bundle)
    if as_json:
        print(json_text(result.summary))
    else:
        show(result.summary["board"])
        weights = ", ".join(f"{name} {share:.3f}" for name, share in result.summary["weights"].items())
        print(printable(f"{result.summary['rule']}; weights: {weights}; {result.summary['protocol']}"))
        for path in result.places:
            print(printable(str(path)))
    if result.refused:
        print(printable(f"ossicle: {result.refused}"), file=sys.stderr)
        raise typer.Exit(GateRefused.exit_code)
