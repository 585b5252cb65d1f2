"""Plans over a folder with the semantics of a Modal volume: what they make is what a run on this machine makes.

Three containers run at a time. Each sees the volume as it was at its start, cannot lock a file, and may be taken away.
"""

import json
import shutil
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from ossicle.app.jobs.build import step_jobs
from ossicle.app.jobs.job import Job, Task
from ossicle.app.jobs.placed import RunOptions, jobs_of
from ossicle.app.jobs.state import FINE
from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.pipelines import steps_of
from ossicle.artefacts.shelf import MANIFEST
from ossicle.core.errors import EXIT_USAGE

from ..snapshot_volume import Ended, Fleet
from ..speech_like import write_speech
from .conftest import ossicle
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


def planned(home: Path) -> list[Job]:
    """The jobs of the project ``p``; what names the work units is made here."""
    return jobs_of([load_project(home / "p")], RunOptions(on="local"), Silent())


def next_jobs(home: Path) -> list[Job]:
    """The jobs that can be planned after what is done, as ``ossicle run --on`` plans its next round."""
    project = load_project(home / "p")
    return step_jobs(project, steps_of(project), (), "local", known_only=True)


def sent(home: Path, folder: Path, **of: object) -> Fleet:
    """Containers over a volume that holds a copy of ``home``."""
    fleet = Fleet(folder, PROGRAM, **of)  # type: ignore[arg-type]
    shutil.copytree(home, fleet.volume.files, dirs_exist_ok=True)
    return fleet


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
    planned(home)
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
        [("sequences", 2), ("sequences.gather", 1), ("motifs-report", 1)],
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
