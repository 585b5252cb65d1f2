"""What every place to run jobs can do. ``conduct``, ``state`` and the commands know runners by this protocol alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ossicle.app.jobs.job import Job

PENDING, RUNNING, LOST = "pending", "running", "lost"


@dataclass(frozen=True, slots=True)
class Seen:
    """A task that a runner knows: ``pending``, ``running`` or another state in its own words, and the reason.

    ``lost``: it was submitted and has not ended, and nobody follows it; the reason says how to resume.
    """

    state: str
    reason: str = ""


class Runner(Protocol):
    """Runs the tasks of jobs. Tasks leave lines about their attempts in the folder of the plan, whoever runs them.

    The name of a runner is the value of ``on`` in ``[jobs]``.
    """

    detached: bool
    """Whether jobs go on without the process that submitted them. Such a runner also waits for jobs by itself."""

    def require(self) -> None:
        """Raise UsageError if jobs cannot be submitted from this machine."""
        ...

    def submit(self, job: Job, after: Sequence[str]) -> None:
        """Start the tasks of a job, or queue them until the jobs named ``after``, of the same runner, are done."""
        ...

    def look(self) -> Mapping[str, Seen]:
        """Return the tasks that wait, run or are lost, by :func:`task_id`.

        Raises OssicleError if the runner does not answer.

        A runner that is not detached collects ended tasks here, and starts waiting ones.
        """
        ...

    def cancel(self, jobs: Sequence[Job]) -> None:
        """End the tasks of jobs; tasks that run are asked to save their state."""
        ...

    def logs(self, job: Job, index: int) -> bytes | None:
        """Return the output of a task, all attempts included; None if it has not started."""
        ...

    def how_to_cancel(self, jobs: Sequence[Job]) -> str:
        """Return a command line that cancels jobs; empty if they end with the process that started them."""
        ...


def task_id(number: str, index: int) -> str:
    """Return the name of a task in the answers of its runner and in the lines of its attempts.

    Parameters
    ----------
    number
        The number that its job got when it was submitted.
    index
        The place of the task in its job.

    Returns
    -------
    str
        The two, joined.

    Examples
    --------
    >>> task_id("17", 3)
    '17_3'
    """
    return f"{number}_{index}"
