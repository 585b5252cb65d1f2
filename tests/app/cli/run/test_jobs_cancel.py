"""``ossicle jobs cancel``: what was submitted and has not ended, and nothing else."""

import json
import os
from pathlib import Path

import pytest

from ossicle.app.jobs.folder import PlanFolder
from ossicle.app.jobs.job import Job, JobPlan, Task
from ossicle.app.jobs.slurm.scripts import write_scripts
from ossicle.app.project.tables.placement import StepPlacement

from ....doubles.slurm_double import write_slurm
from ....made_up.untrained import PROJECT
from ...conftest import Commands


def test_what_was_submitted_and_is_open_is_cancelled(
    ossicle: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_slurm(tmp_path / "bin")
    (tmp_path / "bin" / "squeue").write_text("#!/bin/sh\necho '2_0|RUNNING|None|n1'\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "bin" / "state").mkdir()
    project = tmp_path / "project"
    project.mkdir()
    (project / "ossicle.toml").write_text(PROJECT)
    slurm = StepPlacement(on="slurm", gpus=0)
    jobs = tuple(Job(name, (Task("t", ("ossicle",)),), (), slurm) for name in ("ended", "open", "unsubmitted"))
    folder = PlanFolder(project / "data" / "jobs" / "0001", project)
    write_scripts(folder, JobPlan(jobs))
    assert ossicle("jobs", "cancel", "-p", project).out == "nothing to cancel: no submitted job is left\n"
    folder.add_number(jobs[0], "1")
    folder.add_number(jobs[1], "2")
    folder.state(jobs[0], 0).write_text('{"state": "done", "id": "1_0", "code": 0}\n')
    result = ossicle("jobs", "cancel", "-p", project)
    assert (result.code, result.out) == (0, "cancelled: open\n")
    assert [path.name for path in (tmp_path / "bin" / "state").glob("cancel-*")] == ["cancel-2"]


SQUEUE = """#!/bin/sh
echo "$*" >>"${0%/*}/asked"
case "$*" in *=1,*|*=1\\ *) echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1 ;;
*=2\\ *) echo '2_0|RUNNING|None|n1' ;; esac
"""
SCANCEL = """#!/bin/sh
echo "$*" >>"${0%/*}/cancelled"
case " $* " in *' 1 '*) echo 'scancel: error: Kill job error on job id 1: Invalid job id specified' >&2; exit 1 ;; esac
"""
DAMAGED = (
    b'{"job": "root", "id": "--user=root"}',
    b'{"job": "all", "id": "2 --me"}',
    b'{"job": "digits", "id": "\\u0663"}',
    b'{"job": "none"}',
    b'{"id": "9"}',
    b"[" * 100_000,
    b'{"job": "cut", "i',
    b"\xff",
    b"7",
)


def test_a_forgotten_or_damaged_number_hides_no_running_job(
    ossicle: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bin_ = tmp_path / "bin"
    write_slurm(bin_)
    (bin_ / "squeue").write_text(SQUEUE)
    (bin_ / "scancel").write_text(SCANCEL)
    monkeypatch.setenv("PATH", f"{bin_}{os.pathsep}{os.environ['PATH']}")
    project = tmp_path / "project"
    project.mkdir()
    (project / "ossicle.toml").write_text(PROJECT)
    slurm = StepPlacement(on="slurm", gpus=0)
    jobs = tuple(Job(name, (Task("t", ("ossicle",)),), (), slurm) for name in ("forgotten", "open", "root", "cut"))
    folder = PlanFolder(project / "data" / "jobs" / "0001", project)
    write_scripts(folder, JobPlan(jobs))
    folder.add_number(jobs[0], "1")
    folder.add_number(jobs[1], "2")
    # A copy beside the folder is none of its own.
    (folder.path.parent / "0001.bak").mkdir()
    (folder.path.parent / "0001.bak" / "plan.json").write_bytes(folder.plan_file.read_bytes())
    rows = json.loads(ossicle("jobs", "status", "-p", project, "--json").out)
    assert [row["state"] for row in rows] == ["lost", "running", "waiting", "waiting"]
    result = ossicle("jobs", "cancel", "-p", project)
    # A forgotten job may run in spite of it.
    assert (result.code, result.out) == (0, "cancelled: forgotten, open\n")
    assert (bin_ / "cancelled").read_text().splitlines() == ["1 2", "1", "2"]
    with folder.submitted.open("ab") as file:
        file.write(b"\n".join(DAMAGED) + b"\n")
    result = ossicle("jobs", "cancel", "-p", project)
    assert (result.code, result.out) == (1, "cancelled: forgotten, open\n")
    for line in range(3, 3 + len(DAMAGED)):
        assert f"submitted.jsonl, line {line}: not a job with its number" in result.err
    for file in ("asked", "cancelled"):
        assert not any(word in (bin_ / file).read_text() for word in ("root", "--me", "\u0663"))
