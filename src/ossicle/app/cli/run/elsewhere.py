"""How commands that may run elsewhere say what happens there: where the jobs lie, how they are, how to leave."""

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ossicle.app.cli.printable import printable
from ossicle.core.errors import UsageError

if TYPE_CHECKING:
    from ossicle.app.jobs.folder import PlanFolder
    from ossicle.app.jobs.state import TaskState

PLACES = ("local", "slurm")
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
    """The word of ``--on``, checked."""
    if on is not None and on not in PLACES:
        raise UsageError(f"--on {on} is not one of: {', '.join(PLACES)}")
    return on


class Watched:
    """Says on stderr how jobs are, whenever that has changed."""

    def __init__(self, project: Path) -> None:
        self._project, self._said = project, dict[str, str]()
        self._folder: PlanFolder | None = None

    def told(self, folder: "PlanFolder") -> None:
        """The jobs are written down."""
        self._folder = folder
        print(f"jobs: {folder.path}", file=sys.stderr, flush=True)

    def show(self, states: "Sequence[TaskState]") -> None:
        """A line for each job that is not as it was."""
        for job in dict.fromkeys(one.job for one in states):
            of = [one for one in states if one.job == job]
            count = Counter(one.state for one in of)
            reasons = sorted({one.reason for one in of if one.reason and not one.ended})
            words = ", ".join(f"{number} {state}" for state, number in sorted(count.items()))
            line = f"{job}: {words}" + (f" ({', '.join(reasons)})" if reasons else "")
            if self._said.get(job) != line:
                self._said[job] = line
                print(f"{time.strftime('%H:%M:%S')} {printable(line)}", file=sys.stderr, flush=True)

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """Have Ctrl-C in the block say what goes on without us, and how to look at it or end it."""
        try:
            yield
        except KeyboardInterrupt:
            numbers = sorted(set(self._folder.numbers().values())) if self._folder is not None else []
            if numbers:
                print(
                    f"ossicle: the Slurm jobs keep running; show them: ossicle jobs status -p {self._project}; "
                    f"cancel them: scancel {' '.join(numbers)}",
                    file=sys.stderr,
                )
            raise
