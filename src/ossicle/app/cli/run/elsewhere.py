"""Messages of commands whose work may run elsewhere: where the jobs are, their states, and how to leave them."""

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ossicle.app.cli.printable import printable
from ossicle.app.project.placement import PLACES
from ossicle.core.errors import UsageError

if TYPE_CHECKING:
    from ossicle.app.jobs.folder import PlanFolder
    from ossicle.app.jobs.state import TaskState

On = Annotated[
    str | None,
    typer.Option(
        "--on",
        help="Where to run: `local`, or `slurm` except for steps whose \\[jobs.STEP] says local. Default: the "
        "\\[jobs] tables of the project file (docs/jobs.md).",
        show_default=False,
    ),
]


def place_of(on: str | None) -> str | None:
    """Return the checked value of ``--on``."""
    if on is not None and on not in PLACES:
        raise UsageError(f"--on {on} is not one of: {', '.join(PLACES)}")
    return on


class Watched:
    """Prints the states of jobs on stderr whenever they change."""

    def __init__(self, project: Path) -> None:
        self._project, self._said = project, dict[str, str]()
        self._folder: PlanFolder | None = None

    def show_plan(self, folder: "PlanFolder") -> None:
        """Print where the jobs are written."""
        self._folder = folder
        print(printable(f"jobs: {folder.path}"), file=sys.stderr, flush=True)

    def show(self, states: "Sequence[TaskState]") -> None:
        """Print a line for each job whose state changed."""
        for job in dict.fromkeys(one.job for one in states):
            of = [one for one in states if one.job == job]
            count = Counter(one.state for one in of)
            reasons = sorted({one.reason for one in of if one.reason and not one.ended})
            words = ", ".join(f"{number} {state}" for state, number in sorted(count.items()))
            line = f"{job}: {words}" + (f" ({', '.join(reasons)})" if reasons else "")
            if self._said.get(job) != line:
                self._said[job] = line
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
                        f"-p {self._project}; cancel them: {how_to_cancel(plan, self._folder)}"
                    ),
                    file=sys.stderr,
                )
            raise
