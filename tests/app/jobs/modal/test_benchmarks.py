"""``ossicle benchmark --on modal``: models and variants are judged in containers as on this machine."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ossicle.app.jobs.benchmark import benchmark_jobs
from ossicle.app.jobs.modal import connection
from ossicle.app.jobs.modal.commands import projects_of, require_one_corpus
from ossicle.app.jobs.modal.copies.inputs import inputs_of
from ossicle.app.jobs.modal.service import TASK
from ossicle.app.project.load import load_project
from ossicle.bundle.format import read_bundle
from ossicle.core.errors import UsageError
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import write_raven

from ....doubles.modal_snapshots import SnapshotModal
from ...conftest import Commands
from ...steps.benchmark.tapes import TRAINING, save, write_tape

SETTINGS = ("--progress", "none", "--set", "jobs.poll_s=0.2", "--allow-overlap")
PROJECT = f"""{TRAINING}[benchmark]
audio = "../bench"
annotations = "../bench-tables"
bootstrap = 20
thresholds = [0.5]
labels = ["call"]
[variants.louder.training]
learning_rate = 0.01
"""


@pytest.fixture
def modal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SnapshotModal]:
    double = SnapshotModal(tmp_path / "modal")
    monkeypatch.setattr(connection, "connect", double.named)
    try:
        yield double
    finally:
        double.close()


@pytest.fixture
def home(tmp_path: Path, old_bundle: Path) -> Path:
    """A project, recordings for a benchmark beside it, and bundles of one name in two folders elsewhere."""
    for folder, name in (("bench", "siteA/one"), ("bench", "siteB/two"), ("p/train", "siteC/tape")):
        write_tape(tmp_path / folder / f"{name}.wav", 2, len(name))
        table = tmp_path / f"{folder}-tables" / f"{name}.Table.1.selections.txt"
        write_raven(table, [RawSelection(1.0, 1.3, "call")])
    (tmp_path / "p" / "ossicle.toml").write_text(PROJECT)
    old = read_bundle(old_bundle)
    for place in ("a/bundle", "b/bundle"):
        save(old, tmp_path / place, "hums")
    save(old, tmp_path / "p" / "variants" / "louder" / "bundle", "louder")
    return tmp_path


def published(project: Path) -> dict[str, bytes]:
    """The results of a benchmark, but for pages and notebooks, which say when they were made."""
    files = [path for path in (project / "benchmark").rglob("*") if path.suffix not in ("", ".html", ".ipynb")]
    return {path.relative_to(project).as_posix(): path.read_bytes() for path in files if path.is_file()}


def test_equal_models_are_scored_by_one_task(home: Path) -> None:
    models = 'benchmark.models=["../a/bundle", "../b/bundle", "louder"]'
    jobs = {job.name: job for job in benchmark_jobs(load_project(home / "p", (models,)), (models,), "modal")}
    assert [task.name for task in jobs["benchmark-score"].tasks] == ["score:hums-a:own"]
    assert [task.name for task in jobs["benchmark-decide"].tasks] == [
        "decide:hums-a:own",
        "decide:hums-b:own",
        "decide:louder:own",
    ]
    assert jobs["benchmark-decide"].needs == ("benchmark-index", "benchmark-score")


def test_a_variant_that_reads_other_files_is_refused_before_it_costs_anything(home: Path) -> None:
    shutil.copytree(home / "p" / "train", home / "other")
    with (home / "p" / "ossicle.toml").open("a") as file:
        file.write('[variants.louder.corpus]\naudio = "../other"\n')
    models = 'benchmark.models=["louder"]'
    jobs = benchmark_jobs(load_project(home / "p", (models,)), (models,), "modal")
    inputs = {words: inputs_of(project, "p") for words, project in projects_of(jobs, home / "p").items()}
    assert len(inputs) == 2
    with pytest.raises(UsageError, match="the variant louder reads other files outside the project folder"):
        require_one_corpus(inputs)


@pytest.mark.slow
def test_a_benchmark_on_modal_equals_one_here(home: Path, modal: SnapshotModal, ossicle: Commands) -> None:
    here, there = Path(shutil.copytree(home / "p", home / "here")), home / "p"
    models = ["--set", 'benchmark.models=["../a/bundle", "../b/bundle", "louder"]']
    result = ossicle("benchmark", "-p", here, *SETTINGS, *models)
    assert result.code == 0, result.err
    # What decides is here: it needs what a container scored.
    mixed = [*SETTINGS, *models, "--set", "jobs.benchmark_scores.on=modal", "--set", "modal.volume=mine"]
    result = ossicle("benchmark", "-p", there, *mixed)
    assert result.code == 0, result.err
    assert Counter(str(request["job"]) for name, request, _ in modal.spawned if name == TASK) == {"benchmark-score": 1}
    assert published(there) == published(here)
    assert any(name.endswith("leaderboard.csv") for name in published(here))


@pytest.mark.slow
def test_every_task_of_a_benchmark_on_modal(home: Path, modal: SnapshotModal, ossicle: Commands) -> None:
    here, there = Path(shutil.copytree(home / "p", home / "here")), home / "p"
    models = ["--set", 'benchmark.models=["../a/bundle", "../b/bundle", "louder"]']
    result = ossicle("benchmark", "-p", here, *SETTINGS, *models)
    assert result.code == 0, result.err
    result = ossicle("benchmark", "-p", there, *SETTINGS, *models, "--on", "modal")
    assert result.code == 0, result.err
    counts = Counter(str(request["job"]) for name, request, _ in modal.spawned if name == TASK)
    assert counts == {
        "benchmark-index": 1,
        "benchmark-score": 1,
        "benchmark-decide": 3,
        "benchmark-metrics": 1,
    }
    assert published(there) == published(here)
    # What this machine shows was computed in containers.
    assert "computed" not in result.out
