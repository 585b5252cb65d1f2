"""Commands about recordings and clips, of which this module holds ``ossicle dataset health``."""

from typing import Annotated

import typer

from ossicle.app.cli.data import dataset_augment, dataset_export, dataset_optimism, dataset_stats, mine
from ossicle.app.cli.options import HERE, DataRoot, Json, ProgressKind, ProjectFile, Set, Variant
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.table import print_rows
from ossicle.app.project.load import load_project
from ossicle.core.errors import EXIT_FAILED, EXIT_INCOMPLETE

group = typer.Typer(help="Inspect and export the recordings, annotations and clips of a project.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command()(health)
    group.command()(dataset_stats.stats)
    group.command()(dataset_export.export)
    group.command()(dataset_optimism.optimism)
    group.command()(dataset_augment.augment)
    mine.register(group)
    app.add_typer(group, name="dataset")


def health(
    project: ProjectFile = HERE,
    variant: Variant = "",
    set_: Set = None,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    strict: Annotated[bool, typer.Option(help="End with exit code 1 if any problem is an error.")] = False,
    as_json: Json = False,
) -> None:
    """Check recordings and annotations: count them, and list what is wrong and what to do about it.

    Exit code 3: some recordings were skipped or end early; each is listed among the problems.
    """
    from ossicle.app.steps.data import corpus
    from ossicle.app.steps.engine.input_problems import losses
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.pipeline.pipelines import pipeline_of
    from ossicle.app.steps.pipeline.run_project import run_project
    from ossicle.artefacts.typed.index import CorpusFolder
    from ossicle.corpus.health.report import health as health_of
    from ossicle.corpus.health.sound_problems import OF_FRONT_ENDS
    from ossicle.corpus.indexing.index_storage import read_index

    with make_progress(progress) as shown:
        loaded = load_project(project, tuple(set_ or ()), data_root, variant)
        made = run_project(loaded, shown, until=corpus.STEP.name).artefacts[corpus.STEP.name]
    settings = loaded.settings
    index = read_index(CorpusFolder(made))
    found = health_of(
        index, rate=settings.frontend.rate, group=settings.split.group, hop_s=settings.plan.hop_s
    ).to_json()
    if not pipeline_of(loaded).front_end:
        found["problems"] = [one for one in found["problems"] if one["code"] not in OF_FRONT_ENDS]
    if as_json:
        print(json_text(found))
    else:
        print(
            printable(
                f"{found['recordings']} recordings, {found['hours']:.2f} h, {found['groups']} groups, "
                f"{found['annotations']} annotations, {len(found['left_out'])} files skipped"
            )
        )
        rows = [
            (
                one["label"],
                str(one["annotations"]),
                str(one["groups"]),
                _seconds(one["min_s"]),
                _seconds(one["median_s"]),
                _seconds(one["max_s"]),
                "–" if one["short_gap_share"] is None else f"{100 * one['short_gap_share']:.0f} %",
            )
            for one in found["by_label"]
        ]
        print_rows(("label", "annotations", "groups", "shortest", "median", "longest", "gaps < 20 ms"), rows)
        problems = [(one["severity"], one["where"], f"{one['message']}; {one['remedy']}") for one in found["problems"]]
        if problems:
            print_rows(("severity", "where", "problem, and what to do"), problems)
        else:
            print("no problems found")
    if strict and any(one["severity"] == "error" for one in found["problems"]):
        raise typer.Exit(EXIT_FAILED)
    if losses(made):
        raise typer.Exit(EXIT_INCOMPLETE)


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f} s"
