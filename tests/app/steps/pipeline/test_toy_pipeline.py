"""A pipeline without any detector code is run, resumed, purged, pulled, written as sbatch, and conducted."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.jobs.build import local_cap
from ossicle.app.jobs.conduct import conduct, failures
from ossicle.app.jobs.placed import RunOptions, jobs_of, lay_out
from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent, Step, WorkUnits, find_steps
from ossicle.app.steps.pipeline.pipelines import PIPELINES, pipeline_of
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.artefacts.files import tree_digest
from ossicle.artefacts.shelf import Shelf
from ossicle.core.errors import ProjectError
from ossicle.core.settings import digestible

from . import toy

SCRIPT = Path(toy.__file__)
QUIET = ("--progress", "none")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("OSSICLE_DATA_ROOT", raising=False)
    monkeypatch.setitem(PIPELINES, "toy", toy.PIPELINE)
    return toy.write_toy(tmp_path / "toy", a="one two", b="three", c="four five six")


def contents(place: Path) -> dict[str, str]:
    loaded = load_project(place)
    steps = find_steps(pipeline_of(loaded).steps_of(loaded), loaded)
    return {name: Shelf(loaded.data_root).content(path) for name, path in steps.items() if path is not None}


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )


def counted(place: Path) -> list[str]:
    return sorted((place / "counted").read_text().split())


def test_it_runs_publishes_and_is_reused(project: Path, ossicle: Any) -> None:
    result = ossicle("run", "-p", project, *QUIET)
    assert result.code == 0, result.err
    assert (project / toy.PAGE).read_text() == "a: 2\nb: 1\nc: 3\n"
    assert result.out.rstrip().endswith(str(project / toy.PAGE))
    again = json.loads(ossicle("run", "-p", project, *QUIET, "--json").out)
    assert again["outcomes"] == dict.fromkeys(("texts", "counts", "page"), "reused")
    assert again["lost"] == []
    status = json.loads(ossicle("status", "-p", project, "--json").out)
    assert list(status) == ["texts", "counts", "page"]
    assert all(status.values())
    part = json.loads(ossicle("run", "texts", "-p", project, *QUIET, "--json").out)
    assert list(part["outcomes"]) == ["texts"]
    unknown = ossicle("run", "--until", "training", "-p", project, *QUIET)
    assert (unknown.code, unknown.err) == (2, "ossicle: no step is called 'training'; steps: texts, counts, page\n")


def test_check_and_leaderboard_ask_it(project: Path, ossicle: Any) -> None:
    assert [entry["message"] for entry in json.loads(ossicle("check", "-p", project, "--json").out)] == ["none yet"]
    ossicle("run", "-p", project, *QUIET)
    content = json.loads(ossicle("check", "-p", project, "--json").out)
    assert [one["message"] for one in content] == ["up to date with these settings and recordings"]
    content = json.loads(ossicle("check", "-p", project, "--set", "split.seed=5", "--json").out)
    assert content[0]["message"].startswith("out of date: ")
    board = ossicle("leaderboard", "-p", project)
    assert (board.code, board.err) == (2, "ossicle: the pipeline 'toy' has no figures to compare\n")
    train = ossicle("train", "-p", project, *QUIET)
    assert train.code == 2
    assert "the pipeline 'toy' trains nothing" in train.err
    assert ossicle("train", "-p", project, "--until", "page", *QUIET).code == 0


def test_its_step_may_refuse(project: Path, ossicle: Any) -> None:
    (project / "texts" / "b.txt").write_text("a bad one")
    result = ossicle("run", "-p", project, *QUIET)
    assert result.code == 4
    assert result.err.endswith("ossicle: bad words in b\n")
    assert toy.PAGE not in result.out
    assert not (project / toy.PAGE).exists()
    assert ossicle("run", "-p", project, "--until", "counts", *QUIET).code == 0


def test_it_resumes_after_a_kill(project: Path, tmp_path: Path) -> None:
    whole = Path(shutil.copytree(project, tmp_path / "whole"))
    (project / "kill-c").touch()
    assert command("run", "-p", project, *QUIET).returncode == -signal.SIGKILL
    assert counted(project) == ["a", "b"]
    done = command("run", "-p", project, *QUIET)
    assert done.returncode == 0, done.stderr
    assert counted(project) == ["a", "b", "c"]
    run_project(load_project(whole), Silent())
    assert contents(project) == contents(whole)


def test_a_task_stops_before_its_limit_and_the_same_command_continues(project: Path, ossicle: Any) -> None:
    (project / "wait-b").touch()
    assert ossicle("run", "--until", "texts", "-p", project, *QUIET).code == 0
    task = ("jobs", "task", "counts", "b", "--no-gather", "-p", project, *QUIET, "--stop-after")
    stopped = command(*task, 1)
    assert stopped.returncode == 143
    assert stopped.stderr.splitlines() == [
        "ossicle: stopping after 1 s, as --stop-after says",
        "ossicle: terminated; run the same command again to continue",
    ]
    (project / "wait-b").unlink()
    assert command(*task, 100).stdout == "counts b: computed\n"
    elsewhere = ossicle("run", "-p", project, "--on", "slurm", "--stop-after", "5", *QUIET)
    assert (elsewhere.code, elsewhere.err) == (
        2,
        "ossicle: --stop-after works on this machine only: add --on local\n",
    )


def test_a_lock_that_a_kill_left_in_an_artefact_goes(project: Path, ossicle: Any) -> None:
    ossicle("run", "-p", project, *QUIET)
    (artefact,) = (project / "data" / "counts").iterdir()
    (artefact / ".ossicle-lock-step").touch()
    again = json.loads(ossicle("run", "-p", project, *QUIET, "--json").out)
    assert again["outcomes"]["counts"] == "reused"
    assert not (artefact / ".ossicle-lock-step").exists()


def test_what_nothing_uses_is_purged(project: Path, ossicle: Any) -> None:
    for seed in (0, 1):
        assert ossicle("run", "-p", project, "--set", f"split.seed={seed}", *QUIET).code == 0
    assert ossicle("purge", "-p", project, "--yes").code == 0
    left = {path.parent.parent.name for path in (project / "data").glob("*/*/artefact.json")}
    assert left == {"texts", "counts", "page"}
    assert len(list((project / "data" / "counts").glob("*/artefact.json"))) == 1
    assert set(json.loads(ossicle("run", "-p", project, *QUIET, "--json").out)["outcomes"].values()) == {"reused"}


@pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed")
def test_results_and_artefacts_are_pulled(project: Path, ossicle: Any, tmp_path: Path) -> None:
    ossicle("run", "-p", project, *QUIET)
    here = toy.write_toy(tmp_path / "here")
    result = ossicle("jobs", "pull", project, "-p", here, "--with", "counts")
    assert result.code == 0, result.err
    assert (here / toy.PAGE).read_text() == (project / toy.PAGE).read_text()
    assert tree_digest(here / "data" / "counts") == tree_digest(project / "data" / "counts")
    wrong = ossicle("jobs", "pull", project, "-p", here, "--with", "checkpoints")
    assert (wrong.code, wrong.err) == (2, "ossicle: --with checkpoints is not one of: counts, logs\n")


def test_it_is_written_as_sbatch(project: Path, ossicle: Any, tmp_path: Path) -> None:
    with (project / "ossicle.toml").open("a") as file:
        file.write('[jobs.counts]\ncpus = 3\n[jobs.page]\non = "local"\n')
    out = tmp_path / "scripts"
    result = ossicle("jobs", "write", "-p", project, "--on", "slurm", "-o", out)
    assert result.code == 0, result.err
    plan = json.loads((out / "plan.json").read_text())
    assert [(job["name"], job["placement"]["on"]) for job in plan["jobs"]] == [
        ("counts", "slurm"),
        ("counts.gather", "slurm"),
        ("page", "local"),
    ]
    script = (out / "counts.sbatch").read_text()
    assert "#SBATCH --array=0-2%7\n" in script
    assert "#SBATCH --cpus-per-task=3\n" in script
    assert re.search(r"^    1\) command=\(ossicle jobs task counts b --no-gather ", script, re.MULTILINE)
    assert not (out / "page.sbatch").exists()
    assert contents(project).keys() == {"texts"}


def test_it_is_conducted_on_this_machine(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Path(shutil.copytree(project, tmp_path / "whole"))
    run_project(load_project(whole), Silent())
    (project / "kill-b").touch()
    loaded = load_project(project)
    jobs = jobs_of([loaded], RunOptions(on="local"), Silent())
    assert [(job.name, [task.name for task in job.tasks]) for job in jobs] == [
        ("counts", ["a", "b", "c"]),
        ("counts.gather", ["counts.gather"]),
        ("page", ["page"]),
    ]
    folder, plan = lay_out(loaded, jobs)
    # Tasks are other processes: this script is the command line with the toy in its table of pipelines.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    states = conduct(
        folder,
        plan,
        lambda job: local_cap(loaded, job),
        lambda states: None,
        1.0,
        program=(sys.executable, str(SCRIPT)),
    )
    assert failures(folder, states) is None
    assert {state.task.name: state.attempt for state in states} == {
        "a": 1,
        "b": 2,
        "c": 1,
        "counts.gather": 1,
        "page": 1,
    }
    assert counted(project) == ["a", "b", "c"]
    assert contents(project) == contents(whole)
    assert (project / toy.PAGE).read_bytes() == (whole / toy.PAGE).read_bytes()


def test_names_are_refused_with_the_nearest(project: Path) -> None:
    file = project / "ossicle.toml"
    with pytest.raises(
        ProjectError, match=r"--set project.pipeline=tyo: \[project\] pipeline = 'tyo': .* mean 'toy'\?"
    ):
        pipeline_of(load_project(project, ("project.pipeline=tyo",)))
    file.write_text(toy.PROJECT + "[jobs.cuonts]\ncpus = 1\n")
    with pytest.raises(ProjectError, match=r"ossicle.toml: \[jobs\] cuonts: unknown key; did you mean 'counts'\?"):
        pipeline_of(load_project(project))
    # A step that is done where the command is given is placed nowhere, and those of other pipelines are not there.
    for name in ("texts", "training"):
        file.write_text(toy.PROJECT + f"[jobs.{name}]\ncpus = 1\n")
        with pytest.raises(ProjectError, match=rf"\[jobs\] {name}: unknown key"):
            pipeline_of(load_project(project))
    file.write_text(toy.PROJECT + "[jobs.counts]\ncups = 1\n")
    with pytest.raises(ProjectError, match=r"\[jobs.counts\] cups: unknown key; did you mean 'cpus'\?"):
        load_project(project)


def test_a_project_inherits_its_pipeline_and_no_fingerprint_holds_it(project: Path, tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text('base = "toy/ossicle.toml"\n')
    other = load_project(tmp_path / "other.toml")
    assert pipeline_of(other) is toy.PIPELINE
    assert "pipeline" not in digestible(other.settings.project)


def test_work_units_are_named_by_inputs_of_the_step() -> None:
    of = WorkUnits(("texts",), lambda inputs: (), lambda context, name: None, lambda out, name: True)
    with pytest.raises(ValueError, match="named by 'texts', which it does not need"):
        Step("counts", 1, (), lambda project: {}, lambda context: None, work_units=of)
    with pytest.raises(KeyError):
        replace(of, names=lambda inputs: tuple(inputs)).names_from({})
