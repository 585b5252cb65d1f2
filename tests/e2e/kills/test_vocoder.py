"""SIGKILL at points of the steps of a vocoder: run again, each ends with the content of the undisturbed run."""

import json
import random
import shutil
from pathlib import Path

import pytest

from ...doubles.kills import NEVER, run_dying
from ...made_up.speech_like import write_speech
from ..conftest import ossicle
from ..test_vocoder import TINY

STEPS = ("pitch", "vocoder", "resynthesis")
CALLS = ("replace", "rename", "mark")
RUN = "from ossicle.app.cli.main import main; main()"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a vocoder, run to its end."""
    home = write_speech(tmp_path_factory.mktemp("killed"), speakers=4, files=1, words=4)
    folder = home / "p"
    options = ("--audio", home / "audio", "--group", "speaker", "--name-template", "{speaker}_*")
    assert ossicle("new", "units", folder, *options).returncode == 0
    file = folder / "ossicle.toml"
    file.write_text(file.read_text().replace("[project]\n", "[project]\nworkers = 1\n", 1) + TINY)
    run = ossicle("run", "-p", folder)
    assert run.returncode == 0, run.stderr
    return folder


def content(project: Path, step: str) -> str:
    (manifest,) = (project / "data" / step).glob("[!.]*/artefact.json")
    result: str = json.loads(manifest.read_text())["content"]
    return result


def half_done(finished: Path, place: Path, step: str) -> Path:
    """A copy of the project in which ``step`` is the first that is to do."""
    shutil.copytree(finished.parent / "audio", place / "audio")
    project = Path(shutil.copytree(finished, place / "p"))
    for name in STEPS[STEPS.index(step) :]:
        shutil.rmtree(project / "data" / name)
    return project


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_step_ends_with_the_same_content(finished: Path, tmp_path: Path, step: str) -> None:
    def until(project: Path) -> tuple[object, ...]:
        return ("run", "-p", project, "--until", step, "--progress", "none")

    undisturbed = run_dying(RUN, CALLS, NEVER, *until(half_done(finished, tmp_path / "whole", step)))
    assert undisturbed.points
    draws = random.Random(step)
    for left in sorted({draws.randrange(undisturbed.points) for _ in range(3)} | {undisturbed.points - 1}):
        place = tmp_path / str(left)
        project = half_done(finished, place, step)
        assert run_dying(RUN, CALLS, left, *until(project)).killed
        done = ossicle(*until(project))
        assert done.returncode == 0, done.stderr
        assert content(project, step) == content(finished, step)
        assert len(list((project / "data" / step).iterdir())) == 1
        shutil.rmtree(place)
