"""``ossicle pseudo``: label unlabelled recordings with a project's own models, for its next training."""

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from ossicle.app.cli.options import (
    HERE,
    AudioRootMap,
    DataRoot,
    Device,
    Json,
    ProgressKind,
    ProjectFile,
    Set,
    Variant,
    overrides_of,
)
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.project.load import load_project
from ossicle.core.errors import EXIT_INCOMPLETE


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(pseudo)


def pseudo(
    project: ProjectFile = HERE,
    variant: Variant = "",
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    device: Device = "",
    number: Annotated[
        int | None,
        typer.Option(
            "--round",
            min=1,
            help="Number of the round. Its models train with the labels of the earlier rounds. Default: the next.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing round.")] = False,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Label unlabelled recordings with the project's own models, as training data for the next run.

    The table `pseudo` of the project file sets the recordings (`audio`) and which windows are kept: those whose highest
    score reaches `threshold`, at most `most_per_file` for each recording; scores below `floor` count as 0. A model that
    holds out a fold learns only from labels made by models that held out the same fold. Writes pseudo/round-NNN. Exit
    code 3: done, but some recordings were skipped.
    """
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.rounds.pseudo_labels import make_round
    from ossicle.artefacts.typed.dataset import FINAL

    loaded = load_project(project, overrides_of(set_, device, roots=audio_root_map), data_root, variant)
    with make_progress(progress) as shown:
        round_made = make_round(loaded, shown, number, replace_it=force)
    windows = round_made.about["windows"]
    if as_json:
        facts = {
            "round": str(round_made.path),
            **round_made.about,
            "left_out": dict(round_made.left_out),
            **round_made.learners.to_json(),
        }
        print(json_text(facts))
    else:
        rows = [(printable(label), str(n)) for label, n in windows[FINAL]["labels"].items()]
        print_rows(("label", "windows kept"), rows, total=("total", str(windows[FINAL]["kept"])))
        for line in _lines(round_made.about, FINAL):
            print(printable(line))
        print(printable(f"wrote {round_made.path}; the next `ossicle run` trains with it"))
        for line in round_made.learners.lines('write rounds = "none" in [variants.NAME.pseudo]'):
            print(printable(line))
    for path, reason in round_made.left_out.items():
        print(printable(f"{path}: skipped: {reason}"), file=sys.stderr)
    if round_made.left_out:
        raise typer.Exit(EXIT_INCOMPLETE)


def _lines(about: Mapping[str, Any], final: str) -> list[str]:
    """Return the lines below the table."""
    windows_of, recordings = about["windows"], about["recordings"]
    views = ", ".join(f"{name} {view_windows['kept']}" for name, view_windows in windows_of.items() if name != final)
    lines = [f"{recordings['labelled']} recordings ({recordings['hours']} h); windows for each model: {views}"]
    lines += [f"{len(paths)} not used: {reason}" for reason, paths in recordings["dropped"].items()]
    if heard := windows_of[final]["heard_before"]:
        lines.append(
            f"{heard} of {windows_of[final]['kept']} windows come from recordings that the models were trained on in "
            "an earlier round; [pseudo] parts = 2 avoids that"
        )
    return lines
