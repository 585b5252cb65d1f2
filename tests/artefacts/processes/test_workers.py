import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PARENT = """
import multiprocessing, sys, time
from ossicle.artefacts.processes.workers import end_with_parent, interrupts_held

def work(told):
    end_with_parent()
    told.send(multiprocessing.current_process().pid)
    time.sleep(60)

if __name__ == "__main__":
    near, far = multiprocessing.get_context("spawn").Pipe(duplex=False)
    child = multiprocessing.get_context("spawn").Process(target=work, args=(far,))
    with interrupts_held():
        child.start()
    try:
        print(near.recv(), flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        child.join(1.0)
        print(child.is_alive(), flush=True)
        child.terminate()
        child.join()
"""


def begun(tmp_path: Path) -> tuple[subprocess.Popen[str], int]:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and ") Z " in state.read_text())


def test_a_worker_ends_with_its_killed_parent(tmp_path: Path) -> None:
    parent, worker = begun(tmp_path)
    assert alive(worker)
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 10
    while alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(worker)


def test_an_interrupt_of_the_group_reaches_the_parent_alone(tmp_path: Path) -> None:
    parent, worker = begun(tmp_path)
    os.killpg(parent.pid, signal.SIGINT)
    out, _ = parent.communicate(timeout=30)
    assert out.strip() == "True"
    assert not alive(worker)


HELD = """
import sys
import numpy as np
from ossicle.artefacts.processes.workers import keep_freed_memory

def pages():
    return int(open("/proc/self/statm").read().split()[1])

if sys.argv[1] == "keep":
    keep_freed_memory()
np.ones(1 << 20)
before = pages()
block = np.ones(16 << 20)
full = pages()
del block
print(before, full, pages())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator of glibc is what is tuned")
@pytest.mark.parametrize("mode", ["keep", "leave"])
def test_freed_memory_is_kept_where_asked(mode: str) -> None:
    done = subprocess.run([sys.executable, "-c", HELD, mode], capture_output=True, text=True, check=True)
    before, full, after = map(int, done.stdout.split())
    assert full - before > 30_000
    assert after - before > 30_000 if mode == "keep" else after - before < 3_000
