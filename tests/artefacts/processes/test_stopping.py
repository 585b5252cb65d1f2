"""A command that ends itself: in time and with a message, whatever it waits for; not if it is done before."""

import subprocess
import sys
import time

import pytest

from ossicle.artefacts.processes.stopping import stopping_after

SLEEPS = """
import signal, sys, time
from ossicle.artefacts.processes.stopping import stopping_after
def saved(number, frame):
    print("saved", flush=True)
    sys.exit(143)
signal.signal(signal.SIGTERM, saved)
with stopping_after(float(sys.argv[1]), lambda line: print(line, flush=True)):
    time.sleep(float(sys.argv[2]))
time.sleep(float(sys.argv[3]))
print("done")
"""


def run(*seconds: float) -> tuple[int, str, float]:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", SLEEPS, *map(str, seconds)], capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stdout, time.monotonic() - began


def test_a_waiting_process_is_stopped() -> None:
    code, result, seconds = run(0.3, 100.0, 0.0)
    assert (code, result) == (143, "stopping after 0.3 s, as --stop-after says\nsaved\n")
    assert seconds < 60


def test_what_is_done_in_time_is_left_alone() -> None:
    assert run(1.0, 0.0, 1.5)[:2] == (0, "done\n")


def test_without_a_time_nothing_stops() -> None:
    with stopping_after(None, pytest.fail):
        pass
