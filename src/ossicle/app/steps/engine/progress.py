"""Progress on stderr: a live bar with ETA on a terminal, plain lines elsewhere."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichBar

from ossicle.app.steps.engine.step import Silent
from ossicle.core.text.printable import printable

_EVERY_S = 10.0


def make_progress(kind: str) -> "Live | Plain | Quiet":
    """Return the progress display of a kind of ``PROGRESS_KINDS``; ``auto``: rich on a terminal, plain elsewhere."""
    if kind == "auto":
        kind = "rich" if sys.stderr.isatty() else "plain"
    if kind == "none":
        return Quiet()
    return Live() if kind == "rich" else Plain()


class Quiet(Silent):
    """Shows no progress."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""


class Plain:
    """Prints a line when a step starts, when it ends, and every ten seconds in between."""

    def __init__(self) -> None:
        self._step, self._began, self._last_line_s = "", 0.0, 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""

    def begin(self, step: str) -> None:
        """Print that a step starts."""
        self._step, self._began, self._last_line_s = step, time.monotonic(), time.monotonic()

    def advance(self, done: int, total: int, note: str = "") -> None:
        """Print how far the step is if ten seconds have passed."""
        now = time.monotonic()
        if now - self._last_line_s < _EVERY_S:
            return
        self._last_line_s = now
        left = f", {eta(now - self._began, done, total)} left" if done and total else ""
        _say(f"{self._step}: {done}/{total or '?'}{left}{'  ' + note if note else ''}")

    def say(self, line: str) -> None:
        """Print a line."""
        _say(f"{self._step}: {line}")

    def end(self, step: str, outcome: str, seconds: float) -> None:
        """Print that a step ended."""
        _say(f"{step}: {outcome} in {seconds:.1f} s")


class Live:
    """One bar for the running step; finished steps stay above it."""

    def __init__(self) -> None:
        self._bar = RichBar(
            TextColumn("{task.description:12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
            transient=True,
            # Results that go to a file stay there: rich would send them to stderr with the bar.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, step: str) -> None:
        """Start the bar of a step."""
        self._task = self._bar.add_task(step, total=None, note="")

    def advance(self, done: int, total: int, note: str = "") -> None:
        """Move the bar."""
        if self._task is not None:
            self._bar.update(self._task, completed=done, total=total or None, note=note)

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._bar.console.print(printable(line), highlight=False, markup=False)

    def end(self, step: str, outcome: str, seconds: float) -> None:
        """Replace the bar by a line."""
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None
        self._bar.console.print(f"[green]✓[/] {step:12} {outcome} in {seconds:.1f} s", highlight=False)


def eta(elapsed_s: float, done: int, total: int) -> str:
    """Return the remaining time in words, estimated from the pace so far.

    >>> eta(60.0, 1, 3)
    '2 min'
    """
    left = elapsed_s * (total - done) / done
    return f"{left:.0f} s" if left < 90 else f"{left / 60:.0f} min"


def _say(line: str) -> None:
    print(printable(line), file=sys.stderr, flush=True)
