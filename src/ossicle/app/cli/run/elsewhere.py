"""Messages of commands whose work may run elsewhere: where the jobs are, their states, and how to leave them."""

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from ossicle.app.cli.printable import printable
from ossicle.app.project.tables.placement import PLACES
from ossicle.core.errors import UsageError
from ossicle.core.text.counting import counted
from ossicle.core.text.sizes import size_in_words

if TYPE_CHECKING:
    from ossicle.app.jobs.folder import PlanFolder
    from ossicle.app.jobs.placed import RunOptions
    from ossicle.app.jobs.state import TaskState
    from ossicle.app.project.load import Project
    from ossicle.app.steps.engine.step import Progress

On = Annotated[
    str | None,
    typer.Option(
        "--on",
        help="Where to run: `local`, or `slurm` or `modal` except for steps whose \\[jobs.STEP] names a place. "
        "Default: the \\[jobs] tables of the project file (docs/jobs.md, docs/modal.md).",
        show_default=False,
    ),
]


def place_of(on: str | None) -> str | None:
    """Return the checked value of ``--on``."""
    if on is not None and on not in PLACES:
        raise UsageError(f"--on {on} is not one of: {', '.join(PLACES)}")
    return on


def show_most(project: "Project", run_options: "RunOptions", progress: "Progress") -> None:
    """Print the jobs of a run, and the most that those on Modal can use; nothing is submitted and nobody is asked."""
    from ossicle.app.cli.tables.table import print_rows
    from ossicle.app.jobs.build import make_plan
    from ossicle.app.jobs.modal.asked import bounds_of, in_words
    from ossicle.app.jobs.modal.preparing import prefix_of, to_copy, volume_of
    from ossicle.app.jobs.placed import jobs_of

    plan = make_plan(project, jobs_of([project], run_options, progress))
    if not plan.jobs:
        print("nothing to do: all steps are done")
        return
    bounds = {bound.job: bound for bound in bounds_of(plan, project.settings.modal)}
    rows = []
    for job in plan.jobs:
        most = bounds.get(job.name)
        resources_text, hours = ("", "") if most is None else (in_words(most.resources), f"{most.once_h:.1f}")
        rows.append((job.name, job.placement.on, str(len(job.tasks)), resources_text, hours))
    print_rows(("job", "on", "tasks", "each container", "container hours"), rows)
    if not bounds:
        return
    once_h, most_h = sum(bound.once_h for bound in bounds.values()), sum(bound.most_h for bound in bounds.values())
    files, size = to_copy(project)
    print(
        printable(
            f"copied to the Modal volume {volume_of(project)}, folder {prefix_of(project)}: at most {files} files, "
            f"{size_in_words(size)}\n"
            f"at most {once_h:.1f} container hours if every task uses its whole time once, and {most_h:.0f} if every "
            f"task also fails {plan.attempts} times and goes on {plan.continuations} times ([jobs] attempts and "
            "continuations); besides, one coordinator of an eighth of a core runs as long as the jobs"
        )
    )


def pull_from_modal(project: "Project") -> None:
    """Copy the artefacts that are finished on Modal here, publish the results, and print what was copied."""
    from ossicle.app.jobs.modal.preparing import bring_finished
    from ossicle.app.project.places import writing
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.engine.step import Done, find_steps
    from ossicle.app.steps.pipeline.pipelines import pipeline_of, steps_of
    from ossicle.app.steps.pipeline.run_project import publish, refuse_foreign_results

    # Before hours of copying.
    refuse_foreign_results(project, pipeline_of(project).result_names())
    with make_progress("plain") as shown:
        brought = bring_finished(project, shown)
    artefacts = {name: path for name, path in find_steps(steps_of(project), project).items() if path is not None}
    results = tuple(project.results / name for name in pipeline_of(project).result_names())
    with writing(project.data_root, results):
        publish(project, Done(artefacts, {}, {}))
    for path in brought:
        print(printable(str(path)))
    print(printable(f"copied {counted(len(brought), 'artefact')}"))


class Watched:
    """Prints the states of jobs on stderr whenever they change."""

    def __init__(self, project: Path) -> None:
        self._project, self._last_lines = project, dict[str, str]()
        self._folder: PlanFolder | None = None

    def show_plan(self, folder: "PlanFolder") -> None:
        """Print where the jobs are written."""
        self._folder = folder
        print(printable(f"jobs: {folder.path}"), file=sys.stderr, flush=True)

    def show(self, states: "Sequence[TaskState]") -> None:
        """Print a line for each job whose state changed."""
        for job in dict.fromkeys(state.job for state in states):
            job_states = [state for state in states if state.job == job]
            count = Counter(task_state.state for task_state in job_states)
            reasons = sorted(
                {task_state.reason for task_state in job_states if task_state.reason and not task_state.ended}
            )
            state_text = ", ".join(f"{number} {state}" for state, number in sorted(count.items()))
            line = f"{job}: {state_text}" + (f" ({', '.join(reasons)})" if reasons else "")
            if self._last_lines.get(job) != line:
                self._last_lines[job] = line
                print(printable(f"{time.strftime('%H:%M:%S')} {line}"), file=sys.stderr, flush=True)

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """On Ctrl-C in the block, print what continues, and how to show or cancel it."""
        try:
            yield
        except KeyboardInterrupt:
            if self._folder is not None and self._folder.numbers():
                from ossicle.app.jobs.runners import how_to_cancel

                plan = self._folder.plan()
                names = sorted({job.placement.on.capitalize() for job in plan.jobs if job.elsewhere})
                print(
                    printable(
                        f"ossicle: the {' and '.join(names)} jobs keep running; show them: ossicle jobs status "
                        f"-p {quote(str(self._project))}; cancel them: {how_to_cancel(plan, self._folder)}"
                    ),
                    file=sys.stderr,
                )
            raise
