"""``ossicle track show|sync``: the trainings of a project, and their figures at Weights & Biases."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ossicle.app.cli.options import HERE, AudioRootMap, DataRoot, Json, ProgressKind, ProjectFile, Set, overrides_of
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.project.load import Project, load_project
from ossicle.core.text.counting import counted

if TYPE_CHECKING:
    from ossicle.app.steps.maintenance.trainings import Training

group = typer.Typer(
    help="Show the trainings of a project, and upload their figures to Weights & Biases.", no_args_is_help=True
)

OfVariant = Annotated[
    list[str] | None,
    typer.Option("--variant", help="Only this variant. Repeatable. Default: the project and all its variants."),
]
_ABSENT = "–"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command()(show)
    group.command()(sync)
    app.add_typer(group, name="track")


def show(
    project: ProjectFile = HERE,
    variant: OfVariant = None,
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    as_json: Json = False,
) -> None:
    """List the finished trainings with their last figures, and say what their curves show.

    The last column says where the figures are: in the log alone, in files for Weights & Biases (offline), sent during
    the training (online), or uploaded.
    """
    from ossicle.app.steps.maintenance.trainings import trainings
    from ossicle.app.steps.train.training_notes import training_notes

    projects = _projects(project, variant, overrides_of(set_, roots=audio_root_map), data_root)
    all_trainings = list(trainings(projects))
    notes = []
    for variant_project in projects:
        runs = {
            trained.model: trained.folder for trained in all_trainings if trained.variant == variant_project.variant
        }
        lead = f"{variant_project.variant}: " if variant_project.variant else ""
        notes += [lead + line for line in training_notes(runs, variant_project.settings.training)]
    if as_json:
        print(json_text({"trainings": [_facts(training) for training in all_trainings], "notes": notes}))
        return
    if not all_trainings:
        print(printable(f"{projects[0].file}: no training is finished with these settings; see `ossicle train --help`"))
        return
    header = ("training", "epochs", "training loss", "held-out loss", "accuracy", "samples/s", "waiting", "figures")
    print_rows(header, [_row(training) for training in all_trainings])
    for line in notes:
        print(printable(line))


def sync(
    project: ProjectFile = HERE,
    variant: OfVariant = None,
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be uploaded, and connect to nothing.")
    ] = False,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Upload the figures of finished trainings to Weights & Biases, after `wandb login`. No other command connects.

    Files that are missing, or bear other names than \\[tracking] says now, are written from the log first; so trainings
    without Weights & Biases can be uploaded too. What was uploaded is not uploaded again. Exit code 1 without a
    connection or a login.
    """
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.maintenance.trainings import trainings, upload_all

    all_trainings = list(trainings(_projects(project, variant, overrides_of(set_, roots=audio_root_map), data_root)))
    if dry_run:
        sent = [training for training in all_trainings if training.state not in ("uploaded", "online")]
    else:
        with make_progress(progress) as shown:
            sent = upload_all(all_trainings, shown)
    if as_json:
        print(json_text({"uploaded": not dry_run, "trainings": [_facts(training) for training in sent]}))
        return
    for training in sent:
        print(printable(f"{'would upload' if dry_run else 'uploaded'} {training.run.project}/{training.run.name}"))
    if rest := len(all_trainings) - len(sent):
        print(printable(f"{counted(rest, 'training')} uploaded before"), file=sys.stderr)
    if not all_trainings:
        print("no training is finished with these settings", file=sys.stderr)


def _projects(
    file: Path, variants: list[str] | None, overrides: tuple[str, ...], data_root: Path | None
) -> list[Project]:
    if variants:
        return [load_project(file, overrides, data_root, name) for name in dict.fromkeys(variants)]
    base = load_project(file, overrides, data_root)
    return [base, *(load_project(file, overrides, data_root, name) for name in base.variants)]


def _facts(training: "Training") -> dict[str, Any]:
    lines = training.folder.epochs()
    validated = [line for line in lines if "val_loss" in line]
    return {
        "model": training.model,
        "variant": training.variant,
        "name": training.run.name,
        "group": training.run.group,
        "tags": list(training.run.tags),
        "figures": training.state,
        "folder": str(training.folder.path),
        "epochs": len(lines),
        "last": lines[-1],
        "last_validated": validated[-1] if validated else None,
    }


def _row(training: "Training") -> tuple[str, ...]:
    facts = _facts(training)
    last, validated = facts["last"], facts["last_validated"] or {}
    return (
        training.run.name,
        str(facts["epochs"]),
        _number(last, "train_loss", ".4f"),
        _number(validated, "val_loss", ".4f"),
        _number(validated, "val_accuracy", ".3f"),
        _number(last, "samples_per_s", ".3g"),
        _number(last, "data_wait", ".0%"),
        training.state,
    )


def _number(line: Mapping[str, Any], key: str, form: str) -> str:
    return format(line[key], form) if key in line else _ABSENT
