"""What Slurm prints that is no answer, and plans with values that are none: an error that names it, never a guess."""

import json
import os
from pathlib import Path

import pytest

from ossicle.app.jobs.folder import PlanFolder
from ossicle.app.jobs.job import Job, JobPlan, Task, read_plan
from ossicle.app.jobs.slurm import runner as slurm
from ossicle.app.jobs.slurm.runner import SlurmRunner, partitions
from ossicle.app.jobs.slurm.scripts import write_scripts
from ossicle.app.project.tables.placement import StepPlacement
from ossicle.core.errors import ArtefactError, OssicleError

PLAN = JobPlan((Job("a", (Task("t", ("ossicle",)),), (), StepPlacement(on="slurm", gpus=0)),))


@pytest.fixture
def bin_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def fake(bin_: Path, name: str, body: str) -> None:
    (bin_ / name).write_text(f"#!/bin/sh\n{body}\n")
    (bin_ / name).chmod(0o755)


def submitted(tmp_path: Path) -> SlurmRunner:
    folder = PlanFolder(tmp_path / "plan", tmp_path)
    folder.make(PLAN)
    folder.add_number(PLAN.jobs[0], "7")
    return SlurmRunner(folder)


@pytest.mark.parametrize("line", ["Welcome to the cluster", "7_0", "a|b|c|d", "7_0|RUNNING", "\\377\\376", "|||"])
def test_what_squeue_prints_besides_its_queue(tmp_path: Path, bin_: Path, line: str) -> None:
    fake(bin_, "squeue", f"printf '{line}\\n'")
    with pytest.raises(OssicleError, match=r"squeue printed .* not a line of its queue"):
        submitted(tmp_path).look()


def test_commands_that_hang(tmp_path: Path, bin_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm, "_SILENCE_S", 0.2)
    for name in ("squeue", "sbatch", "sinfo"):
        fake(bin_, name, "exec sleep 60")
    with pytest.raises(OssicleError, match="squeue did not answer within"):
        submitted(tmp_path).look()
    write_scripts(PlanFolder(tmp_path / "plan", tmp_path), PLAN)
    with pytest.raises(OssicleError, match=r"sbatch did not answer within .*; the job may be in the queue"):
        submitted(tmp_path).submit(PLAN.jobs[0], [])
    assert partitions() is None


@pytest.mark.parametrize("said", ["", "Submitted batch job 7", "--user=root", "7_0", "\\377"])
def test_an_sbatch_that_prints_no_number(tmp_path: Path, bin_: Path, said: str) -> None:
    fake(bin_, "sbatch", f"printf -- '{said}\\n'")
    folder = PlanFolder(tmp_path / "plan", tmp_path)
    write_scripts(folder, PLAN)
    with pytest.raises(OssicleError, match="instead of the number of job a, which may run"):
        SlurmRunner(folder).submit(PLAN.jobs[0], [])
    assert folder.numbers() == {}


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("on", "", r"placement.on = '' is not one of: local, slurm, modal"),
        ("on", "moon", r"placement.on = 'moon' is not one of"),
        ("sbatch", [5], r"placement.sbatch = \[5\] is not a list of texts"),
        ("setup", "true", r"placement.setup = 'true' is not a list of texts"),
        ("gpus", "2", r"placement.gpus = '2' is not a whole number"),
        ("cpus", True, r"placement.cpus = True is not a whole number"),
        ("partition", None, r"placement.partition = None is not text"),
    ],
)
def test_values_in_a_plan_that_place_nothing(tmp_path: Path, key: str, value: object, why: str) -> None:
    folder = PlanFolder(tmp_path / "plan", tmp_path)
    write_scripts(folder, PLAN)
    assert read_plan(folder.plan_file) == PLAN
    plan = json.loads(folder.plan_file.read_text())
    plan["jobs"][0]["placement"][key] = value
    folder.plan_file.write_text(json.dumps(plan))
    with pytest.raises(ArtefactError, match=rf"plan\.json is not a plan of jobs \({why}"):
        read_plan(folder.plan_file)


def test_a_plan_with_entries_of_another_kind(tmp_path: Path) -> None:
    folder = PlanFolder(tmp_path / "plan", tmp_path)
    write_scripts(folder, PLAN)
    plan = json.loads(folder.plan_file.read_text())
    for jobs in ([5], [{**plan["jobs"][0], "placement": 5}], [{**plan["jobs"][0], "name": 5}]):
        folder.plan_file.write_text(json.dumps({**plan, "jobs": jobs}))
        with pytest.raises(ArtefactError, match="is not a plan of jobs"):
            read_plan(folder.plan_file)
