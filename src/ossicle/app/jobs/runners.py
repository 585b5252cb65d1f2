"""The runners by name, as ``on`` in ``[jobs]`` names them."""

from collections.abc import Callable, Iterable, Sequence

from ossicle.app.jobs.folder import PlanFolder
from ossicle.app.jobs.job import Job, JobPlan
from ossicle.app.jobs.modal.runner import ModalRunner
from ossicle.app.jobs.pool import PROGRAM, LocalPool
from ossicle.app.jobs.runner import Runner
from ossicle.app.jobs.slurm.runner import SlurmRunner
from ossicle.app.project.tables.placement import LOCAL, MODAL, SLURM


def runner_named(
    name: str,
    folder: PlanFolder,
    attempts: int = 1,
    cap: Callable[[Job], int] = lambda job: 1,
    program: Sequence[str] = PROGRAM,
) -> Runner:
    """Return a runner.

    Parameters
    ----------
    name
        Its name, one of ``PLACES``.
    folder
        The folder of the plan whose jobs it runs.
    attempts
        How often a task is run on this machine before it counts as failed.
    cap
        Returns how many tasks of a job may run on this machine at a time.
    program
        The command that runs ``ossicle`` on this machine.

    Returns
    -------
    Runner
        The runner; nothing is started or asked yet.

    Raises
    ------
    KeyError
        There is no such runner.
    """
    makers: dict[str, Callable[[], Runner]] = {
        LOCAL: lambda: LocalPool(folder, attempts, cap, program),
        SLURM: lambda: SlurmRunner(folder),
        MODAL: lambda: ModalRunner(folder),
    }
    return makers[name]()


def runners_of(jobs: Iterable[Job], folder: PlanFolder) -> dict[str, Runner]:
    """Return the runners that jobs are placed on, for commands that follow jobs without running them.

    Parameters
    ----------
    jobs
        The jobs.
    folder
        The folder of their plan.

    Returns
    -------
    dict[str, Runner]
        By name.
    """
    return {name: runner_named(name, folder) for name in dict.fromkeys(job.placement.on for job in jobs)}


def how_to_cancel(plan: JobPlan, folder: PlanFolder) -> str:
    """Return the command lines that cancel all submitted jobs of a plan.

    Parameters
    ----------
    plan
        The jobs.
    folder
        The folder of the plan.

    Returns
    -------
    str
        The lines, joined by ``;``; empty if nothing goes on without the process that started it.
    """
    lines = [
        runner.how_to_cancel([job for job in plan.jobs if job.placement.on == name])
        for name, runner in runners_of(plan.jobs, folder).items()
    ]
    return "; ".join(line for line in lines if line)
