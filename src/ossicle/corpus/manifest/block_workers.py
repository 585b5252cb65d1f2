"""Work on the blocks of a manifest in processes side by side, with the results in the order of the blocks."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from ossicle.artefacts.processes.script_hint import script_hint
from ossicle.artefacts.processes.workers import end_with_parent, interrupts_held
from ossicle.core.errors import OssicleError

Result = TypeVar("Result")

_AHEAD = 2


def in_order(work: Callable[[int], Result], blocks: Iterable[int], workers: int) -> Iterator[Result]:
    """Yield ``work(block)`` for each block, in the order of the blocks.

    Parameters
    ----------
    work
        A function that can be sent to another process.
    blocks
        Numbers of blocks.
    workers
        Number of processes; 1 works in this process. At most twice as many results wait to be taken, so memory does
        not grow with the file.

    Raises
    ------
    OssicleError
        A process was killed.
    """
    if workers <= 1:
        yield from map(work, blocks)
        return
    with interrupts_held():
        pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=end_with_parent)
        waiting: deque[Future[Result]] = deque()
        left = iter(blocks)
        # The first submission starts a process.
        for block in left:
            waiting.append(pool.submit(work, block))
            if len(waiting) == _AHEAD * workers:
                break
    try:
        while waiting:
            done = waiting.popleft().result()
            for block in left:
                waiting.append(pool.submit(work, block))
                break
            yield done
    except BrokenProcessPool as error:
        raise OssicleError(
            "a process that read the manifest was killed, perhaps because memory ran out; run it again with fewer "
            f"workers{script_hint()}"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)
