"""A small project for acoustic units, run to its end through the command line."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from ossicle.app.project.load import load_project
from ossicle.app.steps.pipeline.pipelines import steps_of

from ..made_up.speech_like import write_speech
from .conftest import ossicle

SMALL = """
[quantiser]
k = 12

[motifs]
vocabulary = 30
min_count = 4

[evaluation]
bootstrap = 100
"""


@dataclass(frozen=True)
class Finished:
    """A project that was run to its end, its steps, how many seconds each took, and what the run printed."""

    folder: Path
    steps: tuple[str, ...]
    seconds: dict[str, float]
    out: str

    @property
    def home(self) -> Path:
        """The folder of the recordings, the words and the project."""
        return self.folder.parent

    def half_done(self, place: Path, step: str) -> Path:
        """Return a copy of the project in which ``step`` is the first that is to do."""
        shutil.copytree(self.home / "audio", place / "audio")
        shutil.copy2(self.home / "words.tsv", place)
        project = Path(shutil.copytree(self.folder, place / "p"))
        for name in self.steps[self.steps.index(step) :]:
            shutil.rmtree(project / "data" / name)
        return project


def finished_project(home: Path) -> Finished:
    """Write recordings of two speakers with words into ``home``, and run a project on them with one worker."""
    write_speech(home, speakers=2, files=3, words=24)
    project = home / "p"
    options = ("--audio", home / "audio", "--words", home / "words.tsv", "--group", "speaker")
    new = ossicle("new", "units", project, *options)
    assert new.returncode == 0, new.stderr
    file = project / "ossicle.toml"
    file.write_text(file.read_text().replace("[project]\n", "[project]\nworkers = 1\n", 1) + SMALL)
    run = ossicle("run", "-p", project, "--json")
    assert run.returncode == 0, run.stderr
    steps = tuple(step.name for step in steps_of(load_project(project)))
    return Finished(project, steps, json.loads(run.stdout)["seconds"], run.stderr)
