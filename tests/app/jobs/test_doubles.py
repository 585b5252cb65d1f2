"""Work that is queued elsewhere already is not submitted a second time, whatever its command lines are."""

import os
from pathlib import Path

import pytest

from ossicle.app.jobs.doubles import refuse_doubles
from ossicle.app.jobs.folder import new_folder
from ossicle.app.jobs.job import Job, JobPlan, Task
from ossicle.app.jobs.slurm.scripts import write_scripts
from ossicle.app.project.load import load_project
from ossicle.app.project.tables.placement import StepPlacement
from ossicle.core.errors import UsageError


@pytest.mark.parametrize(
    ("there", "wanted", "same"),
    [
        ("run corpus store --on=local", "run store training --on=local", True),
        ("jobs gather training", "run training --on=local", True),
        ("jobs task training fold0 --progress=plain", "jobs task training fold0 --no-gather", True),
        ("jobs task training fold0", "run training scores --on=local", True),
        ("jobs task training fold0", "jobs task training fold1", False),
        ("jobs task training fold0", "jobs gather training", False),
        ("run corpus", "run store", False),
        ("run store --variant=a", "run store", False),
        ("benchmark --task score:0", "benchmark --task score:0", True),
        ("benchmark --task score:0", "benchmark --task score:1", False),
    ],
)
def test_work_in_the_queue_is_known_by_what_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str, wanted: str, same: bool
) -> None:
    """What is queued as one of several steps is a task of its own when the steps before it are done."""
    place = tmp_path / "it is"
    place.mkdir()
    (place / "ossicle.toml").write_text('[corpus]\naudio = "audio"\n')
    monkeypatch.delenv("OSSICLE_DATA_ROOT", raising=False)
    project = load_project(place)

    def job(line: str) -> Job:
        return Job(
            "x", (Task("x", ("ossicle", *line.split(), "--project=ossicle.toml")),), (), StepPlacement(on="slurm")
        )

    folder = new_folder(project.data_root, project.folder)
    write_scripts(folder, JobPlan((job(there),)))
    folder.add_number(job(there), "11")
    (tmp_path / "squeue").write_text("#!/bin/sh\necho '11_0|PENDING|Priority|'\n")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    if same:
        with pytest.raises(UsageError, match=r"already in Slurm's queue .* -p '.*it is/ossicle.toml'"):
            refuse_doubles(project, [job(wanted)])
    else:
        refuse_doubles(project, [job(wanted)])
