"""SIGKILL at points and moments of every step: the step run again ends with what an undisturbed run leaves.

Every test starts from the finished project, without the artefacts from its step on, so that only this step is run.
"""

import json
import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from ossicle.artefacts.logs.runlog import read_run_log
from ossicle.artefacts.shelf import RUN_LOG

from ...doubles.kills import NEVER, run_dying
from ..conftest import STEPS, Tiny, contents, half_done, ossicle, started, survivors

CALLS = ("replace", "rename", "mark")
RUN = "from ossicle.app.cli.main import main; main()"


def until(project: Path, step: str) -> tuple[object, ...]:
    return ("run", "-p", project, "--until", step, "--progress", "none")


def require_resumed(tiny: Tiny, project: Path, step: str) -> None:
    """Run the step again; it must end with the content of the undisturbed run, and leave nothing beside it."""
    done = ossicle(*until(project, step))
    assert done.returncode == 0, done.stderr
    if step == "report":
        assert page(project) == page(tiny.folder)
    else:
        assert contents(project / "data", (step,)) == contents(tiny.folder / "data", (step,))
    assert len(list((project / "data" / step).iterdir())) == 1
    assert [path for path in (project / "data").rglob(".ossicle-*") if path.name != ".ossicle.lock"] == []


def page(project: Path) -> tuple[str, str]:
    """The report but for its last section, which tells how long each step of the run took."""
    (made,) = (project / "data" / "report").glob("[!.]*/report.html")
    before, cut, after = made.read_text().partition('<h2 id="run">')
    assert cut
    return before, after.partition("<h3>Files in the same folder</h3>")[2]


def points(tiny: Tiny, place: Path, step: str) -> int:
    """How often a step changes the disk for good."""
    undisturbed = run_dying(RUN, CALLS, NEVER, *until(half_done(tiny, place, step), step))
    assert undisturbed.points
    return undisturbed.points


@pytest.mark.parametrize("step", ["store", "scores", "decision"])
def test_killed_between_two_changes_a_step_ends_the_same(tiny: Tiny, tmp_path: Path, step: str) -> None:
    project = half_done(tiny, tmp_path, step)
    # In `scores` the fifth is the first of the second recording, after two files and a mark.
    left = {"store": 2, "scores": 4, "decision": 3}[step]
    assert run_dying(RUN, CALLS, left, *until(project, step)).killed
    assert not list((project / "data" / step).glob("[!.]*"))
    require_resumed(tiny, project, step)
    if step == "scores":
        (log,) = (project / "data" / step).glob(f"*/{RUN_LOG}")
        result = [entry["outcome"] for entry in read_run_log(log)]
        assert result == ["computed", "reused", "computed", "computed", "computed"]


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_points_of_every_step(tiny: Tiny, tmp_path: Path, step: str) -> None:
    total = points(tiny, tmp_path / "whole", step)
    draws = random.Random(step)
    for left in sorted({draws.randrange(total) for _ in range(2)} | {total - 1}):
        place = tmp_path / str(left)
        project = half_done(tiny, place, step)
        assert run_dying(RUN, CALLS, left, *until(project, step)).killed
        require_resumed(tiny, project, step)
        shutil.rmtree(place)


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_moment_of_every_step(tiny: Tiny, tmp_path: Path, step: str) -> None:
    seconds = json.loads(tiny.run.stdout)["seconds"][step]
    project = half_done(tiny, tmp_path, step)
    run = started(*until(project, step))
    # A second or two go by until the commands are loaded.
    time.sleep(random.Random(step).uniform(1.0, 2.0 + seconds))
    os.kill(run.pid, signal.SIGKILL)
    run.communicate(timeout=30)
    assert survivors(run.pid) == []
    require_resumed(tiny, project, step)
