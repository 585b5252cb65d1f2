"""Commands about a project: ``new``, ``run``, ``status``, ``check``."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ossicle.app.cli.options import HERE, DataRoot, Device, Json, ProgressKind, ProjectFile, Set, Variant, overrides_of
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.run.elsewhere import On, Watched, place_of
from ossicle.app.cli.start import while_modules_load
from ossicle.app.cli.table import print_metrics, print_rows
from ossicle.app.project.layers import recipe_names
from ossicle.app.project.load import Project, load_project
from ossicle.app.project.scaffolding.scaffold import Wishes, scaffold
from ossicle.artefacts.files import read_json
from ossicle.core.errors import EXIT_INCOMPLETE, FetchError, UsageError

if TYPE_CHECKING:
    from ossicle.app.steps.engine.step import Done, Progress
    from ossicle.app.steps.pipeline.pipeline import Pipeline


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (new, run, status, check):
        app.command()(command)


def new(
    recipe: Annotated[str, typer.Argument(help=f"Recipe to start from: {', '.join(recipe_names())}.")],
    folder: Annotated[Path, typer.Argument(help="Folder for the project; created if missing.")],
    audio: Annotated[
        Path, typer.Option(help="Folder of recordings (wav, flac, ogg, mp3, m4a, aiff), searched at any depth.")
    ],
    annotations: Annotated[
        Path | None,
        typer.Option(
            help="Annotations of single events: a folder of files (Raven, Audacity, CSV), or one file.",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        str,
        typer.Option(
            help="Labels of whole recordings: 'folder' (one folder for each class), or a table FILE.csv with one row "
            "for each recording, as BirdCLEF's train.csv. Default: set by the recipe (birds: folder).",
            show_default=False,
        ),
    ] = "",
    label_column: Annotated[
        str,
        typer.Option(
            help="Label column of the --labels table. Default: primary_label, category or the like.", show_default=False
        ),
    ] = "",
    group: Annotated[
        str,
        typer.Option(
            help="Field that keeps recordings together: a split never puts two recordings with the same value into "
            "different folds. Taken from the file names (site, recorder, folder...) or from a column of the table "
            "(author...). Default: inferred from the names, else recording.",
            show_default=False,
        ),
    ] = "",
    fold_field: Annotated[
        str,
        typer.Option(
            help="Field with the number of the fold in which a recording is held out, for published folds. Default: "
            "inferred (names as in ESC-50, a column 'fold'), else new folds are made.",
            show_default=False,
        ),
    ] = "",
    name_template: Annotated[
        list[str] | None,
        typer.Option(
            "--name-template",
            "--template",
            help="Pattern that reads fields from file names, as in 'site{site}_{date}_*'; inferred if unset. Repeat it "
            "for several naming schemes: the first pattern that fits a name is used.",
            show_default=False,
        ),
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            help="Table with one row for each recording: a column with its file, and a column named like the group.",
            show_default=False,
        ),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Number of folds: 0 holds each group out once, otherwise at least 2. Default: 5 from 12 groups on; "
            "for fewer groups set by the recipe (tapes: 0, birds: 5).",
            show_default=False,
        ),
    ] = None,
    default_label: Annotated[
        str, typer.Option(help="Label of all rows of --annotations that have none.", show_default=False)
    ] = "",
    masks: Annotated[
        list[str] | None,
        typer.Option(
            help="Labels that cannot be heard while another one is on, as ac:fridge or ac:fridge,fan; repeat it for "
            "several, or 'none'. Recipe appliances only. Default: the first label hides the others.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing project file.")] = False,
) -> None:
    """Create a project file from a recipe, with settings that fit the recordings.

    Recipes: `tapes` for long recordings in which single events are annotated; `birds` for recordings that are
    labelled as a whole; `appliances` for what is on or off in recordings with steady sounds, by the names of the
    files; `drums` for files with one drum hit each, in folders GROUP/CLASS/FILE; `demo` for the synthetic tapes of
    `ossicle demo`. Give either --annotations (times of single events) or --labels (labels of whole recordings).
    Class folders named noise, other, background, silence or nocall, and folders whose names start with -, hold
    recordings without any of the classes.

    The table shows what a run will use, what it will leave out and why, and how many trainings it takes.
    """
    from ossicle.app.steps.pipeline.pipelines import pipeline_of

    templates = tuple(name_template or ())
    wishes = Wishes(
        audio,
        annotations,
        labels,
        label_column,
        group,
        fold_field,
        templates,
        folds,
        groups,
        default_label,
        tuple(masks or ()),
    )
    remarks: list[str] = []
    file = scaffold(recipe, folder, wishes, force=force, say=remarks.append)
    print(printable(f"wrote {file}"))
    for remark in remarks:
        print(printable(remark))
    loaded = load_project(file)
    findings = list(pipeline_of(loaded).preview(loaded))
    print_rows(("a run will use", "", ""), [(one.what, one.state, one.message) for one in findings])
    print(printable(f"next: ossicle run -p {file}"))
    if not all(one.ok for one in findings):
        print("a run would leave something out: see the lines marked 'lost' or 'FAULT'", file=sys.stderr)


def run(
    steps: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[STEP]...",
            help="Steps to run, together with the steps they depend on; `ossicle status` lists the names. Default: "
            "all steps.",
            show_default=False,
        ),
    ] = None,
    project: ProjectFile = HERE,
    variant: Variant = "",
    set_: Set = None,
    from_: Annotated[
        str | None,
        typer.Option("--from", help="Compute this step and all later steps again, even if done.", show_default=False),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(help="Last step to run.", show_default=False),
    ] = None,
    on: On = None,
    device: Device = "",
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until another run on the same data root ends, instead of failing.")
    ] = False,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Run a project: train, evaluate, and write the bundle and the report. Finished steps are reused.

    Exit code 3: done, but some recordings were skipped or end early; each is listed. Exit code 4: the noise gate
    refused the bundle, which then stays in the data root; the report explains why. A project with a leaky split
    (`split.strategy`) writes a bundle without evaluation: use `ossicle dataset optimism` and `ossicle benchmark`.
    """
    from ossicle.app.jobs.placed import RunOptions, before_slurm, do_jobs, jobs_of, needs_jobs
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.pipeline.pipelines import pipeline_of
    from ossicle.app.steps.pipeline.run_project import run_project

    overrides = overrides_of(set_, device)
    loaded = load_project(project, overrides, data_root, variant)
    words = loaded.settings.windows_in_words
    if words:
        print(printable(str(words)), file=sys.stderr)
    run_options = RunOptions(tuple(steps or ()), until, overrides, place_of(on))
    with make_progress(progress) as shown:
        _fetch_first(loaded, shown)
        if needs_jobs(loaded, run_options):
            if from_ is not None:
                raise UsageError("--from works on this machine only: add --on local")
            watched = Watched(project)
            with watched.leaving():
                do_jobs(loaded, before_slurm(jobs_of([loaded], run_options, shown)), watched.show, watched.show_plan)
        # Find and show what the jobs have done, and run the steps that are placed here.
        done = run_project(loaded, shown, until, names=steps or (), recompute_from=from_, wait=wait)
    pipeline = pipeline_of(loaded)
    refused, lost = pipeline.refusal(done.artefacts, loaded), pipeline.losses(done.artefacts)
    if as_json:
        artefacts = {name: str(path) for name, path in done.artefacts.items()}
        told = {"artefacts": artefacts, "outcomes": done.outcomes, "seconds": done.seconds}
        print(json_text({**told, "lost": [asdict(one) for one in lost]}))
    else:
        _show(done, loaded, pipeline)
    for one in lost:
        print(printable(one.line), file=sys.stderr)
    if refused is not None:
        raise refused
    if lost:
        raise typer.Exit(EXIT_INCOMPLETE)


def _fetch_first(project: Project, shown: "Progress") -> None:
    """Download the missing files of the project's table; raises FetchError if some cannot be downloaded."""
    if not project.settings.fetch.table:
        return
    from ossicle.app.steps.data.fetch import fetch, is_fetched

    if is_fetched(project):
        return
    shown.begin("fetch")
    done = fetch(project, shown)
    if done.failed:
        path, reason = done.failed[0]
        raise FetchError(
            f"{len(done.failed)} of the files could not be fetched; the first: {path}: {reason}\n"
            "run 'ossicle fetch' to see all of them; to continue without them, remove their rows from the table"
        )


def _show(done: "Done", project: Project, pipeline: "Pipeline") -> None:
    print_rows(
        ("step", "outcome", "seconds"),
        [(name, done.outcomes[name], f"{done.seconds[name]:.1f}") for name in done.artefacts],
        total=("total", "", f"{sum(done.seconds.values()):.1f}"),
    )
    summary = pipeline.summary(done.artefacts)
    if summary is None:
        return
    if summary.metrics:
        print_metrics(read_json(project.results / summary.metrics))
    for line in summary.remarks:
        print(printable(line))
    published = pipeline.results(done.artefacts)
    for name in summary.results:
        if name in published:
            print(printable(f"{project.results / name}{'/' if published[name].is_dir() else ''}"))


def status(
    project: ProjectFile = HERE,
    variant: Variant = "",
    set_: Set = None,
    data_root: DataRoot = None,
    as_json: Json = False,
) -> None:
    """Show which steps are done with the current settings, and which a run would compute."""
    with while_modules_load():
        from ossicle.app.steps.engine.step import find_steps
        from ossicle.app.steps.pipeline.pipelines import pipeline_of
        from ossicle.app.steps.pipeline.project_status import outdated_results

    loaded = load_project(project, tuple(set_ or ()), data_root, variant)
    with while_modules_load():
        pipeline = pipeline_of(loaded)
    found = find_steps(pipeline.steps_of(loaded), loaded)
    if as_json:
        print(json_text({name: str(path) if path else None for name, path in found.items()}))
        return
    rows = [(name, "done" if path else "to do", str(path or "")) for name, path in found.items()]
    print_rows(("step", "state", "artefact"), rows)
    done = {name: path for name, path in found.items() if path is not None}
    for line in (*pipeline.status_notes(done), *filter(None, [outdated_results(loaded, done)])):
        print(printable(line))


def check(
    project: ProjectFile = HERE,
    variant: Variant = "",
    set_: Set = None,
    data_root: DataRoot = None,
    as_json: Json = False,
) -> None:
    """Check the inputs of a run and list what is missing, with what to do. Exit code 2 if a run would fail.

    Exit code 3: a run would skip some recordings, or not read them to their end; each is listed. This command reads
    only headers. `ossicle dataset health` decodes everything, and so also finds NaN, silence and damage in a file.
    """
    from ossicle.app.jobs.preflight import slurm_findings
    from ossicle.app.steps.pipeline.pipelines import pipeline_of
    from ossicle.app.steps.pipeline.project_status import project_status

    loaded = load_project(project, tuple(set_ or ()), data_root, variant)
    overrides = tuple(set_ or ())
    findings = [
        *pipeline_of(loaded).preflight(loaded),
        *project_status(loaded, overrides),
        *slurm_findings(loaded),
    ]
    if as_json:
        print(json_text([asdict(one) for one in findings]))
    else:
        print_rows(("check", "", ""), [(one.what, one.state, one.message) for one in findings])
    if any(one.blocks and not one.ok for one in findings):
        raise typer.Exit(UsageError.exit_code)
    if not all(one.ok for one in findings):
        raise typer.Exit(EXIT_INCOMPLETE)
