"""Processes that run side by side: started where there is room, collected when they end, and never left behind."""

import subprocess
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar


class Child(Protocol):
    """What a group holds: any object with its process."""

    @property
    def process(self) -> "BaseProcess | subprocess.Popen[bytes]":
        """The process, of ``multiprocessing`` or ``subprocess``; it is started."""
        ...


Item = TypeVar("Item", bound=Child)


class ProcessGroup(Generic[Item]):
    """The processes that run now. Leaving its ``with`` block, however that happens, ends them all.

    They first get SIGTERM, to save their state. A process that still runs after ``grace_s`` seconds is killed.
    """

    def __init__(self, grace_s: float) -> None:
        self._grace_s, self._running = grace_s, list[Item]()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what runs."""
        self.stop()

    def __iter__(self) -> Iterator[Item]:
        """Go through a copy of what runs, so that what has ended can be removed meanwhile."""
        return iter(tuple(self._running))

    def __len__(self) -> int:
        return len(self._running)

    def add(self, item: Item) -> None:
        """Take a started process into the group."""
        self._running.append(item)

    def remove(self, item: Item) -> None:
        """Take a process out of the group: it has ended, and its result was read."""
        self._running.remove(item)

    def stop(self, which: Callable[[Item], bool] = lambda item: True) -> tuple[Item, ...]:
        """End what runs and meets a condition, and return it; without a condition, everything."""
        stopped = tuple(item for item in self._running if which(item))
        self._running = [item for item in self._running if item not in stopped]
        for item in stopped:
            item.process.terminate()
        until = time.monotonic() + self._grace_s
        for item in stopped:
            _end(item.process, max(0.0, until - time.monotonic()))
        return stopped


def _end(process: "BaseProcess | subprocess.Popen[bytes]", within_s: float) -> None:
    """Wait for the end of a process that was told to end; kill it after ``within_s`` seconds."""
    if isinstance(process, subprocess.Popen):
        try:
            process.wait(within_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return
    process.join(within_s)
    if process.is_alive():
        process.kill()
        process.join()
