"""What a call in a container is asked to do, as plain values that any library can send."""

from dataclasses import asdict, dataclass
from typing import Any

from ossicle.app.jobs.modal.orders import FIRST_LEAD


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """One attempt at a task of a plan.

    Parameters
    ----------
    prefix
        The folder of the project in the volume.
    plan
        The name of the plan.
    job, index
        The job, and the place of the task in it.
    attempt
        The number of the attempt, from 1; attempts that went on after a limit count too.
    """

    prefix: str
    plan: str
    job: str
    index: int
    attempt: int

    def words(self) -> dict[str, Any]:
        """Return the fields as keyword arguments."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """The submitted jobs of a plan.

    Parameters
    ----------
    prefix
        The folder of the project in the volume.
    plan
        The name of the plan.
    limit_s
        Seconds after which the coordinator starts another one in its place.
    poll_s
        Seconds between two looks.
    leader
        The name under which the coordinator leads: it stops when there is a greater one.
    """

    prefix: str
    plan: str
    limit_s: float = 20 * 3600.0
    poll_s: float = 5.0
    leader: str = FIRST_LEAD

    def words(self) -> dict[str, Any]:
        """Return the fields as keyword arguments."""
        return asdict(self)
