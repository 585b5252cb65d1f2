"""Faults made on purpose: kills at a chosen change of the disk, files that may not grow, users without privileges.

A script begins with :data:`PRELUDE`, in which the named calls count down and the one that finds the count at 0 is never
made. With every count from 0 on, a process is killed once at each of its points; from the count that it survives, it
did all it had to.
"""

import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

PRELUDE = """
import atexit, os, signal, sys
_told, _names, _start = os.fdopen(os.dup(2), "w"), sys.argv.pop(1).split(), int(sys.argv.pop(1))
_left = _start

def dying(call):
    def wrapped(*args, **kwargs):
        global _left
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        _left -= 1
        return call(*args, **kwargs)
    return wrapped

atexit.register(lambda: print(f"points={_start - _left}", file=_told, flush=True))
for _name in _names:
    if _name == "mark":
        from ossicle.artefacts.logs.journal import Journal
        Journal.mark = dying(Journal.mark)
    else:
        setattr(os, _name, dying(getattr(os, _name)))
"""
"""Gives the script ``dying``, which makes of a call one that counts."""

NEVER = 10**9


@dataclass(frozen=True)
class Ended:
    """How a process ended: killed at its point or not, what it said, and how many points it had if it lived."""

    killed: bool
    code: int
    out: str
    err: str
    points: int | None


def run_dying(script: str, calls: Sequence[str], left: int, *arguments: object, code: int = 0) -> Ended:
    """Run ``script``, killed before call number ``left`` (from 0) of ``calls``: names in ``os``, or ``mark``.

    ``mark`` is that of the journal. Fails where the process is neither killed nor ends with ``code``.
    """
    command = [sys.executable, "-c", PRELUDE + script, " ".join(calls), str(left), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    killed = done.returncode == -signal.SIGKILL
    assert killed or done.returncode == code, done.stderr
    result, _, counted = done.stderr.rpartition("points=")
    return Ended(killed, done.returncode, done.stdout, result, None if killed else int(counted))


@contextmanager
def file_limit(size: int) -> Iterator[None]:
    """Refuse this process to write files beyond ``size`` bytes (EFBIG): a full disk for each file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


UNPRIVILEGED = """
import ctypes, os, sys
drop_from_bounding_set, dac_override, dac_read_search = 24, 1, 2
for capability in (dac_override, dac_read_search):
    ctypes.CDLL(None).prctl(drop_from_bounding_set, capability, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Runs a command for which permissions count, as they do not for root."""
