import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PARENT = """
import multiprocessing, sys, time
from ossicle.artefacts.workers import end_with_parent, interrupts_held

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
