"""Work units of steps: done side by side and in any order they are what the step is, and nobody does one twice."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ossicle.app.jobs.benchmark import benchmark_jobs
from ossicle.app.jobs.build import Listed, gather_placement, listed_jobs, step_jobs
from ossicle.app.project.load import Project, load_project
from ossicle.app.project.tables.placement import StepPlacement
from ossicle.app.steps.engine.step import Context, Silent, Step, find_steps
from ossicle.app.steps.pipeline import detector
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.app.steps.pipeline.work_units import gather_step, run_work_unit
from ossicle.artefacts.files import tree_digest
from ossicle.artefacts.locks.lock import LOCKS_VARIABLE
from ossicle.artefacts.logs.runlog import read_run_log
from ossicle.artefacts.logs.shared_runlog import RUNS
from ossicle.artefacts.shelf import MANIFEST, NOT_CONTENT, RUN_LOG, Shelf
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.core.errors import OssicleError, UsageError
from ossicle.models.networks.registry import build_network
from ossicle.models.weights import save_weights

from ....untrained import PROJECT, chain_without_training, use_steps, write_tapes


def one_untrained(context: Context, name: str) -> None:
    import torch

    settings, labels = context.project.settings, context.read(DatasetFolder).labels
    torch.manual_seed(0)
    with (context.project.folder / "trained").open("a") as file:
        file.write(f"{name}\n")
    save_weights(
        build_network(settings.model, settings.frontend, settings.plan, len(labels)),
        RunFolder(context.folder / name).weights,
    )


def steps() -> Sequence[Step]:
    done = chain_without_training()
    return tuple(
        replace(step, work_units=replace(step.work_units, run=one_untrained))
        if step.name == "training" and step.work_units
        else step
        for step in done
    )


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("units")
    write_tapes(place, ("siteA_1", "siteB_1", "siteC_1"))
    (place / "ossicle.toml").write_text(PROJECT)
    run_project(load_project(place), Silent(), until="store")
    return place


@pytest.fixture
def project(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("OSSICLE_DATA_ROOT", raising=False)
    use_steps(monkeypatch, steps())
    return load_project(Path(shutil.copytree(prepared, tmp_path / "project")))


def contents(project: Project) -> dict[str, str]:
    shelf = Shelf(project.data_root)
    return {name: shelf.content(path) for name, path in find_steps(detector.PIPELINE.steps, project).items() if path}


def test_a_step_in_parts_is_the_step_as_a_whole(project: Project, tmp_path: Path) -> None:
    parts = load_project(Path(shutil.copytree(project.folder, tmp_path / "parts")))
    run_project(project, Silent(), until="scores")
    for unit in ("final", "fold2", "fold0"):
        assert run_work_unit(parts, "training", unit, Silent()) == "computed"
    assert run_work_unit(parts, "training", "fold0", Silent()) == "reused"
    assert find_steps(detector.PIPELINE.steps, parts)["training"] is None
    assert run_work_unit(parts, "training", "fold1", Silent()) == "computed"
    trained = find_steps(detector.PIPELINE.steps, parts)["training"]
    assert trained is not None
    assert not list(trained.glob(".*"))
    for unit in ("fold1", "fold2", "fold0"):
        assert run_work_unit(parts, "scores", unit, Silent()) == "computed"
    assert run_work_unit(parts, "scores", "fold1", Silent()) == "reused"
    assert contents(parts) == contents(project)
    for name, path in find_steps(detector.PIPELINE.steps, parts).items():
        if path is not None:
            Shelf(parts.data_root).verify(path)
            assert name in contents(project)


def test_a_plan_leaves_work_units_and_gathers_them_in_a_task_of_its_own(project: Project, tmp_path: Path) -> None:
    parts = load_project(Path(shutil.copytree(project.folder, tmp_path / "parts")))
    run_project(project, Silent(), until="scores")
    names = ("final", "fold2", "fold0")
    for unit in names:
        assert run_work_unit(parts, "training", unit, Silent(), gather=False) == "computed"
    with pytest.raises(
        OssicleError, match="1 of 4 work units are not done: fold1; do them: ossicle run training -p "
    ) as e:
        gather_step(parts, "training", Silent())
    assert e.value.exit_code == 1
    assert run_work_unit(parts, "training", "fold1", Silent(), gather=False) == "computed"
    # Whoever is last does not gather, and neither does a task of a later step.
    with pytest.raises(UsageError, match="scores needs training, which is not done"):
        run_work_unit(parts, "scores", "fold0", Silent(), gather=False)
    with pytest.raises(UsageError, match="scores needs training, which is not done"):
        gather_step(parts, "scores", Silent())
    assert find_steps(detector.PIPELINE.steps, parts)["training"] is None
    assert gather_step(parts, "training", Silent()) == "computed"
    assert gather_step(parts, "training", Silent()) == "reused"
    for unit in ("fold1", "fold2", "fold0"):
        assert run_work_unit(parts, "scores", unit, Silent(), gather=False) == "computed"
    assert gather_step(parts, "scores", Silent()) == "computed"
    assert contents(parts) == contents(project)
    logged = []
    for one in (parts, project):
        scored = find_steps(detector.PIPELINE.steps, one)["scores"]
        assert scored is not None
        logged.append(sorted({str(entry["unit"]) for entry in read_run_log(scored / RUN_LOG)}))
        assert not list(scored.rglob("run/*"))
    # What each work unit logged is in the one log of the step, as in a run of the whole step.
    assert logged[0] == logged[1]
    assert len(logged[0]) == 3
    with pytest.raises(UsageError, match="'decision' has no work units"):
        gather_step(parts, "decision", Silent())


def test_work_units_and_gathering_without_locks(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOCKS_VARIABLE, "none")
    shared = set(project.data_root.iterdir())
    for unit in ("fold0", "fold1", "fold2", "final"):
        before = {path for path in project.data_root.rglob("*") if path.is_file()}
        run_work_unit(project, "training", unit, Silent(), gather=False)
        made = {path for path in project.data_root.rglob("*") if path.is_file()} - before
        # Nothing that another work unit writes, and no lock.
        assert all(unit in path.relative_to(project.data_root).as_posix() or path.parent.name == RUNS for path in made)
    assert {path.name for path in set(project.data_root.iterdir()) - shared} == {"training", RUNS}
    assert gather_step(project, "training", Silent()) == "computed"
    assert not list(project.data_root.rglob(".ossicle-lock*"))


def test_gathering_does_not_wait_for_the_gpus_of_a_step(project: Project) -> None:
    def placed(on: str | None, *overrides: str) -> StepPlacement:
        return gather_placement(load_project(project.file, overrides), "training", on)

    general = ("jobs.partition=cpu", "jobs.account=lab", "jobs.training.partition=gpu", "jobs.training.gpus=2")
    step_placement = placed("slurm", *general, "jobs.training.time=9:00:00", "jobs.time=1:00:00")
    assert (
        step_placement.on,
        step_placement.partition,
        step_placement.account,
        step_placement.gpus,
        step_placement.time,
    ) == ("slurm", "cpu", "lab", 0, "1:00:00")
    assert placed(None, *general, "jobs.on=slurm") == replace(step_placement, time="")
    # Only the step is placed elsewhere: [jobs] is about this machine.
    only = placed(None, "jobs.training.on=slurm", "jobs.training.partition=gpu", "jobs.training.gpus=2")
    assert (only.on, only.partition, only.gpus) == ("slurm", "gpu", 2)
    assert placed(None, "jobs.training.on=slurm", "jobs.training.gpus=2").gpus == 0
    assert placed("local", *general).on == "local"


def test_a_whole_run_goes_on_from_units_and_units_from_a_run(project: Project) -> None:
    run_work_unit(project, "training", "fold0", Silent())
    before = list(project.data_root.glob("training/.work-*/fold0/weights.safetensors"))
    assert len(before) == 1
    run_project(project, Silent(), until="training")
    assert run_work_unit(project, "training", "fold2", Silent()) == "reused"
    assert not list(project.data_root.glob("training/.work-*"))


def test_what_is_missing_is_said(project: Project) -> None:
    with pytest.raises(UsageError, match=r"scores needs training, which is not done: ossicle run training -p "):
        run_work_unit(project, "scores", "fold0", Silent())
    with pytest.raises(UsageError, match=r"no work unit 'fold9'; work units: fold0, fold1, fold2, final"):
        run_work_unit(project, "training", "fold9", Silent())
    with pytest.raises(UsageError, match="'decision' has no work units; steps with work units: training, scores"):
        run_work_unit(project, "decision", "fold0", Silent())


TWICE = """
import sys, time
from dataclasses import replace
from pathlib import Path
from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent, WorkUnits
from ossicle.app.steps.pipeline.pipelines import PIPELINES
from ossicle.app.steps.pipeline.work_units import run_work_unit

def slow(context, name):
    with (context.project.folder / "done-by").open("a") as file:
        file.write(name + "\\n")
    time.sleep(0.5)
    (context.folder / name).mkdir()
    (context.folder / name / "weights.safetensors").write_text("w")

steps = tuple(
    replace(step, work_units=replace(step.work_units, run=slow)) if step.name == "training" else step
    for step in PIPELINES["detector"].steps
)
PIPELINES["detector"] = replace(PIPELINES["detector"], steps=steps)
print(run_work_unit(load_project(Path(sys.argv[1])), "training", sys.argv[2], Silent()))
"""


def test_two_processes_at_one_unit_do_it_once_and_at_two_do_both(project: Project) -> None:
    for unit in ("fold2", "final"):
        run_work_unit(project, "training", unit, Silent())
    units = ("fold0", "fold0", "fold1")
    running = [
        subprocess.Popen([sys.executable, "-c", TWICE, str(project.folder), unit], stdout=subprocess.PIPE, text=True)
        for unit in units
    ]
    result = sorted(process.communicate(timeout=120)[0].strip() for process in running)
    assert [process.returncode for process in running] == [0] * 3
    assert result == ["computed"] * 2 + ["reused"]
    assert sorted((project.folder / "done-by").read_text().split()) == ["fold0", "fold1"]
    # Whoever came last has put the whole on the shelf.
    (made,) = project.data_root.glob(f"training/*/{MANIFEST}")
    assert len(tree_digest(made.parent, NOT_CONTENT)) == 64
    assert sorted(path.parent.name for path in made.parent.glob("*/weights.safetensors")) == [
        "final",
        "fold0",
        "fold1",
        "fold2",
    ]


def test_jobs_are_what_is_to_do_in_arrays_and_neighbours(project: Project) -> None:
    def plan(*overrides: str, on: str | None = None) -> list[tuple[str, str, list[str], tuple[str, ...]]]:
        loaded = load_project(project.file, overrides)
        jobs = step_jobs(loaded, detector.PIPELINE.steps, overrides, on)
        return [(job.name, job.placement.on, [task.name for task in job.tasks], job.needs) for job in jobs]

    dataset = find_steps(detector.PIPELINE.steps, project)["dataset"]
    assert dataset is not None
    folds = [name for name in DatasetFolder(dataset).models if name != "final"]
    rest = "decision-report"
    assert plan(on="slurm") == [
        ("training", "slurm", [*folds, "final"], ()),
        ("training.gather", "slurm", ["training.gather"], ("training",)),
        ("scores", "slurm", folds, ("training.gather",)),
        ("scores.gather", "slurm", ["scores.gather"], ("scores",)),
        (rest, "slurm", [rest], ("scores.gather",)),
    ]
    assert {place for _, place, _, _ in plan(on="local")} == {"local"}
    mixed = plan("jobs.training.on=slurm", "jobs.report.on=local", on="slurm")
    assert [(name, place) for name, place, _, _ in mixed] == [
        ("training", "slurm"),
        ("training.gather", "slurm"),
        ("scores", "slurm"),
        ("scores.gather", "slurm"),
        ("decision-bundle", "slurm"),
        ("report", "local"),
    ]
    run_work_unit(project, "training", "fold1", Silent())
    assert plan()[0][2] == [name for name in [*folds, "final"] if name != "fold1"]
    # Another setting is other work.
    assert plan("training.epochs=3")[0][2] == [*folds, "final"]


def test_a_task_is_the_whole_command(project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    overrides = ("training.epochs=3",)
    (job, *_) = step_jobs(load_project(project.file, overrides), detector.PIPELINE.steps, overrides, None)
    assert job.tasks[0].argv == (
        "ossicle",
        "jobs",
        "task",
        "training",
        "fold0",
        "--no-gather",
        "--progress=plain",
        "--project=ossicle.toml",
        "--set=training.epochs=3",
    )
    shutil.copytree(project.data_root, tmp_path / "elsewhere")
    monkeypatch.setenv("OSSICLE_DATA_ROOT", str(tmp_path / "elsewhere"))
    (job, *_) = step_jobs(load_project(project.file), detector.PIPELINE.steps, (), None)
    assert job.tasks[0].argv[-1] == f"--data-root={tmp_path / 'elsewhere'}"


def test_tasks_listed_by_another_command_become_arrays(project: Project) -> None:
    evaluation, scoring = "benchmark_evaluation", "benchmark_scores"
    scores, decisions = [f"score:{number}" for number in range(1001)], [f"decide:{number}" for number in range(3)]
    listed = [
        Listed("index", ("ossicle", "i"), (), "index", evaluation),
        *(Listed(name, ("ossicle", "s", name), ("index",), "score", scoring) for name in scores),
        *(
            Listed(name, ("ossicle", "d"), ("index", of), "decide", evaluation)
            for name, of in zip(decisions, scores, strict=False)
        ),
        Listed("metrics", ("ossicle", "m"), ("index", *decisions), "metrics", evaluation),
    ]
    jobs = listed_jobs(project, listed, "slurm")
    assert [(job.name, len(job.tasks), job.needs, job.task_by_task) for job in jobs] == [
        ("index", 1, (), ()),
        ("score", 1000, ("index",), ()),
        ("score-2", 1, ("index",), ()),
        # The arrays have different lengths, so a task cannot wait for one task alone.
        ("decide", 3, ("index", "score"), ()),
        ("metrics", 1, ("decide", "index"), ()),
    ]
    assert [job.placement.max_concurrent for job in jobs] == [20, 15, 15, 20, 20]
    assert {job.placement.on for job in jobs} == {"slurm"}


@pytest.mark.parametrize(
    ("needs", "by_task"),
    [
        ({"d0": ("s0",), "d1": ("s1",), "d2": ("s2",)}, ("s",)),
        ({"d0": ("s0",), "d1": (), "d2": ("s2",)}, ("s",)),
        ({"d0": ("s0",), "d1": ("s2",), "d2": ("s1",)}, ()),
        ({"d0": ("s0",), "d1": ("s1", "s0"), "d2": ("s2",)}, ()),
        ({"d0": ("s0",), "d1": ("s1",)}, ()),
    ],
)
def test_arrays_wait_task_by_task_where_their_tasks_do(
    project: Project, needs: dict[str, tuple[str, ...]], by_task: tuple[str, ...]
) -> None:
    first = [Listed(f"s{number}", ("ossicle",), (), "s", "training") for number in range(3)]
    second = [Listed(name, ("ossicle",), of, "d", "training") for name, of in needs.items()]
    jobs = listed_jobs(project, [*first, *second], "slurm")
    assert [(job.name, job.needs, job.task_by_task) for job in jobs] == [("s", (), ()), ("d", ("s",), by_task)]


def test_long_arrays_wait_task_by_task_in_parts(project: Project) -> None:
    first = [Listed(f"s{number}", ("ossicle",), (), "s", "training") for number in range(1003)]
    second = [Listed(f"d{number}", ("ossicle",), (f"s{number}",), "d", "training") for number in range(1003)]
    jobs = listed_jobs(project, [*first, *second], "slurm")
    assert [(job.name, job.task_by_task) for job in jobs] == [("s", ()), ("s-2", ()), ("d", ("s",)), ("d-2", ("s-2",))]


def test_a_benchmark_is_scored_and_then_decided_upon(project: Project, old_bundle: Path) -> None:
    shutil.copytree(old_bundle, project.folder / "bundle")
    overrides = ('benchmark.audio="audio"', 'benchmark.annotations="tables"', 'benchmark.models=["bundle"]')
    loaded = load_project(project.file, overrides)
    jobs = benchmark_jobs(loaded, overrides, "slurm")
    assert [job.name for job in jobs] == ["benchmark-index", "benchmark-score", "benchmark-decide", "benchmark-metrics"]
    task = jobs[1].tasks[0]
    assert task.argv[:4] == ("ossicle", "benchmark", "--task", task.name)
    assert task.argv[4:] == (
        "--progress=plain",
        "--project=ossicle.toml",
        *(f"--set={override}" for override in overrides),
    )
    assert [job.step for job in jobs] == ["benchmark_evaluation", "benchmark_scores", *["benchmark_evaluation"] * 2]
