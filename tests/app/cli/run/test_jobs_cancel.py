"""``ossicle jobs cancel``: what was submitted and has not ended, and nothing else."""

import os
from pathlib import Path

import pytest

from ossicle.app.jobs.folder import PlanFolder
from ossicle.app.jobs.job import Job, JobPlan, Task
from ossicle.app.jobs.scripts import write_scripts
from ossicle.app.project.placement import StepPlacement

from ....slurm_double import write_slurm
from ....untrained import PROJECT
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
    said = ossicle("jobs", "cancel", "-p", project)
    assert (said.code, said.out) == (0, "cancelled: open\n")
    assert [one.name for one in (tmp_path / "bin" / "state").glob("cancel-*")] == ["cancel-2"]
