"""``ossicle jobs``: the work of a project as command lines for Slurm or this machine, and the states of these jobs."""

import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from shlex import quote
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
from ossicle.app.cli.run.elsewhere import On, Watched, place_of, pull_from_modal
from ossicle.app.cli.run.train import variants_asked
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.project.load import Project, load_project
from ossicle.core.errors import EXIT_FAILED, OssicleError, UsageError

if TYPE_CHECKING:
    from ossicle.app.jobs.folder import PlanFolder
    from ossicle.app.jobs.job import Job
    from ossicle.app.jobs.state import TaskState

_WATCH_S = 5.0

group = typer.Typer(
    help="Run a project on Slurm, on Modal or in parallel processes, and follow its jobs.", no_args_is_help=True
)

Variants = Annotated[
    list[str] | None,
    typer.Option("--variant", help="A variant, \\[variants.NAME] in the project file. Repeatable.", show_default=False),
]
AllActive = Annotated[
    bool, typer.Option("--all-active", help="Every variant listed under `active` in the project file.")
]
Until = Annotated[str | None, typer.Option(help="Last step to run. Default: all steps.", show_default=False)]
Jobs = Annotated[Path | None, typer.Option("--jobs", help="Folder of the jobs. Default: the latest in the data root.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (write, submit, status, logs, cancel, pull, task, gather):
        group.command()(command)
    app.add_typer(group, name="jobs")


def write(
    project: ProjectFile = HERE,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Folder for the scripts. Default: jobs/NUMBER in the data root."),
    ] = None,
    variant: Variants = None,
    all_active: AllActive = False,
    until: Until = None,
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    on: On = None,
    data_root: DataRoot = None,
) -> None:
    """Write the jobs of a project as sbatch scripts with a launcher. Nothing is submitted.

    Builds the dataset first if it is missing, because the tasks depend on its folds.
    """
    from ossicle.app.jobs.folder import PlanFolder
    from ossicle.app.jobs.placed import lay_out

    base, jobs = _jobs(project, variant, all_active, until, overrides_of(set_, roots=audio_root_map), on, data_root)
    if not jobs:
        print("nothing to do: all steps are done")
        return
    if out is not None and out.exists() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty; choose another folder")
    folder, plan = lay_out(base, jobs, None if out is None else PlanFolder(out, base.folder))
    rows = [(job.name, job.placement.on, str(len(job.tasks)), ", ".join(job.needs)) for job in plan.jobs]
    print_rows(("job", "on", "tasks", "after"), rows)
    print(printable(f"{folder.launcher}\nrun one task by hand: {folder.by_hand(plan.jobs[0].tasks[0])}"))


def submit(
    project: ProjectFile = HERE,
    variant: Variants = None,
    all_active: AllActive = False,
    until: Until = None,
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    on: On = None,
    data_root: DataRoot = None,
) -> None:
    """Submit the jobs of a project to Slurm or Modal and return. `ossicle jobs status` shows their state.

    Local jobs that those depend on run first, on this machine. Local jobs that depend on them are left to a later
    `ossicle run`.
    """
    from ossicle.app.jobs.placed import do_jobs, jobs_elsewhere
    from ossicle.app.jobs.runners import how_to_cancel

    base, jobs = _jobs(project, variant, all_active, until, overrides_of(set_, roots=audio_root_map), on, data_root)
    watched = Watched(project)
    with watched.leaving():
        folder = do_jobs(base, jobs_elsewhere(jobs), watched.show, watched.show_plan, wait=False)
    if folder is None:
        print("nothing to submit: all steps elsewhere are done, or no step is placed elsewhere (use --on)")
        return
    for name, number in folder.numbers().items():
        print(printable(f"{name}: {number}"))
    print(
        printable(
            f"show them: ossicle jobs status -p {quote(str(project))}\n"
            f"cancel them: {how_to_cancel(folder.plan(), folder)}"
        )
    )


def _jobs(
    file: Path,
    variant: list[str] | None,
    all_active: bool,
    until: str | None,
    overrides: tuple[str, ...],
    on: str | None,
    data_root: Path | None,
) -> tuple[Project, "list[Job]"]:
    from ossicle.app.jobs.placed import RunOptions, jobs_of
    from ossicle.app.steps.engine.progress import make_progress

    base = load_project(file, overrides, data_root)
    names = variants_asked(base, variant or [], all_active)
    projects = [load_project(file, overrides, data_root, name) for name in names]
    with make_progress("plain") as shown:
        return base, jobs_of(projects, RunOptions((), until, overrides, place_of(on)), shown)


def status(
    project: ProjectFile = HERE,
    jobs: Jobs = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Repeat every few seconds until all tasks have ended.")
    ] = False,
    data_root: DataRoot = None,
    as_json: Json = False,
) -> None:
    """Show the state, reason and log file of each task. Exit code 1 if a task failed."""
    loaded = load_project(project, (), data_root)
    while True:
        folder, states = _states(loaded, jobs)
        if as_json:
            rows = [{**asdict(state), "log": str(state.log), "command": folder.by_hand(state.task)} for state in states]
            print(json_text(rows), flush=True)
        else:
            if watch and sys.stdout.isatty():
                print("\033[2J\033[H", end="")
            head = ("job", "task", "state", "tries", "reason", "log")
            cells = [
                (state.job, state.task.name, state.state, str(state.attempt), state.reason, os.path.relpath(state.log))
                for state in states
            ]
            print_rows(head, cells)
        if not watch or all(state.ended or state.state == "waiting" for state in states):
            break
        time.sleep(_WATCH_S)
    if any(state.state in ("failed", "cancelled", "lost") for state in states):
        raise typer.Exit(EXIT_FAILED)


def _states(project: Project, jobs: Path | None) -> "tuple[PlanFolder, list[TaskState]]":
    from ossicle.app.jobs.folder import PlanFolder, last_folder
    from ossicle.app.jobs.runners import runners_of
    from ossicle.app.jobs.state import task_states

    folder = PlanFolder(jobs, project.folder) if jobs else last_folder(project.data_root, project.folder)
    plan = folder.plan()
    seen_by_runner = {}
    for name, runner in runners_of(plan.jobs, folder).items():
        try:
            seen_by_runner[name] = runner.look()
        except (OssicleError, OSError) as problem:
            print(printable(f"ossicle: {problem}"), file=sys.stderr)
    for line in folder.damaged():
        print(printable(f"ossicle: {line}"), file=sys.stderr)
    return folder, task_states(folder, plan, seen_by_runner)


def logs(
    name: Annotated[str, typer.Argument(metavar="TASK", help="Task, for example fold0 or training/fold0.")],
    project: ProjectFile = HERE,
    jobs: Jobs = None,
    data_root: DataRoot = None,
) -> None:
    """Print the log of a task, all attempts included, and the command that runs the task by hand."""
    folder, states = _states(load_project(project, (), data_root), jobs)
    matching = [state for state in states if name in (state.task.name, f"{state.job}/{state.task.name}")]
    if len(matching) != 1:
        which = ", ".join(f"{task_state.job}/{task_state.task.name}" for task_state in (matching or states))
        raise UsageError(f"{'several tasks are' if matching else 'no task is'} called {name!r}; tasks: {which}")
    from ossicle.app.jobs.runners import runner_named

    job = folder.plan().job(matching[0].job)
    text = runner_named(job.placement.on, folder).logs(job, matching[0].index)
    if text is not None:
        print(printable(text.decode(errors="replace")), end="")
    else:
        print(printable(f"ossicle: {matching[0].log} does not exist: the task has not started"), file=sys.stderr)
    print(printable(f"run it by hand: {folder.by_hand(matching[0].task)}"), file=sys.stderr)


def cancel(project: ProjectFile = HERE, jobs: Jobs = None, data_root: DataRoot = None) -> None:
    """Cancel submitted jobs. Running tasks save their state first, and finished work is kept.

    Tasks that run on this machine end with the command that started them.
    """
    from ossicle.app.jobs.runners import runners_of

    folder, states = _states(load_project(project, (), data_root), jobs)
    plan, numbers = folder.plan(), folder.numbers()
    # Lost tasks may run: an answer of the queue can be incomplete.
    open_jobs = {state.job for state in states if not state.ended or state.state == "lost"}
    cancelled = []
    for name, runner in runners_of(plan.jobs, folder).items():
        runner_jobs = [
            job for job in plan.jobs if job.placement.on == name and job.name in numbers and job.name in open_jobs
        ]
        if runner.detached and runner_jobs:
            runner.cancel(runner_jobs)
            cancelled += [job.name for job in runner_jobs]
    print(
        printable(f"cancelled: {', '.join(cancelled)}" if cancelled else "nothing to cancel: no submitted job is left")
    )
    if folder.damaged():
        raise OssicleError(f"jobs of damaged lines in {folder.submitted} were not cancelled")


def pull(
    remote: Annotated[
        str,
        typer.Argument(
            help="Folder of the project on the other machine: HOST:PATH over ssh, or a path. Without it: the project's "
            "volume on Modal.",
            show_default=False,
        ),
    ] = "",
    project: ProjectFile = HERE,
    with_: Annotated[
        str, typer.Option("--with", help="What to copy besides results, comma-separated: scores, checkpoints, logs.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Copy nothing; list what there is, with sizes.")] = False,
    remote_data_root: Annotated[
        str,
        typer.Option(help="Data root on the other machine, relative to the project folder there.", show_default=False),
    ] = "",
    variant: Variant = "",
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
) -> None:
    """Copy results of the same project from another machine with rsync. What is already here is skipped.

    Without a machine, the artefacts that are finished in the project's volume on Modal are copied, and the results.
    Give the same --variant and --set as for the jobs.
    """
    from ossicle.app.jobs.pull import extras_of, pull_project

    if remote and variant:
        raise UsageError("--variant is for results on Modal: leave out the machine, or leave out --variant")
    loaded = load_project(project, overrides_of(set_, roots=audio_root_map), data_root, variant)
    if not remote:
        if with_ or dry_run or remote_data_root:
            raise UsageError("--with, --dry-run and --remote-data-root need a machine: HOST:PATH, or a path")
        pull_from_modal(loaded)
        return
    extras, known = [extra.strip() for extra in with_.split(",") if extra.strip()], extras_of(loaded)
    if unknown := [extra for extra in extras if extra not in known]:
        raise UsageError(f"--with {unknown[0]} is not one of: {', '.join(known)}")
    rows = pull_project(loaded, remote, extras, remote_data_root, dry_run=dry_run)
    print_rows(
        ("what", "files", "MB", "" if dry_run else "outcome"),
        [(row.what, str(row.files), f"{row.size / 1e6:.2f}", "" if dry_run else row.outcome) for row in rows],
        total=("total", str(sum(row.files for row in rows)), f"{sum(row.size for row in rows) / 1e6:.2f}", ""),
    )


def task(
    step: Annotated[str, typer.Argument(help="Step that consists of work units: training, scores.")],
    work_unit: Annotated[str, typer.Argument(help="Work unit of the step, for example fold0 or final.")],
    project: ProjectFile = HERE,
    variant: Variant = "",
    no_gather: Annotated[
        bool,
        typer.Option("--no-gather", help="Leave the step unfinished; `ossicle jobs gather STEP` completes it."),
    ] = False,
    stop_after: StopAfter = None,
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    device: Device = "",
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
) -> None:
    """Run one work unit of a step. The tasks of a job array run this command; it can also be run by hand.

    If another process is computing the same work unit, this one waits. Whoever finishes the last one completes
    the step, unless --no-gather is given.
    """
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.pipeline.work_units import run_work_unit

    loaded = load_project(project, overrides_of(set_, device, roots=audio_root_map), data_root, variant)
    with stopping(stop_after), make_progress(progress) as shown:
        outcome = run_work_unit(loaded, step, work_unit, shown, gather=not no_gather)
    print(printable(f"{step} {work_unit}: {outcome}"))


def gather(
    step: Annotated[str, typer.Argument(help="Step whose work units are done: training, scores.")],
    project: ProjectFile = HERE,
    variant: Variant = "",
    stop_after: StopAfter = None,
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    device: Device = "",
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
) -> None:
    """Complete a step whose work units are all done. Plans of jobs run this after the tasks of each array.

    Exit code 1 if a work unit is not done; each is named.
    """
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.pipeline.work_units import gather_step

    loaded = load_project(project, overrides_of(set_, device, roots=audio_root_map), data_root, variant)
    with stopping(stop_after), make_progress(progress) as shown:
        outcome = gather_step(loaded, step, shown)
    print(printable(f"{step}: {outcome}"))
