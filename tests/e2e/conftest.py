"""A tiny project, trained once in a session through the command line, and copies of it for tests that change things."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ossicle.corpus.synthetic.tapes import SynthSettings, make_tapes

COMMAND = (sys.executable, "-c", "from ossicle.app.cli.main import main; main()")
STEPS = (
    "corpus",
    "dataset",
    "store",
    "training",
    "scores",
    "decision",
    "calibration",
    "second_stage",
    "evaluation",
    "noise_gate",
    "bundle",
    "report",
)
TAPES = SynthSettings(tapes=4, minutes=0.4, sites=4, empty_tapes=0, calls_per_minute=40, confusers_per_minute=0)
TINY = """
[chunks]
core_s = 2.0
context_s = 0.2

[model.crnn]
channels = [8, 16]
pools = [5, 4]
hidden = 12

[training]
epochs = 4
steps_per_epoch = 10
batch_size = 4
learning_rate = 0.02
ema_decay = 0.7
validation_crops = 4
device = "cpu"

[decision]
min_length_s = [0.0, 0.06]
min_gap_s = [0.0, 0.06]

[evaluation]
bootstrap = 100

[report]
examples = 1

[noise_gate]
# A model of seconds of training fires on much; what the gate does then has its own test.
off = ["silence", "white_noise", "hum", "speech_like", "recordings"]
"""


def environment() -> dict[str, str]:
    """Ours without what could redirect a run."""
    return {key: value for key, value in os.environ.items() if key != "OSSICLE_DATA_ROOT"}


def ossicle(*arguments: object, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env=environment(),
        check=False,
    )


def started(*arguments: object) -> subprocess.Popen[str]:
    """Start a command in a session of its own, as a terminal does."""
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        start_new_session=True,
    )


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str], timeout_s: float = 120) -> None:
    """Wait until something is so while the process runs; kills it and fails when it never is."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            os.killpg(process.pid, signal.SIGKILL) if process.poll() is None else None
            raise AssertionError(f"it never came to it: {process.communicate()}")
        time.sleep(0.05)


def survivors(session: int, timeout_s: float = 10) -> list[str]:
    """Processes of a session that are still there after a while; those that only wait to be reaped do not count."""
    deadline = time.monotonic() + timeout_s
    while True:
        listing = subprocess.run(["ps", "-eo", "sid=,stat=,args="], capture_output=True, text=True, check=True).stdout
        rows = [line.split(maxsplit=2) for line in listing.splitlines()]
        left = [" ".join(row) for row in rows if row[0] == str(session) and not row[1].startswith("Z")]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.1)


@dataclass(frozen=True)
class Tiny:
    """The project, its tapes, and what its first run said."""

    folder: Path
    tapes: Path
    new: subprocess.CompletedProcess[str]
    run: subprocess.CompletedProcess[str]

    @property
    def file(self) -> Path:
        return self.folder / "ossicle.toml"

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle"

    @property
    def metrics(self) -> Any:
        return json.loads((self.folder / "metrics.json").read_text())

    def copy(self, place: Path) -> Path:
        """The project (in ``place/project``) and its tapes, elsewhere; times of files are kept."""
        shutil.copytree(self.tapes, place / self.tapes.name)
        return Path(shutil.copytree(self.folder, place / "project"))


def half_done(tiny: Tiny, place: Path, step: str) -> Path:
    """A copy of the project in which ``step`` is the first that is to do."""
    project = tiny.copy(place)
    for name in STEPS[STEPS.index(step) :]:
        shutil.rmtree(project / "data" / name)
    return project


def contents(data_root: Path, steps: Sequence[str] = STEPS) -> dict[str, str]:
    """The content digest of the one artefact of each step."""
    result = {}
    for step in steps:
        (manifest,) = (data_root / step).glob("[!.]*/artefact.json")
        result[step] = json.loads(manifest.read_text())["content"]
    return result


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Four tapes of 24 s from four sites, two folds: three trainings of seconds, and the time to import torch."""
    place = tmp_path_factory.mktemp("tiny project")
    make_tapes(place / "tapes", TAPES)
    audio, tables = place / "tapes" / "audio", place / "tapes" / "selections"
    folder = place / "project"
    options = ("--audio", audio, "--annotations", tables, "--group", "site", "--folds", 2)
    new = ossicle("new", "tapes", folder, *options)
    assert new.returncode == 0, new.stderr
    file = folder / "ossicle.toml"
    # Chunks and lengths are ours, not those that `new` finds to fit.
    text = re.sub(r"\n\[(chunks|decision)\]\n([^\[\n].*\n?)*", "\n", file.read_text())
    file.write_text(re.sub("hop_samples = [0-9]+", "n_mels = 40\nhop_samples = 320", text) + TINY)
    run = ossicle("run", "-p", file, "--json")
    assert run.returncode == 0, run.stderr
    return Tiny(folder, place / "tapes", new, run)
