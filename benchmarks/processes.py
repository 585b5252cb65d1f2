"""Whole commands measured from outside: seconds, processor time and peak memory of all their processes."""

import os
import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from commands import OSSICLE, CommandFailed, run_here, runs_here

MIB = 1024 * 1024
LOOKS_A_SECOND = 20


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: wall seconds, processor seconds, peak resident MiB of the process tree, and what it printed."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    printed: str


def tree_bytes(root: int) -> int:
    """Resident memory of a process and its descendants; pages that they share are counted for each."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        parents[int(status.parent.name)] = int(fields[1])
    family = {root}
    while grown := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= grown
    total = 0
    for pid in family:
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
    return total


def measured(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Measured:
    """Run a command to its end; raises CommandFailed, with the end of its stderr, where its exit code is not 0.

    In smoke mode an `ossicle` command without an ``environment`` runs in this process, and its memory is that
    of this process.
    """
    if environment is None and runs_here(command):
        return _measured_here(command)
    before = _children_cpu_s()
    began, highest, done = time.monotonic(), 0, threading.Event()
    outputs: list[str] = []
    process = subprocess.Popen(
        list(command),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=None if environment is None else {**os.environ, **environment},
    )

    def wait() -> None:
        outputs.extend(process.communicate())
        done.set()

    threading.Thread(target=wait, daemon=True).start()
    while not done.wait(1 / LOOKS_A_SECOND):
        highest = max(highest, tree_bytes(process.pid))
    wall_s = time.monotonic() - began
    if process.returncode:
        raise CommandFailed(
            f"{' '.join(command)} ended with exit code {process.returncode}: {outputs[1].strip()[-500:]}"
        )
    return Measured(wall_s, _children_cpu_s() - before, highest / MIB, outputs[0])


def _measured_here(command: Sequence[str]) -> Measured:
    began, cpu_s = time.monotonic(), time.process_time()
    done = run_here(command[len(OSSICLE) :], capture=True)
    if done.code:
        raise CommandFailed(f"{' '.join(command)} ended with exit code {done.code}")
    peak_mib = tree_bytes(os.getpid()) / MIB
    return Measured(time.monotonic() - began, time.process_time() - cpu_s, peak_mib, done.printed)


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
