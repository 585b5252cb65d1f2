"""What a script does with the end of its task: attempts, continuations at the wall time, cancelled tasks."""

import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ossicle.app.jobs.folder import json_lines

from ..plan_parts import fake


def run_attempt(tmp_path: Path, command: str, attempts: int = 3, continuations: int = 2) -> subprocess.Popen[str]:
    """``attempt`` as in a script, with a queue that notes what is requeued."""
    tools = fake(tmp_path / "tools", "scontrol", f'echo "$@" >> {shlex.quote(str(tmp_path / "requeued"))}')
    script = Path(__file__).parents[4] / "src/ossicle/app/jobs/slurm/task.sh"
    text = f'source {shlex.quote(str(script))}\nattempt "$1" {attempts} {continuations} bash -c {shlex.quote(command)}'
    env = {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "SLURM_ARRAY_JOB_ID": "7",
        "SLURM_ARRAY_TASK_ID": "0",
    }
    return subprocess.Popen(["bash", "-c", text, "script", str(tmp_path / "state.jsonl")], env=env, text=True)


def states(tmp_path: Path) -> list[tuple[str, int | None]]:
    return [(one["state"], one["code"]) for one in json_lines(tmp_path / "state.jsonl") if one["state"] != "running"]


def requeued(tmp_path: Path) -> list[str]:
    file = tmp_path / "requeued"
    return file.read_text().splitlines() if file.exists() else []


@pytest.mark.parametrize(
    ("command", "code", "state", "queued_again"),
    [
        ("exit 0", 0, "done", False),
        ("exit 3", 0, "done", False),
        ("exit 4", 0, "done", False),
        ("exit 2", 2, "failed", False),
        ("exit 1", 1, "again", True),
        ("kill -9 $$", 137, "again", True),
        ("exec /no/such/program", 127, "again", True),
    ],
)
def test_the_code_of_a_task_is_kept_and_decides(
    tmp_path: Path, command: str, code: int, state: str, queued_again: bool
) -> None:
    assert run_attempt(tmp_path, command).wait(20) == code
    result = {"exit 3": 3, "exit 4": 4}.get(command, code)
    assert states(tmp_path) == [(state, result)]
    assert requeued(tmp_path) == (["requeue 7_0"] if queued_again else [])


def test_attempts_are_counted_and_end(tmp_path: Path) -> None:
    for _ in range(3):
        assert run_attempt(tmp_path, "exit 1").wait(20) == 1
    assert states(tmp_path) == [("again", 1), ("again", 1), ("failed", 1)]
    assert requeued(tmp_path) == ["requeue 7_0"] * 2


def begun(tmp_path: Path, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 20
    while not (tmp_path / "begun").exists():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)


def saving(tmp_path: Path) -> str:
    """A command that saves its state on SIGTERM, and takes a while to."""
    saved, begins = (shlex.quote(str(tmp_path / name)) for name in ("saved", "begun"))
    return f"trap 'sleep 0.3; echo saved > {saved}; exit 143' TERM; touch {begins}; while true; do sleep 0.05; done"


def test_before_the_wall_time_the_state_is_saved_and_the_task_goes_on_later(tmp_path: Path) -> None:
    for number in range(3):
        process = run_attempt(tmp_path, saving(tmp_path))
        begun(tmp_path, process)
        process.send_signal(signal.SIGUSR1)
        assert process.wait(20) == 143
        assert (tmp_path / "saved").read_text() == "saved\n"
        (tmp_path / "begun").unlink()
        (tmp_path / "saved").unlink()
        assert len(requeued(tmp_path)) == min(number + 1, 2)
    assert states(tmp_path) == [("limit", 143), ("limit", 143), ("failed", 143)]


def test_a_cancelled_task_is_not_queued_again(tmp_path: Path) -> None:
    process = run_attempt(tmp_path, saving(tmp_path))
    begun(tmp_path, process)
    process.send_signal(signal.SIGTERM)
    # Slurm tells the command itself.
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True).stdout
    os.kill(int(children.split()[0]), signal.SIGTERM)
    assert process.wait(20) == 143
    assert states(tmp_path) == [("cancelled", 143)]
    assert requeued(tmp_path) == []
