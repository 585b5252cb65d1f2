"""Do jobs in parallel processes, each under its lock, so that other processes and machines may share them."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Protocol, TypeVar

from ossicle.artefacts.processes.script_hint import script_hint
from ossicle.artefacts.processes.workers import end_with_parent, interrupts_held
from ossicle.core.errors import OssicleError


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_Job = TypeVar("_Job", bound=_Named)
_Result = TypeVar("_Result")


def locked_jobs(
    jobs: Sequence[_Job],
    work: Callable[[_Job], _Result],
    workers: int = 1,
    hold: Callable[[str], AbstractContextManager[bool]] | None = None,
    start: Callable[[], None] | None = None,
) -> Iterator[tuple[str, _Result]]:
    """Yield the name and result of each job as it is done.

    Parameters
    ----------
    jobs
        The jobs; sent to processes, as is ``work``.
    work
        Does a job.
    workers
        Number of processes; with 1, or a single job, everything happens in this one.
    hold
        Locks a job by its name while it is done, and tells whether it is still to do; None locks nothing.
    start
        Begins each process; None: nothing is to be done.

    Raises
    ------
    OssicleError
        A worker process was killed.
    """
    held = hold or _unlocked
    if workers == 1 or len(jobs) < 2:
        if start is not None:
            start()
        for job in jobs:
            with held(job.name) as missing:
                if missing:
                    yield job.name, work(job)
        return
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(jobs)), mp_context=spawn, initializer=_begin, initargs=(start,))
    waiting = deque(jobs)
    with ExitStack() as locks:
        running: dict[Future[_Result], tuple[str, ExitStack]] = {}
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    job = waiting.popleft()
                    lock = locks.enter_context(ExitStack())
                    if not lock.enter_context(held(job.name)):
                        lock.close()
                        continue
                    with interrupts_held():
                        running[pool.submit(work, job)] = (job.name, lock)
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    name, lock = running.pop(future)
                    result = future.result()
                    lock.close()
                    yield name, result
        except BrokenProcessPool as error:
            raise OssicleError(
                "a worker was killed, perhaps because memory ran out; run it again with fewer workers to resume"
                f"{script_hint()}"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _begin(start: Callable[[], None] | None) -> None:
    end_with_parent()
    if start is not None:
        start()


def _unlocked(name: str) -> AbstractContextManager[bool]:
    return nullcontext(True)
