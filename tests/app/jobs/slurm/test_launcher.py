"""The launcher of a plan: it submits what the command submits, and names jobs of other places."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from ossicle.app.jobs.conduct import conduct
from ossicle.app.jobs.folder import PlanFolder
from ossicle.app.jobs.job import Job, JobPlan
from ossicle.app.jobs.slurm.scripts import write_scripts
from ossicle.app.jobs.state import FINE

from ..plan_parts import SLURM, fake, task


def test_the_launcher_submits_what_the_command_submits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "a project"
    project.mkdir()
    log = tmp_path / "calls"
    count = f"n=$(($(wc -l < {log} 2>/dev/null || echo 0) + 11))"
    tools = fake(tmp_path / "tools", "sbatch", f'{count}; printf "%s\\t" "$@" >> {log}; echo >> {log}; echo $n')
    fake(tools, "squeue", "exit 0")
    fake(tools, "ossicle", f"echo here >> {log}")
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    local = replace(SLURM, on="local")
    plan = JobPlan(
        (
            Job("training", (task("fold0", "x"),), (), SLURM),
            Job("scores", (task("fold0", "x"),), ("training",), SLURM),
            Job("decide", (task("fold0", "x"),), ("scores", "training"), SLURM, task_by_task=("scores",)),
            Job("report", (task("report", "x"),), ("decide",), local),
        )
    )
    plan_folder, other = (PlanFolder(project / "data" / name, project) for name in ("one", "other"))
    write_scripts(plan_folder, plan)
    write_scripts(other, plan)
    conduct(plan_folder, plan, lambda job: 1, lambda states: None, 1.0, wait=False)
    by_command = sorted_words(log)
    log.unlink()
    done = subprocess.run([str(other.launcher)], capture_output=True, text=True, check=True)
    assert sorted_words(log, "other", "one") == by_command
    assert len(by_command) == 3
    assert "--dependency=afterok:11" in by_command[1]
    assert "--dependency=afterok:11,aftercorr:12" in by_command[2]
    assert plan_folder.numbers() == other.numbers() == {"training": "11", "scores": "12", "decide": "13"}
    assert done.stdout.splitlines()[-1].strip() == other.by_hand(plan.job("report").tasks[0])


def test_jobs_on_other_places_have_no_scripts_and_are_named(tmp_path: Path) -> None:
    local, other = replace(SLURM, on="local"), replace(SLURM)
    object.__setattr__(other, "on", "another place")
    folder = PlanFolder(tmp_path / "plan", tmp_path)
    plan = JobPlan(
        (
            Job("first", (task("x", "first"),), (), local),
            Job("second", (task("x", "second"),), ("first",), other),
            Job("third", (task("x", "third"),), ("second",), local),
        )
    )
    write_scripts(folder, plan)
    assert {file.name for file in folder.path.iterdir()} == {"plan.json", "launch.sh", "state", "logs"}
    tools = fake(tmp_path / "tools", "ossicle", 'echo "here: $@"')
    env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    done = subprocess.run([str(folder.launcher)], capture_output=True, text=True, check=True, env=env, timeout=60)
    by_hand = [folder.by_hand(plan.job(name).tasks[0]) for name in ("second", "third")]
    assert [line.strip() for line in done.stdout.splitlines()] == [
        "here: first",
        "When those have ended, run:",
        *by_hand,
    ]


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 40])
def test_the_launcher_goes_on_after_tasks_that_are_done(tmp_path: Path, code: int) -> None:
    local = replace(SLURM, on="local")
    plan = JobPlan((Job("a", (task("x", "a"),), (), local), Job("b", (task("x", "b"),), ("a",), local)))
    folder = PlanFolder(tmp_path / "plan", tmp_path)
    write_scripts(folder, plan)
    tools = fake(tmp_path / "tools", "ossicle", f'echo "$1"; [ "$1" = b ] || exit {code}')
    env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    done = subprocess.run([str(folder.launcher)], capture_output=True, text=True, check=False, env=env, timeout=60)
    assert done.stdout.splitlines() == (["a", "b"] if code in FINE else ["a"])


def sorted_words(log: Path, old: str = "", new: str = "") -> list[list[str]]:
    lines = log.read_text().replace(f"/{old}/", f"/{new}/").splitlines()
    return [sorted(line.strip("\t").split("\t")) for line in lines]
