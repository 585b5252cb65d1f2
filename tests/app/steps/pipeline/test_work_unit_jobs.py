"""Work units as jobs: arrays of tasks, what each waits for, and tasks that another command lists."""

import shutil
from pathlib import Path

import pytest

from ossicle.app.jobs.benchmark import benchmark_jobs
from ossicle.app.jobs.build import Listed, listed_jobs, step_jobs
from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.engine.step import Silent, find_steps
from ossicle.app.steps.pipeline import detector
from ossicle.app.steps.pipeline.work_units import run_work_unit
from ossicle.artefacts.typed.dataset import DatasetFolder


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
