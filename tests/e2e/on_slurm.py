"""What the tests on a real Slurm share: whether there is one, commands, and plans of tasks that a script stands for."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from ossicle.app.jobs.folder import PlanFolder
from ossicle.app.jobs.job import Job, JobPlan, Task
from ossicle.app.jobs.slurm.scripts import write_scripts
from ossicle.app.project.tables.placement import StepPlacement

OSSICLE = Path(sys.executable).parent / "ossicle"
TINY = """
[training]
epochs = 2
steps_per_epoch = 2
batch_size = 4
validation_crops = 2
device = "cpu"
[noise_gate]
off = ["silence", "white_noise", "hum", "speech_like", "recordings"]
may_find_nothing = true
[jobs]
poll_s = 0.5
[jobs.training]
partition = "gpu"
"""


def require_slurm() -> None:
    """Skip the tests if no Slurm answers."""
    if shutil.which("sbatch") is None:
        pytest.skip("no sbatch here: scripts/slurm_here.sh start installs and starts a Slurm on Debian, as root")
    # Without a configuration it looks for one in the net, for a minute.
    if subprocess.run(["timeout", "10", "sinfo"], capture_output=True, check=False).returncode:
        pytest.skip("Slurm does not answer: scripts/slurm_here.sh start, and SLURM_CONF as it says")


def ossicle(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if key != "OSSICLE_DATA_ROOT"}
    done = subprocess.run(
        [OSSICLE, *map(str, arguments)], capture_output=True, text=True, env=env, timeout=170, check=False
    )
    assert done.returncode == code, done.stderr + done.stdout
    return done


def until(condition: Callable[[], bool], what: str, timeout_s: float = 100) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"it never came to it: {what}"
        time.sleep(0.2)


WORKER = """#!/bin/bash
echo "attempt of $1"
case "$2" in
    once) [ -e tried ] || { touch tried; exit 7; } ;;
    never) exit 5 ;;
    partial) exit 3 ;;
    refused) exit 4 ;;
    wrong) exit 2 ;;
    open) touch go ;;
    wait) for _ in $(seq 600); do [ -e go ] && exit 0; sleep 0.1; done; exit 2 ;;
    long) [ -e saved ] && exit 0
        trap 'touch saved; exit 143' TERM
        touch begun
        for _ in $(seq 600); do sleep 0.1; done ;;
esac
"""


def made_up(
    tmp_path: Path,
    jobs: dict[str, tuple[tuple[str, ...], dict[str, str]]],
    task_by_task: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    time: str = "",
) -> tuple[PlanFolder, JobPlan]:
    """A plan whose tasks run :data:`WORKER` in place of ``ossicle``."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "ossicle").write_text(WORKER)
    (tools / "ossicle").chmod(0o755)
    setup = (f'PATH={shlex.quote(str(tools))}:"$PATH"',)
    placement = StepPlacement(on="slurm", gpus=0, partition="cpu", setup=setup, time=time)
    made = []
    for name, (needs, tasks) in jobs.items():
        lines = tuple(Task(one, ("ossicle", one, word)) for one, word in tasks.items())
        made.append(Job(name, lines, needs, placement, task_by_task=task_by_task.get(name, ())))
    project = tmp_path / "a project"
    project.mkdir()
    folder, plan = PlanFolder(project / "jobs", project), JobPlan(tuple(made), attempts=2)
    write_scripts(folder, plan)
    return folder, plan
