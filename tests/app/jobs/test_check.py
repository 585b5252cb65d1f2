"""What ``check`` says of Slurm and of what is built, and what ``jobs pull`` brings."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ossicle.app.jobs.pull import pull_project
from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.artefacts.files import tree_digest
from ossicle.core.errors import OssicleError, UsageError

from ...made_up.untrained import PROJECT, use_untrained, write_tapes

CALM = '[noise_gate]\noff = ["silence", "white_noise", "hum", "speech_like", "recordings"]\n'
ON = ("--set", "jobs.on=slurm", "--set", "jobs.partition=short,long", "--set", "jobs.account=lab")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("there") / "a project"
    write_tapes(place, ("siteA_1", "siteB_1"))
    (place / "ossicle.toml").write_text(PROJECT + CALM + "[variants.other.training]\nepochs = 3\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OSSICLE_DATA_ROOT", raising=False)
        use_untrained(patch)
        run_project(load_project(place), Silent())
    return place


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Slurm's commands, saying what a test has them say."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def make(**texts: str) -> None:
        for name in ("sbatch", "sinfo", "sacctmgr", "squeue"):
            (folder / name).write_text(f"#!/bin/sh\n{texts.get(name, 'exit 1')}\n")
            (folder / name).chmod(0o755)

    return make


def lines(said: str) -> dict[str, list[tuple[bool, str]]]:
    out: dict[str, list[tuple[bool, str]]] = {}
    for entry in json.loads(said):
        out.setdefault(entry["what"], []).append((entry["ok"], entry["message"]))
    return out


def test_partitions_and_accounts_must_be_there(finished, ossicle, tools, monkeypatch) -> None:
    use_untrained(monkeypatch)
    tools(sinfo="printf 'short\\nlong\\n'", sacctmgr="printf 'lab\\nother\\n'")
    result = ossicle("check", "-p", finished, *ON, "--json")
    assert result.code == 0, result.out
    found = lines(result.out)["slurm"]
    assert [ok for ok, _ in found] == [True] * 3
    assert found[1][1].startswith("partition short,long of store, training, ")
    assert found[2][1].endswith(": yours")

    tools(sinfo="printf 'short\\n'", sacctmgr="printf 'other\\n'")
    result = ossicle("check", "-p", finished, *ON, "--json")
    assert result.code == 2
    assert [(ok, text.rpartition(": ")[2]) for ok, text in lines(result.out)["slurm"][1:]] == [
        (False, "there is no long; correct [jobs] partition"),
        (False, "other"),
    ]

    tools()
    found = lines(ossicle("check", "-p", finished, *ON, "--json").out)["slurm"]
    assert found == [(False, "sinfo does not answer; check that the controller runs and that SLURM_CONF is right")]
    assert "slurm" not in lines(ossicle("check", "-p", finished, "--json").out)


def test_without_slurm_that_is_said(finished, ossicle, monkeypatch, tmp_path) -> None:
    use_untrained(monkeypatch)
    monkeypatch.setenv("PATH", str(tmp_path))
    result = ossicle("check", "-p", finished, *ON, "--json")
    assert result.code == 2
    assert lines(result.out)["slurm"][0][1].startswith("sbatch is not installed here")
    run = ossicle("run", "-p", finished, *ON, "--set", "training.epochs=3")
    assert run.code == 2
    assert run.err.splitlines()[-1].startswith("ossicle: sbatch is not installed here: run this on")


def test_what_is_in_the_queue_is_not_submitted_again(finished, ossicle, tools, monkeypatch, tmp_path) -> None:
    use_untrained(monkeypatch)
    project = Path(shutil.copytree(finished, tmp_path / "queued"))
    more = ("--set", "training.epochs=3", "--until", "training")
    counted = 'n=$(($(cat "$0.n" 2>/dev/null || echo 10) + 1)); echo $n | tee "$0.n"'
    tools(sbatch=counted, squeue="echo '11_0|PENDING|Priority|'")
    first = ossicle("jobs", "submit", "-p", project, *ON, *more)
    assert (first.code, first.out.splitlines()[0]) == (0, "training: 11")
    second = ossicle("jobs", "submit", "-p", project, *ON, *more)
    assert second.code == 2
    assert "these tasks are already in Slurm's queue" in second.err
    assert second.err.endswith("scancel 11\n")
    assert [path.name for path in (project / "data" / "jobs").iterdir()] == ["0001"]
    other = ossicle("jobs", "submit", "-p", project, *ON, "--set", "training.epochs=4", "--until", "training")
    assert other.code == 0
    tools(sbatch="echo 12", squeue="echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1")
    assert ossicle("jobs", "submit", "-p", project, *ON, *more).code == 0


def test_what_is_built_and_what_is_stale_is_said(finished, ossicle, monkeypatch, tmp_path) -> None:
    use_untrained(monkeypatch)
    result = lines(ossicle("check", "-p", finished, "--json").out)
    assert result["index"] == result["dataset"] == [(True, "built and current")]
    assert result["results"] == [(True, "up to date with these settings and recordings")]
    assert result["variants"] == [(True, "valid: other; active: none")]
    result = lines(ossicle("check", "-p", finished, "--set", "decision.on=[0.5]", "--json").out)
    assert result["results"][0][1].startswith("out of date: ")
    copy = Path(shutil.copytree(finished, tmp_path / "copy"))
    write_tapes(copy / "more", ("siteD_1",))
    shutil.move(copy / "more/audio/siteD_1.wav", copy / "audio")
    result = lines(ossicle("check", "-p", copy, "--json").out)
    assert result["index"][0][1].startswith("missing; ossicle run -p ")
    assert result["results"][0][1].startswith("out of date: ")
    shutil.rmtree(copy / "data")
    (copy / "metrics.json").unlink()
    result = lines(ossicle("check", "-p", copy, "--variant", "other", "--json").out)
    assert result["results"] == [(True, "none yet")]


needs_rsync = pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed")


def here(tmp_path: Path) -> Path:
    place = tmp_path / "here"
    place.mkdir()
    (place / "ossicle.toml").write_text(PROJECT + CALM)
    return place


@needs_rsync
def test_results_are_pulled_whole_and_more_when_asked(finished, ossicle, tmp_path) -> None:
    place = here(tmp_path)
    sizes = json_free(ossicle("jobs", "pull", finished, "-p", place, "--with", "scores,checkpoints", "--dry-run").out)
    assert not (place / "metrics.json").exists()
    assert list(sizes)[:3] == ["metrics.json", "bundle", "report.html"]
    assert any(name.startswith("data/scores/") for name in sizes)
    assert ossicle("jobs", "pull", finished, "-p", place).code == 0
    assert (place / "metrics.json").read_bytes() == (finished / "metrics.json").read_bytes()
    assert tree_digest(place / "bundle") == tree_digest(finished / "bundle")
    assert not (place / "data").exists()
    ossicle("jobs", "pull", finished, "-p", place, "--with", "scores,checkpoints")
    assert tree_digest(place / "data" / "scores") == tree_digest(finished / "data" / "scores")
    again = json_free(ossicle("jobs", "pull", finished, "-p", place, "--with", "scores").out)
    assert [outcome for name, outcome in again.items() if "scores" in name] == ["already here"]
    assert not list(place.rglob(".ossicle-part*"))


def json_free(table: str) -> dict[str, str]:
    """Rows of a printed table: the first column, and the last that holds words."""
    rows = [line.split("  ") for line in table.splitlines() if line.startswith("  ") and "─" not in line]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    return {row[0]: row[-1] for row in cells if row and row[0] not in ("what", "total")}


@needs_rsync
def test_an_interrupted_pull_leaves_no_half_and_goes_on(finished, tmp_path) -> None:
    place = here(tmp_path)
    (artefact,) = (finished / "data" / "scores").glob("[!.]*")
    stage = place / "data" / "scores" / f".ossicle-part-pull-{artefact.name}"
    shutil.copytree(artefact, stage)
    (stage / "artefact.json").write_text("{")
    (stage / "stranger").write_text("left of another")
    rows = pull_project(load_project(place), str(finished), ["scores"])
    assert [row.outcome for row in rows] == ["brought"] * 4
    assert tree_digest(place / "data" / "scores") == tree_digest(finished / "data" / "scores")


@needs_rsync
def test_links_are_left_behind_and_names_are_no_options(finished, tmp_path) -> None:
    there = Path(shutil.copytree(finished, tmp_path / "odd $(touch gone) name"))
    (there / "bundle" / "link").symlink_to("/etc/passwd")
    place = here(tmp_path)
    pull_project(load_project(place), str(there), [])
    assert not (place / "bundle" / "link").is_symlink()
    assert not list(tmp_path.rglob("gone"))
    with pytest.raises(UsageError, match="contains no folder"):
        pull_project(load_project(place), "--rsh=touch gone", [])
    with pytest.raises(OssicleError, match="contains none of"):
        pull_project(load_project(place), str(tmp_path / "nowhere"), [])
