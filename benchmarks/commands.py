"""Run `ossicle` commands: each as a process of its own, or, in smoke mode, all in this process.

A process of its own loads torch for seconds. A smoke run of every benchmark cannot afford that for each command and
each training.
"""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import StringIO
from multiprocessing import Pipe
from pathlib import Path
from types import SimpleNamespace
from typing import Any

OSSICLE = [sys.executable, "-m", "ossicle"]
REFUSED = 4
"""Exit code of a run whose bundle the noise gate refused. Its figures are valid, and the tables name the refusal."""

_shared = False


class CommandFailed(Exception):
    """A command ended with an exit code that its caller does not accept."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The exit code of a command, and what it printed to stdout (empty unless captured)."""

    code: int
    printed: str


def ossicle(
    *arguments: object, codes: Sequence[int] = (0,), capture: bool = False, folder: Path | None = None
) -> Finished:
    """Run a command in ``folder``; raises CommandFailed unless it ends with one of ``codes``."""
    argv = [str(argument) for argument in arguments]
    done = run_here(argv, capture, folder) if _shared else _run_apart(argv, capture, folder)
    if done.code not in codes:
        raise CommandFailed(f"ossicle {' '.join(argv)} ended with exit code {done.code}")
    return done


def ossicle_json(*arguments: object, codes: Sequence[int] = (0,)) -> Any:
    """Run a command with ``--json`` and return what it prints; raises CommandFailed as :func:`ossicle` does."""
    return json.loads(ossicle(*arguments, "--json", codes=codes, capture=True).printed)


def options(settings: Sequence[str]) -> list[str]:
    """``--set`` options from settings such as ``training.epochs=1``."""
    return [word for setting in settings for word in ("--set", setting)]


def share_process() -> None:
    """Run all later commands, and the trainings that they start, in this process."""
    global _shared
    _shared = True


def runs_here(command: Sequence[str]) -> bool:
    """Whether ``command`` is an `ossicle` command that is run in this process."""
    return _shared and list(command[: len(OSSICLE)]) == OSSICLE


def run_here(words: Sequence[str], capture: bool = False, folder: Path | None = None) -> Finished:
    """Run a command and its trainings in this process."""
    from ossicle.app.cli.main import main

    _train_here()
    printed, argv = StringIO(), sys.argv
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    sys.argv = ["ossicle", *words]
    code: int | str | None = 0
    try:
        with contextlib.ExitStack() as stack:
            if capture:
                stack.enter_context(contextlib.redirect_stdout(printed))
            if folder is not None:
                stack.enter_context(contextlib.chdir(folder))
            main()
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv = argv
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return Finished(code if isinstance(code, int) else int(code is not None), printed.getvalue())


def _run_apart(argv: Sequence[str], capture: bool, folder: Path | None) -> Finished:
    done = subprocess.run(
        [*OSSICLE, *argv], check=False, text=True, stdout=subprocess.PIPE if capture else None, cwd=folder
    )
    return Finished(done.returncode, done.stdout or "")


class _Here:
    """Stands for a training process: its work is done in this process when it starts."""

    exitcode = 0

    def __init__(self, target: Callable[..., None], args: tuple[object, ...], name: str) -> None:
        self._target, self._args, self.name = target, args, name

    def start(self) -> None:
        self._target(*self._args)

    def is_alive(self) -> bool:
        return False

    def join(self, timeout: float | None = None) -> None:
        """Return at once: the work is done."""

    terminate = kill = join


def _train_here() -> None:
    """Make cross-validation train in this process."""
    from ossicle.training.detector import crossval

    context = SimpleNamespace(Pipe=Pipe, Process=_Here)
    crossval.multiprocessing = SimpleNamespace(get_context=lambda method: context)  # type: ignore[attr-defined]
