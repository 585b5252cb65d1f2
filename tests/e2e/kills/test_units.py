"""SIGKILL at points and moments of every step of a project for acoustic units: run again, it ends with the same bytes.

Every test starts from the finished project, without the artefacts from its step on. What was complete when the process
was killed is not made again, but for at most one shard.
"""

import json
import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from ossicle.app.steps.pipeline.units import KEPT_AUDIO, OF_VOCODER, PIPELINE

from ...doubles.kills import NEVER, run_dying
from ..conftest import ossicle, started, survivors
from ..units_project import Finished, finished_project

STEPS = tuple(step.name for step in PIPELINE.steps if step is not KEPT_AUDIO and step not in OF_VOCODER)
CALLS = ("replace", "rename", "mark")
RUN = "from ossicle.app.cli.main import main; main()"
# The page says how long each step of its run took.
TIMED = ("report",)
# What is written once for each shard or part.
PARTS = ("shards", "parts")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return finished_project(tmp_path_factory.mktemp("spoken"))


def until(project: Path, step: str) -> tuple[object, ...]:
    return ("run", "-p", project, "--until", step, "--progress", "none")


def content(project: Path, step: str) -> str:
    (manifest,) = (project / "data" / step).glob("[!.]*/artefact.json")
    result: str = json.loads(manifest.read_text())["content"]
    return result


def complete_parts(project: Path, step: str) -> dict[str, int]:
    """The shards and parts of a step, finished or not, with the times of their last change."""
    result = {}
    for folder in (project / "data" / step).glob("*"):
        for file in folder.rglob("*"):
            below = file.relative_to(folder)
            if file.is_file() and below.parts[0] in PARTS and not file.name.startswith("."):
                result[str(below)] = file.stat().st_mtime_ns
    return result


def require_resumed(finished: Finished, project: Path, step: str) -> None:
    """Run the step again: the content of the undisturbed run, nothing beside it, at most one shard made twice."""
    before = complete_parts(project, step)
    done = ossicle(*until(project, step))
    assert done.returncode == 0, done.stderr
    if step not in TIMED:
        assert content(project, step) == content(finished.folder, step)
    assert len(list((project / "data" / step).iterdir())) == 1
    assert [path for path in (project / "data").rglob(".ossicle-*") if path.name != ".ossicle.lock"] == []
    after = complete_parts(project, step)
    names = {name.partition(".")[0] for name, time_ns in before.items() if name in after and after[name] != time_ns}
    assert len(names) <= 1


def points(finished: Finished, place: Path, step: str) -> int:
    """How often a step changes the disk for good."""
    undisturbed = run_dying(RUN, CALLS, NEVER, *until(finished.half_done(place, step), step))
    assert undisturbed.points
    return undisturbed.points


@pytest.mark.parametrize(("step", "left"), [("segments", 2), ("features", 3)])
def test_killed_between_two_changes_a_step_ends_the_same(
    finished: Finished, tmp_path: Path, step: str, left: int
) -> None:
    project = finished.half_done(tmp_path, step)
    assert run_dying(RUN, CALLS, left, *until(project, step)).killed
    assert not list((project / "data" / step).glob("[!.]*"))
    require_resumed(finished, project, step)


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_points_of_every_step(finished: Finished, tmp_path: Path, step: str) -> None:
    total = points(finished, tmp_path / "whole", step)
    draws = random.Random(step)
    for left in sorted({draws.randrange(total) for _ in range(2)} | {total - 1}):
        place = tmp_path / str(left)
        project = finished.half_done(place, step)
        assert run_dying(RUN, CALLS, left, *until(project, step)).killed
        require_resumed(finished, project, step)
        shutil.rmtree(place)


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_moment_of_every_step(finished: Finished, tmp_path: Path, step: str) -> None:
    project = finished.half_done(tmp_path, step)
    run = started(*until(project, step))
    # A second or two go by until the commands are loaded.
    time.sleep(random.Random(step).uniform(1.0, 2.0 + finished.seconds[step]))
    if run.poll() is None:
        os.kill(run.pid, signal.SIGKILL)
    run.communicate(timeout=30)
    assert survivors(run.pid) == []
    require_resumed(finished, project, step)


def test_every_step_of_a_project_is_killed(finished: Finished) -> None:
    assert finished.steps == STEPS
