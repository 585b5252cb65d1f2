"""``ossicle train``: train the models of a project, or of its active variants, one after another."""

import sys
from typing import Annotated

import typer

from ossicle.app.cli.options import HERE, AudioRootMap, DataRoot, Device, ProgressKind, ProjectFile, Set, overrides_of
from ossicle.app.cli.printable import printable
from ossicle.app.cli.run.elsewhere import On, Watched, place_of
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.project.load import Project, load_project
from ossicle.core.errors import EXIT_INCOMPLETE, GateRefused, UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(train)


def train(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="Variants to train, \\[variants.NAME] in the project file, one after another. Default: the project.",
            show_default=False,
        ),
    ] = None,
    project: ProjectFile = HERE,
    variant: Annotated[
        list[str] | None,
        typer.Option("--variant", help="Another way to give a NAME. Repeatable.", show_default=False),
    ] = None,
    all_active: Annotated[
        bool, typer.Option("--all-active", help="Train every variant listed under `active` in the project file.")
    ] = False,
    until: Annotated[
        str | None,
        typer.Option(
            help="Last step to run: training (the default) or a later step; --until report also makes the bundles.",
            show_default=False,
        ),
    ] = None,
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    on: On = None,
    device: Device = "",
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
) -> None:
    """Train the models of a project or of its variants. Finished trainings are reused.

    All variants are checked and their datasets built before the first training starts. With --on slurm, or if
    `jobs.training` is set to Slurm, each model is one task of a job array. Exit codes 3 and 4 are those of
    `ossicle run`; one variant that ends with such a code is enough.
    """
    from ossicle.app.jobs.placed import RunOptions, do_in_rounds, needs_jobs, run_planning_steps
    from ossicle.app.steps.engine.input_problems import loss_lines
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.pipeline.pipelines import pipeline_of
    from ossicle.app.steps.pipeline.run_project import refusal_of, run_project
    from ossicle.app.steps.train.training_notes import training_notes

    overrides = overrides_of(set_, device, roots=audio_root_map)
    chosen_variants = variants_asked(
        load_project(project, (), data_root), [*(names or []), *(variant or [])], all_active
    )
    projects = [load_project(project, overrides, data_root, name) for name in chosen_variants]
    base = projects[0]
    until = until or pipeline_of(base).trained_by
    if not until:
        raise UsageError(f"the pipeline {pipeline_of(base).name!r} trains nothing; name the last step with --until")
    with make_progress(progress) as shown:
        for variant_project in projects:
            run_planning_steps(
                variant_project, shown, pipeline_of(variant_project).steps_of(variant_project), wait=False
            )
        run_options, watched = RunOptions((), until, overrides, place_of(on)), Watched(project)
        elsewhere = [project for project in projects if needs_jobs(project, run_options)]
        with watched.leaving():
            if elsewhere:
                do_in_rounds(elsewhere, run_options, shown, watched.show, watched.show_plan)
        done = [(project, run_project(project, shown, until=until)) for project in projects]
    rows = [
        (
            project.variant or "(the project)",
            name,
            finished.outcomes[name],
            f"{finished.seconds[name]:.1f}",
            str(finished.artefacts[name]),
        )
        for project, finished in done
        for name in list(finished.artefacts)[-1:]
    ]
    print_rows(("variant", "step", "outcome", "seconds", "artefact"), rows)
    for variant_project, finished in done:
        for line in training_notes(
            pipeline_of(variant_project).run_folders(finished.artefacts), variant_project.settings.training
        ):
            print(printable(f"{variant_project.variant}: {line}" if variant_project.variant else line))
    lost = {line for project, finished in done for line in loss_lines(pipeline_of(project).losses(finished.artefacts))}
    refusals = [
        f"{project.variant or project.settings.project.name}: {refused}"
        for project, finished in done
        if (refused := refusal_of(project, finished)) is not None
    ]
    for line in (*sorted(lost), *(f"ossicle: {refusal}" for refusal in refusals)):
        print(printable(line), file=sys.stderr)
    if refusals:
        raise typer.Exit(GateRefused.exit_code)
    if lost:
        raise typer.Exit(EXIT_INCOMPLETE)


def variants_asked(base: Project, requested: list[str], all_active: bool) -> list[str]:
    """Return the variants to train; the empty name is the project itself."""
    if not all_active:
        # A name that is given twice is trained once.
        return list(dict.fromkeys(requested)) or [""]
    if requested:
        raise UsageError("--all-active trains the variants listed in the project file: leave out the names")
    if not base.active:
        variants_note = f"it defines {', '.join(base.variants)}" if base.variants else "it defines no [variants.NAME]"
        raise UsageError(f'{base.file}: no variant is active ({variants_note}); add active = ["NAME", ...] at its top')
    return list(base.active)
