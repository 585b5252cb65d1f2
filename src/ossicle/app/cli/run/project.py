"""Commands about a project: ``run``, ``status``, ``check``."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

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
    StopAfter,
    Variant,
    overrides_of,
    stopping,
)
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.run.elsewhere import On, Watched, place_of, show_most
from ossicle.app.cli.start import while_modules_load
from ossicle.app.cli.tables.table import print_metrics, print_rows
from ossicle.app.project.load import Project, load_project
from ossicle.artefacts.files import read_json
from ossicle.core.errors import EXIT_INCOMPLETE, FetchError, UsageError

if TYPE_CHECKING:
    from ossicle.app.steps.engine.step import Done, Progress
    from ossicle.app.steps.pipeline.pipeline import Pipeline


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (run, status, check):
        app.command()(command)


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
    audio_root_map: AudioRootMap = None,
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
    auto_batch: Annotated[
        bool,
        typer.Option(
            "--auto-batch", help="If memory runs out in the training of a vocoder, compute its steps in smaller parts."
        ),
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until another run on the same data root ends, instead of failing.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="List the jobs, what is copied to Modal and the most container hours, and stop. Builds the dataset "
            "first if it is missing.",
        ),
    ] = False,
    stop_after: StopAfter = None,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Run a project: train, evaluate, and write the bundle and the report. Finished steps are reused.

    Exit code 3: done, but some recordings were skipped or end early; each is listed. Exit code 4: the noise gate
    refused the bundle, which then stays in the data root; the report explains why. A project with a leaky split
    (`split.strategy`) writes a bundle without evaluation: use `ossicle dataset optimism` and `ossicle benchmark`.
    """
    from ossicle.app.jobs.placed import RunOptions, do_in_rounds, needs_jobs
    from ossicle.app.steps.engine.input_problems import loss_lines
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.pipeline.pipelines import pipeline_of
    from ossicle.app.steps.pipeline.project_status import no_effect_in_words
    from ossicle.app.steps.pipeline.run_project import run_project
    from ossicle.app.steps.train.training_notes import training_notes

    overrides = overrides_of(set_, device, roots=audio_root_map) + ("vocoder.auto_batch=true",) * auto_batch
    loaded = load_project(project, overrides, data_root, variant)
    window_text = loaded.settings.windows_in_words
    if window_text:
        print(printable(str(window_text)), file=sys.stderr)
    if variant and (idle := no_effect_in_words(loaded, load_project(project, overrides, data_root))):
        print(printable(f"variant {variant}: {idle}"), file=sys.stderr)
    run_options = RunOptions(tuple(steps or ()), until, overrides, place_of(on))
    with stopping(stop_after), make_progress(progress) as shown:
        if dry_run:
            show_most(loaded, run_options, shown)
            return
        _fetch_first(loaded, shown)
        if needs_jobs(loaded, run_options):
            if from_ is not None or stop_after is not None:
                option = "--from" if from_ is not None else "--stop-after"
                raise UsageError(f"{option} works on this machine only: add --on local")
            watched = Watched(project)
            with watched.leaving():
                do_in_rounds([loaded], run_options, shown, watched.show, watched.show_plan)
        # Find and show what the jobs have done, and run the steps that are placed here.
        done = run_project(loaded, shown, until, names=steps or (), recompute_from=from_, wait=wait)
    pipeline = pipeline_of(loaded)
    refused, lost = pipeline.refusal(done.artefacts, loaded), pipeline.losses(done.artefacts)
    notes = training_notes(pipeline.run_folders(done.artefacts), loaded.settings.training)
    if as_json:
        artefacts = {name: str(path) for name, path in done.artefacts.items()}
        facts = {"artefacts": artefacts, "outcomes": done.outcomes, "seconds": done.seconds}
        print(json_text({**facts, "lost": [asdict(loss) for loss in lost], "training_notes": notes}))
    else:
        _show(done, loaded, pipeline, notes)
    for line in loss_lines(lost):
        print(printable(line), file=sys.stderr)
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


def _show(done: "Done", project: Project, pipeline: "Pipeline", notes: list[str]) -> None:
    print_rows(
        ("step", "outcome", "seconds"),
        [(name, done.outcomes[name], f"{done.seconds[name]:.1f}") for name in done.artefacts],
        total=("total", "", f"{sum(done.seconds.values()):.1f}"),
    )
    for line in notes:
        print(printable(line))
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
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    as_json: Json = False,
) -> None:
    """Show which steps are done with the current settings, and which a run would compute."""
    with while_modules_load():
        from ossicle.app.steps.engine.step import find_steps
        from ossicle.app.steps.pipeline.pipelines import pipeline_of
        from ossicle.app.steps.pipeline.project_status import outdated_results

    loaded = load_project(project, overrides_of(set_, roots=audio_root_map), data_root, variant)
    with while_modules_load():
        pipeline = pipeline_of(loaded)
    steps = find_steps(pipeline.steps_of(loaded), loaded)
    if as_json:
        print(json_text({name: str(path) if path else None for name, path in steps.items()}))
        return
    rows = [(name, "done" if path else "to do", str(path or "")) for name, path in steps.items()]
    print_rows(("step", "state", "artefact"), rows)
    done = {name: path for name, path in steps.items() if path is not None}
    for line in (*pipeline.status_notes(done), *filter(None, [outdated_results(loaded, done)])):
        print(printable(line))


def check(
    project: ProjectFile = HERE,
    variant: Variant = "",
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    on: On = None,
    data_root: DataRoot = None,
    as_json: Json = False,
) -> None:
    """Check the inputs of a run and list what is missing, with what to do. Exit code 2 if a run would fail.

    Exit code 3: a run would skip some recordings, or not read them to their end; each is listed. This command reads
    only headers. `ossicle dataset health` decodes everything, and so also finds NaN, silence and damage in a file.
    """
    from ossicle.app.jobs.modal.preparing import modal_findings
    from ossicle.app.jobs.slurm.preflight import slurm_findings
    from ossicle.app.steps.pipeline.pipelines import pipeline_of
    from ossicle.app.steps.pipeline.project_status import project_status

    overrides, target = overrides_of(set_, roots=audio_root_map), place_of(on)
    placed = (*overrides, f"jobs.on={target}") if target else overrides
    loaded = load_project(project, placed, data_root, variant)
    findings = [
        *pipeline_of(loaded).preflight(loaded),
        *project_status(loaded, overrides),
        *slurm_findings(loaded),
        *modal_findings(loaded, target),
    ]
    if as_json:
        print(json_text([asdict(finding) for finding in findings]))
    else:
        print_rows(("check", "", ""), [(finding.what, finding.state, finding.message) for finding in findings])
    if any(finding.blocks and not finding.ok for finding in findings):
        raise typer.Exit(UsageError.exit_code)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(EXIT_INCOMPLETE)
