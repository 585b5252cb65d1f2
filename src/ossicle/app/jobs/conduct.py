"""Run jobs to their end: start each, here or elsewhere, when the jobs it needs are done, and watch it."""

import time
from collections.abc import Callable, Mapping, Sequence

from ossicle.app.jobs.folder import PlanFolder
from ossicle.app.jobs.job import Job, JobPlan
from ossicle.app.jobs.pool import PROGRAM
from ossicle.app.jobs.runner import PENDING, Runner, Seen
from ossicle.app.jobs.runners import runner_named
from ossicle.app.jobs.state import TaskState, task_states
from ossicle.core.errors import OssicleError

Show = Callable[[Sequence[TaskState]], None]
_POLL_S = 0.2
_LOST_LOOKS = 3
_MOST_SILENCE_S = 600.0


def conduct(
    folder: PlanFolder,
    plan: JobPlan,
    cap: Callable[[Job], int],
    show: Show,
    poll_s: float,
    *,
    wait: bool = True,
    program: Sequence[str] = PROGRAM,
) -> list[TaskState]:
    """Run a plan to its end; jobs that need a failed job are not started.

    KeyboardInterrupt ends the tasks on this machine, which save their state, and leaves those elsewhere running.

    Parameters
    ----------
    folder
        The folder of the plan.
    plan
        The jobs.
    cap
        Returns how many tasks of a job may run on this machine at a time.
    show
        Called with the states of all tasks.
    poll_s
        Seconds between two questions to a runner elsewhere.
    wait
        Whether to wait for the end. If not, return when all jobs are submitted that need no more work on this machine;
        jobs on this machine that follow jobs elsewhere are not run.
    program
        The command that runs ``ossicle``.

    Returns
    -------
    list[TaskState]
        How each task ended.
    """
    begun: set[str] = set()
    names = dict.fromkeys(job.placement.on for job in plan.jobs)
    runners = {name: runner_named(name, folder, plan.attempts, cap, program) for name in names}
    watch = _Watch(folder, plan, runners)
    try:
        while True:
            states = watch.look(poll_s)
            done = _finished_jobs(plan, states)
            show(states)
            here = [
                state
                for state in states
                if state.job in begun and not state.ended and not plan.job(state.job).elsewhere
            ]
            if not wait and not here and all(job.name in begun or _waits(job, plan, done) for job in plan.jobs):
                return states
            stuck = {state.job for state in states if state.state in ("failed", "cancelled", "lost")}
            for job in plan.jobs:
                if job.name not in begun and _ready(job, plan, begun, done, stuck):
                    begun.add(job.name)
                    runners[job.placement.on].submit(job, [name for name in job.needs if name not in done])
                    watch.forget()
            open_jobs = [state for state in states if not state.ended and (state.job in begun or not stuck)]
            if not open_jobs and (stuck or len(done) == len(plan.jobs)):
                return watch.look(0.0)
            time.sleep(_POLL_S)
    finally:
        for runner in runners.values():
            if not runner.detached:
                runner.cancel(plan.jobs)


class _Watch:
    """The states of the tasks; asks detached runners no more often than they tolerate."""

    def __init__(self, folder: PlanFolder, plan: JobPlan, runners: Mapping[str, Runner]) -> None:
        self._folder, self._plan, self._runners = folder, plan, runners
        self._asked_at_s = -1e9
        self._answered = dict.fromkeys(runners, time.monotonic())
        self._seen_tasks: dict[str, Mapping[str, Seen]] = {name: {} for name in runners}
        self._lost: dict[tuple[str, int], int] = {}

    def forget(self) -> None:
        """Ask again at the next look."""
        self._asked_at_s = -1e9

    def look(self, poll_s: float) -> list[TaskState]:
        """Return the states; a task counts as lost only when several looks miss it."""
        fresh = time.monotonic() - self._asked_at_s >= poll_s
        for name, runner in self._runners.items():
            if fresh or not runner.detached:
                self._ask(name, runner)
        if fresh:
            self._asked_at_s = time.monotonic()
        states = task_states(self._folder, self._plan, self._seen_tasks)
        for number, state in enumerate(states):
            key = (state.job, state.index)
            if state.state != "lost":
                self._lost.pop(key, None)
            elif (n_missed := self._lost.get(key, 0) + fresh) < _LOST_LOOKS:
                self._lost[key] = n_missed
                states[number] = TaskState(
                    state.job, state.task, state.index, PENDING, "", state.attempt, None, state.log
                )
        return states

    def _ask(self, name: str, runner: Runner) -> None:
        try:
            # Ask the runner first and read the lines after it: a task that ends in between has recorded its end.
            self._seen_tasks[name] = runner.look()
            self._answered[name] = time.monotonic()
        except (OssicleError, OSError):
            # A busy runner answers later; report an unreachable one after several looks.
            if not runner.detached or time.monotonic() - self._answered[name] > _MOST_SILENCE_S:
                raise


def _finished_jobs(plan: JobPlan, states: Sequence[TaskState]) -> set[str]:
    open_jobs = {state.job for state in states if state.state != "done"}
    return {job.name for job in plan.jobs} - open_jobs


def _ready(job: Job, plan: JobPlan, begun: set[str], done: set[str], stuck: set[str]) -> bool:
    """Return whether a job can start: a local job waits for all it needs, and other runners wait for their own jobs."""
    if any(name in stuck for name in job.needs):
        return False
    same = {name for name in begun if job.elsewhere and plan.job(name).placement.on == job.placement.on}
    return all(name in done or name in same for name in job.needs)


def _waits(job: Job, plan: JobPlan, done: set[str]) -> bool:
    """Return whether a job that was not started waits for one elsewhere, directly or through another job."""
    open_needs = [plan.job(name) for name in job.needs if name not in done]
    return any(open_need.elsewhere or _waits(open_need, plan, done) for open_need in open_needs)


def failures(folder: PlanFolder, states: Sequence[TaskState]) -> OssicleError | None:
    """Return an error that lists failed tasks, each with its log and the line to run it by hand; None without any."""
    bad = [state for state in states if state.state in ("failed", "cancelled", "lost")]
    if not bad:
        return None
    # Tasks that need a failed task were never started, so leave them out.
    bad = [state for state in bad if state.attempt] or bad
    lines = [
        f"{state.job}/{state.task.name}: {state.state}{f' ({state.reason})' if state.reason else ''}; log {state.log}; "
        f"by hand: {folder.by_hand(state.task)}"
        for state in bad
    ]
    return OssicleError("\n".join([f"{len(bad)} of {len(states)} tasks failed:", *lines]))
