"""Coordinators that die, are lost or have nothing to do: who follows them, and that nothing is done twice."""

import json
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.jobs.modal import runner

from ....doubles.modal_double import ModalDouble, wait_for
from ...conftest import Commands
from ...steps.pipeline import toy
from .toy_runs import TEXTS, run


def test_a_coordinator_that_died_is_followed_by_another_a_few_times(
    project: Path, modal: ModalDouble, ossicle: Commands
) -> None:
    """Its containers run on: without a coordinator the next run would start all of them a second time."""
    assert run(ossicle, project, "counts", "--on", "local")[0] == 0
    modal.dying = 3
    code, _, err = run(ossicle, project, "--on", "modal")
    assert code == 0, err
    assert [name for name, _, _ in modal.spawned].count("coordinate") == 4
    assert [name for name, _, _ in modal.spawned].count("run_task") == 1


def test_coordinators_that_keep_dying_are_not_started_for_ever(
    project: Path, modal: ModalDouble, ossicle: Commands
) -> None:
    assert run(ossicle, project, "counts", "--on", "local")[0] == 0
    modal.dying = 99
    code, _, err = run(ossicle, project, "--on", "modal")
    assert code == 1
    assert "page/page: lost (no coordinator follows it; resume with `ossicle run` or `ossicle jobs submit`" in err
    assert 4 <= [name for name, _, _ in modal.spawned].count("coordinate") <= 5


def test_without_a_coordinator_it_is_said_how_to_resume_and_nothing_is_done_again(
    project: Path, modal: ModalDouble, ossicle: Commands
) -> None:
    (project / "wait-a").touch()
    there = modal.folder / "detector" / "project"
    result = ossicle("jobs", "submit", "-p", project, "--on", "modal", "--set", "jobs.poll_s=0.2")
    assert result.code == 0, result.err
    assert "if it dies, `ossicle jobs status` or `ossicle run` starts another one" in result.err
    wait_for(lambda: (there / "counted").exists() and sorted((there / "counted").read_text().split()) == ["b", "c"])
    tasks = {str(request["index"]): one for one, request in zip(modal.calls.values(), _requests(modal), strict=True)}
    # The coordinator dies, and so do those after it; a container goes on without them, and does not end.
    modal.dying = 99
    for call in modal.calls.values():
        if call.thread is not None:
            call.stopped.set()
            call.thread.join(60)
    for _ in range(5):
        result = ossicle("jobs", "status", "-p", project)
    assert result.code == 1
    assert "lost" in result.out
    assert "no coordinator follows it; resume with" in " ".join(result.out.split())
    assert [name for name, _, _ in modal.spawned].count("coordinate") == 4, modal.spawned
    orphan = tasks["0"].process
    assert orphan is not None
    assert orphan.poll() is None
    modal.dying = 0
    for place in (project, there):
        (place / "wait-a").unlink()
    code, _, err = run(ossicle, project, "--on", "modal")
    assert code == 0, err
    # The container that nobody followed was ended before another one did its work.
    assert orphan.poll() is not None
    assert sorted((there / "counted").read_text().split()) == ["a", "b", "c"]
    assert (project / toy.PAGE).read_text() == "a: 2\nb: 1\nc: 3\n"


def test_a_lost_plan_is_not_revived_beside_another_one(
    tmp_path: Path, project: Path, modal: ModalDouble, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both would write the same data without locks."""
    (project / "wait-a").touch()
    place = modal.folder / "detector"
    assert ossicle("jobs", "submit", "-p", project, "--on", "modal", "--until", "counts").code == 0
    wait_for(lambda: (place / "project" / "counted").exists())
    (coordinator,) = (call for call in modal.calls.values() if call.thread is not None)
    coordinator.stopped.set()
    assert coordinator.thread is not None
    coordinator.thread.join(60)
    (place / "project" / "wait-a").unlink()
    # The other machine names its plan before it copies anything, which may take hours.
    at_copy: list[str] = []
    send = runner.send_inputs

    def send_inputs(*words: Any) -> dict[str, tuple[int, int]]:
        at_copy.append(json.loads((place / "busy.json").read_text())["plan"])
        return send(*words)

    monkeypatch.setattr(runner, "send_inputs", send_inputs)
    second = toy.write_toy(tmp_path / "second", **TEXTS)
    code, _, err = run(ossicle, second, "counts", "--on", "modal")
    assert code == 0, err
    busy = json.loads((place / "busy.json").read_text())
    spawned = len(modal.spawned)
    for _ in range(2):
        result = ossicle("jobs", "status", "-p", project)
        assert result.code == 1
        assert f"plan {busy['plan']} took over ossicle/detector, submitted on" in " ".join(result.out.split())
        assert "resume with `ossicle run`" in " ".join(result.out.split())
    assert len(modal.spawned) == spawned
    assert json.loads((place / "busy.json").read_text()) == busy
    assert at_copy == [busy["plan"]]


def test_a_job_that_needs_a_failed_one_names_it(project: Path, modal: ModalDouble, ossicle: Commands) -> None:
    """The coordinator ended properly: to resume with the same options would not help."""
    (project / "kill-a").touch()
    result = ossicle("jobs", "submit", "-p", project, "--on", "modal", "--set", "jobs.attempts=1")
    assert result.code == 0, result.err
    next(one.thread for one in modal.calls.values() if one.thread is not None).join(120)
    result = ossicle("jobs", "status", "-p", project)
    assert result.code == 1
    out = " ".join(result.out.split())
    assert "not started: it needs counts, which failed; mend that, and resume with" in out
    assert "no coordinator follows it" not in out
    for file in (modal.folder / "detector/data/jobs").glob("*/state/counts/*.jsonl"):
        file.write_text(file.read_text().replace('"failed"', '"cancelled"'))
    out = " ".join(ossicle("jobs", "status", "-p", project).out.split())
    assert "not started: it needs counts, which was cancelled; resume with" in out
    assert [name for name, _, _ in modal.spawned].count("coordinate") == 1


def _requests(modal: ModalDouble) -> list[dict[str, object]]:
    return [{"index": "", **request} for _, request, _ in modal.spawned]
