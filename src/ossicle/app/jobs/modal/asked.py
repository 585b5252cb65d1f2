"""What the containers of a job get, from ``[jobs.STEP]`` and ``[modal]``, and the most that a plan can use."""

import math
import re
from dataclasses import dataclass

from ossicle.app.jobs.job import Job, JobPlan
from ossicle.app.jobs.modal.service import Resources
from ossicle.app.project.tables.modal import ModalSettings
from ossicle.app.project.tables.placement import MODAL
from ossicle.core.errors import UsageError

MOST_S = 24 * 3600
"""Modal ends every call after a day."""
_LEAST_S = 120
_HOUR_S = 3600
_SAVE_S = 300.0
_SHARE_TO_SAVE = 0.1
_MEMORY = re.compile(r"([1-9]\d*)([KMGT]?)B?", re.IGNORECASE)
_MIB = {"K": 1 / 1024, "": 1, "M": 1, "G": 1024, "T": 1024 * 1024}
_MINUTES_ONLY, _WITH_HOURS = 1, 3


def resources_of(job: Job, settings: ModalSettings) -> Resources:
    """Return what the containers of a job get.

    Parameters
    ----------
    job
        The job, with its placement.
    settings
        ``[modal]``.

    Returns
    -------
    Resources
        Memory without a unit is in MB, as for Slurm; times longer than a day are a day, and the task goes on.

    Raises
    ------
    UsageError
        The memory is no number with a unit, or the time is too short to save in.
    """
    placed = job.placement
    timeout_s = min(MOST_S, _seconds(placed.time) if placed.time else math.ceil(settings.timeout_h * _HOUR_S))
    if timeout_s < _LEAST_S:
        raise UsageError(f"[jobs.{job.step}] time = {placed.time!r} is less than two minutes; a container needs longer")
    gpu = f"{placed.gpu_type or settings.gpu}{f':{placed.gpus}' if placed.gpus > 1 else ''}" if placed.gpus > 0 else ""
    most = min(placed.max_concurrent or settings.max_concurrent, settings.max_concurrent, len(job.tasks))
    return Resources(float(placed.cpus), _mib(job.step, placed.memory), gpu, timeout_s, most)


def limit_s(resources: Resources) -> float:
    """Return after how many seconds a task is asked to save its state: a tenth, at most five minutes, before the end.

    Parameters
    ----------
    resources
        What its container gets.

    Returns
    -------
    float
        Seconds from the beginning of the task.
    """
    return resources.timeout_s - min(_SAVE_S, _SHARE_TO_SAVE * resources.timeout_s)


def _mib(step: str, text: str) -> int:
    if not text:
        return 0
    match = _MEMORY.fullmatch(text)
    if match is None:
        raise UsageError(f"[jobs.{step}] memory = {text!r} is no size for Modal; write for example 16G or 800M")
    return max(1, math.ceil(int(match[1]) * _MIB[match[2].upper()]))


def _seconds(time: str) -> int:
    """Return a wall time of ``[jobs]`` (minutes, M:SS, H:MM:SS, D-H, D-H:MM or D-H:MM:SS) in seconds.

    >>> _seconds("90"), _seconds("1:30"), _seconds("1:00:00"), _seconds("1-00"), _seconds("1-01:30")
    (5400, 90, 3600, 86400, 91800)
    """
    days, dash, rest = time.rpartition("-")
    parts = [int(number) for number in rest.split(":")]
    if dash:
        hours, minutes, seconds = (*parts, 0, 0)[:3]
        return int(days) * 24 * _HOUR_S + hours * _HOUR_S + minutes * 60 + seconds
    if len(parts) == _MINUTES_ONLY:
        return parts[0] * 60
    hours, minutes, seconds = parts if len(parts) == _WITH_HOURS else (0, *parts)
    return hours * _HOUR_S + minutes * 60 + seconds


def in_words(resources: Resources) -> str:
    """Return what a container gets in words.

    Parameters
    ----------
    resources
        The resources.

    Returns
    -------
    str
        GPU, CPUs, memory and hours.

    Examples
    --------
    >>> in_words(Resources(4.0, 2048, "A100:2", 1800, 3))
    'GPU A100:2, 4 CPUs, 2048 MiB, at most 0.5 h each, 3 at a time'
    """
    parts = [
        f"GPU {resources.gpu}" if resources.gpu else "no GPU",
        f"{resources.cpus:g} CPUs" if resources.cpus else "",
        f"{resources.memory_mb} MiB" if resources.memory_mb else "",
        f"at most {resources.timeout_s / _HOUR_S:.2g} h each",
        f"{resources.max_containers} at a time",
    ]
    return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Bound:
    """The most that a job can use.

    Parameters
    ----------
    job
        Its name.
    tasks
        The number of its tasks.
    resources
        What each container gets.
    once_h
        Container hours if every task uses its whole time once.
    most_h
        Container hours if, besides, every task fails and goes on after its limit as often as ``[jobs]`` allows.
    """

    job: str
    tasks: int
    resources: Resources
    once_h: float
    most_h: float


def bounds_of(plan: JobPlan, settings: ModalSettings) -> list[Bound]:
    """Return the most that each job on Modal can use.

    Parameters
    ----------
    plan
        The jobs, with how often a task may fail and go on.
    settings
        ``[modal]``.

    Returns
    -------
    list[Bound]
        In the order of the plan; jobs elsewhere are left out.
    """
    bounds = []
    for job in plan.jobs:
        if job.placement.on != MODAL:
            continue
        resources = resources_of(job, settings)
        once_h = len(job.tasks) * resources.timeout_s / _HOUR_S
        bounds.append(Bound(job.name, len(job.tasks), resources, once_h, once_h * (plan.attempts + plan.continuations)))
    return bounds
