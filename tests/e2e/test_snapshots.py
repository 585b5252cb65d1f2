"""Plans over a folder with the semantics of a Modal volume: what they make is what a run on this machine makes.

Three containers run at a time. Each sees the volume as it was at its start, cannot lock a file, and may be taken away.
"""

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ossicle.app.jobs.benchmark import benchmark_jobs
from ossicle.app.jobs.build import step_jobs
from ossicle.app.jobs.job import Job, Task
from ossicle.app.jobs.placed import run_planning_steps
from ossicle.app.jobs.state import FINE
from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.pipelines import steps_of
from ossicle.artefacts.shelf import MANIFEST
from ossicle.audio.wav import write_wav
from ossicle.core.errors import EXIT_USAGE
from ossicle.corpus.synthetic.tapes import make_tapes

from ..snapshot_volume import Ended, Fleet, Troubles
from ..speech_like import write_speech
from .conftest import TAPES, TINY, ossicle
from .test_drums import MACHINES, RATE, hit
from .test_drums import SMALL as SMALL_DRUMS
from .units_project import SMALL

PROGRAM = (sys.executable, "-P", "-m", "ossicle")


def contents(project: Path) -> dict[str, str]:
    """The content digest of each finished artefact by its place; a page says how long its run took."""
    found = {file.parent: json.loads(file.read_text()) for file in project.glob(f"data/*/[!.]*/{MANIFEST}")}
    return {
        path.relative_to(project / "data").as_posix(): value["content"]
        for path, value in found.items()
        if value["step"] != "report"
    }


def published(project: Path) -> dict[str, bytes]:
    """The files of a project outside its data root, but for pages."""
    files = [path for path in project.rglob("*") if path.is_file() and path.suffix != ".html"]
    names = [path.relative_to(project) for path in files]
    return {name.as_posix(): (project / name).read_bytes() for name in names if name.parts[0] not in ("data", "report")}


def require_equal(one: Path, other: Path) -> None:
    """The same artefacts and results, and nothing unfinished."""
    assert contents(one) == contents(other)
    mine, others = published(one), published(other)
    assert mine.keys() == others.keys()
    assert [name for name in mine if mine[name] != others[name]] == []
    left = [path for project in (one, other) for path in project.glob("data/*/.work-*")]
    assert left == []


def next_jobs(home: Path, overrides: tuple[str, ...] = ()) -> list[Job]:
    """The jobs that can be planned after what is done, as ``ossicle run --on`` plans its next round."""
    project = load_project(home / "p", overrides)
    run_planning_steps(project, Silent(), steps_of(project))
    return step_jobs(project, steps_of(project), overrides, "local", known_only=True)


def sent(home: Path, folder: Path, **of: object) -> Fleet:
    """Containers over a volume that holds a copy of ``home``."""
    fleet = Fleet(folder, PROGRAM, **of)  # type: ignore[arg-type]
    shutil.copytree(home, fleet.volume.files, dirs_exist_ok=True)
    return fleet


def benchmarked(fleet: Fleet) -> None:
    """Run the tasks of the benchmark of the project in the volume."""
    project = load_project(fleet.volume.files / "p")
    through(fleet, benchmark_jobs(project, (), "local"))


def through(fleet: Fleet, jobs: Iterable[Job]) -> dict[str, Ended]:
    """Run jobs one after the other; the tasks of each side by side."""
    out: dict[str, Ended] = {}
    for job in jobs:
        ended = fleet.run({f"{job.name}:{one.name}": one.argv[1:] for one in job.tasks}, "p")
        bad = {name: one for name, one in ended.items() if one.code not in FINE}
        assert not bad, {name: (fleet.volume.files / "logs" / f"{name}.log").read_text()[-2000:] for name in bad}
        out |= ended
    return out


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings, and a project for acoustic units whose index is made; ``here`` is run on this machine."""
    home = write_speech(tmp_path_factory.mktemp("speech"), speakers=2, files=1, words=24)
    options = ("--audio", home / "audio", "--words", home / "words.tsv", "--group", "speaker")
    new = ossicle("new", "units", home / "p", *options)
    assert new.returncode == 0, new.stderr
    file = home / "p" / "ossicle.toml"
    file.write_text(file.read_text().replace("[project]\n", "[project]\nworkers = 1\n", 1) + SMALL)
    next_jobs(home)
    return home


@pytest.fixture(scope="module")
def spoken_here(speech: Path) -> Path:
    project = Path(shutil.copytree(speech / "p", speech / "here"))
    run = ossicle("run", "-p", project)
    assert run.returncode == 0, run.stderr
    return project


def test_a_plan_gives_what_a_run_here_gives(speech: Path, spoken_here: Path, tmp_path: Path) -> None:
    fleet = sent(speech, tmp_path / "fleet")
    found = []
    while jobs := next_jobs(fleet.volume.files):
        found.append([(job.name, len(job.tasks)) for job in jobs])
        assert {one.starts for one in through(fleet, jobs).values()} == {1}
    assert found == [
        [("segments", 2), ("segments.gather", 1)],
        [("features", 2), ("features.gather", 1), ("quantiser", 1)],
        [
            ("sequences", 2),
            ("sequences.gather", 1),
            ("motifs", 1),
            ("quality", 2),
            ("quality.gather", 1),
            ("report", 1),
        ],
    ]
    require_equal(fleet.volume.files / "p", spoken_here)
    assert not list(fleet.volume.files.rglob(".ossicle-*"))


def test_whoever_is_last_cannot_gather(speech: Path, tmp_path: Path) -> None:
    """What plans did before: tasks that run side by side never see each other's work, so nobody commits the step."""
    fleet = sent(speech, tmp_path / "fleet")
    segments, *_ = next_jobs(fleet.volume.files)

    def gathering(job: Job) -> Job:
        tasks = [Task(one.name, tuple(word for word in one.argv if word != "--no-gather")) for one in job.tasks]
        return replace(job, tasks=tuple(tasks), needs=())

    through(fleet, [gathering(segments)])
    # Both work units are done, and no step is.
    assert len(list((fleet.volume.files / "p" / "data" / "segments").glob(".work-*/parts/*.json"))) == 2
    assert not any(name.startswith("segments/") for name in contents(fleet.volume.files / "p"))
    task = ("jobs", "task", "features", "shard-0000", "--no-gather", "--project=ossicle.toml")
    assert fleet.run({"next": task}, "p")["next"].code == EXIT_USAGE
    assert "features needs segments, which is not done" in (fleet.volume.files / "logs" / "next.log").read_text()


BENCHMARK = """
[benchmark]
audio = "../others/audio"
annotations = "../others/selections"
models = ["bundle"]
allow_overlap = true
bootstrap = 100
thresholds = [0.1, 0.5]
"""


def require_little_lost(fleet: Fleet, taken: int, stops: int) -> None:
    """As many troubles as were planned, and each lost at most one epoch, file or shard."""
    print([(one.name, one.epochs, dict(one.files)) for one in fleet.lost], fleet.stopped)
    assert (len(fleet.lost), len(fleet.stopped)) == (taken, stops)
    assert max(one.epochs for one in fleet.lost) <= 1
    done = [
        count
        for one in fleet.lost
        for folder, count in one.files.items()
        if Path(folder).name in ("shards", "parts", "tracks")
    ]
    assert max(done, default=0) <= 1


def both_ways(
    home: Path,
    place: Path,
    more: Callable[[Fleet], None] = lambda fleet: None,
    *,
    seed: int,
    taken: int,
    stops: int,
    overrides: tuple[str, ...] = (),
) -> None:
    """Run the project ``p`` through containers with troubles, and compare it with ``here``."""
    fleet = sent(home, place / "fleet", troubles=Troubles(taken, stops, seed))
    while jobs := next_jobs(fleet.volume.files, overrides):
        through(fleet, jobs)
    more(fleet)
    require_equal(fleet.volume.files / "p", home / "here")
    require_little_lost(fleet, taken, stops)


@pytest.mark.slow
def test_a_benchmark_of_tapes_with_containers_that_are_taken_away(tmp_path: Path) -> None:
    home = tmp_path / "home"
    make_tapes(home / "tapes", TAPES)
    make_tapes(home / "others", replace(TAPES, tapes=2, sites=2, seed=7))
    options = ("--audio", home / "tapes" / "audio", "--annotations", home / "tapes" / "selections")
    new = ossicle("new", "tapes", home / "p", *options, "--group", "site", "--folds", 2)
    assert new.returncode == 0, new.stderr
    file = home / "p" / "ossicle.toml"
    text = re.sub(r"\n\[(chunks|decision)\]\n([^\[\n].*\n?)*", "\n", file.read_text())
    file.write_text(re.sub("hop_samples = [0-9]+", "n_mels = 40\nhop_samples = 320", text) + TINY + BENCHMARK)
    next_jobs(home)
    here = shutil.copytree(home / "p", home / "here")
    for command in ("run", "benchmark"):
        done = ossicle(command, "-p", here, timeout_s=1800)
        assert done.returncode == 0, done.stderr
    both_ways(home, tmp_path, benchmarked, seed=1, taken=8, stops=2)


@pytest.mark.slow
def test_trainings_on_drums_with_containers_that_are_taken_away(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for number, machine in enumerate(MACHINES):
        for label in ("bd", "sd", "hh"):
            (home / "audio" / machine / label).mkdir(parents=True)
            for take in range(5):
                rng = np.random.default_rng([number, take, len(label), ord(label[0])])
                write_wav(home / "audio" / machine / label / f"{take}.wav", hit(label, rng), RATE)
    new = ossicle("new", "drums", home / "p", "--audio", home / "audio")
    assert new.returncode == 0, new.stderr
    values = {**SMALL_DRUMS, "training.epochs": 6, "training.device": "cpu"}
    overrides = tuple(f"{key}={value}" for key, value in values.items())
    next_jobs(home, overrides)
    here = shutil.copytree(home / "p", home / "here")
    done = ossicle("run", "-p", here, *(word for one in overrides for word in ("--set", one)), timeout_s=1800)
    assert done.returncode == 0, done.stderr
    both_ways(home, tmp_path, seed=2, taken=6, stops=2, overrides=overrides)


@pytest.mark.slow
def test_acoustic_units_with_containers_that_are_taken_away(speech: Path, spoken_here: Path, tmp_path: Path) -> None:
    both_ways(speech, tmp_path, seed=3, taken=6, stops=1)
