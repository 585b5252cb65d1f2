"""What a call in a container is asked to do, as plain values that any library can send."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self


class _Plain:
    """Turns the fields of a request into keyword arguments of a call, and back."""

    def words(self) -> dict[str, Any]:
        """Return the fields; tuples are lists."""
        made = asdict(self)  # type: ignore[call-overload]
        return {key: list(value) if isinstance(value, tuple) else value for key, value in made.items()}

    @classmethod
    def of(cls, words: Mapping[str, Any]) -> Self:
        """Return the request of keyword arguments; raises TypeError for others."""
        known = {one.name for one in fields(cls)}  # type: ignore[arg-type]
        if words.keys() != known:
            raise TypeError(f"{cls.__name__} has the fields {', '.join(sorted(known))}, not {', '.join(sorted(words))}")
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in words.items()})


@dataclass(frozen=True, slots=True)
class TaskRequest(_Plain):
    """One attempt at a task of a plan.

    Parameters
    ----------
    prefix
        The folder of the project in the volume.
    plan
        The number of the plan, as ``0001``.
    job, index
        The job, and the place of the task in it.
    limit_s
        Seconds after which the task is asked to save its state and end with 143; before the container's limit.
    """

    prefix: str
    plan: str
    job: str
    index: int
    limit_s: float


@dataclass(frozen=True, slots=True)
class PlanRequest(_Plain):
    """The submitted jobs of a plan: the folder of the project in the volume, and the number of the plan.

    ``limit_s`` is after how many seconds the coordinator starts another one in its place.
    """

    prefix: str
    plan: str
    limit_s: float
