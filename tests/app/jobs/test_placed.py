"""Jobs in rounds: work units that another step's work units name are planned when those are done."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ossicle.app.jobs import placed
from ossicle.app.jobs.build import step_jobs
from ossicle.app.jobs.job import Job
from ossicle.app.jobs.placed import RunOptions, do_in_rounds, jobs_of, needs_jobs
from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.engine.step import Context, Silent, Step, WorkUnits, find_steps
from ossicle.app.steps.pipeline.pipeline import Artefacts, Pipeline
from ossicle.app.steps.pipeline.pipelines import PIPELINES, pipeline_of
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.app.steps.pipeline.work_units import gather_step, run_work_unit
from ossicle.artefacts.files import write_text

PROJECT = """
[project]
pipeline = "chain"
[corpus]
audio = "audio"
[variants.other.split]
seed = 1
[variants.same.split]
seed = 0
"""


def step(name: str, *needs: str, by: str = "") -> Step:
    """A step that writes two files; with ``by``, each file of that step is one of its work units."""

    def write(context: Context) -> None:
        for part in ("x", "y"):
            write_text(context.folder / part, name)

    def names(inputs: Artefacts) -> tuple[str, ...]:
        return tuple(path.name for path in sorted(inputs[by].iterdir()) if path.suffix == "" and path.name != "logs")

    def run_one(context: Context, part: str) -> None:
        write_text(context.folder / part, name)

    divided = WorkUnits((by,), names, run_one, lambda out, part: (out / part).exists()) if by else None
    seed = name in ("learn", "apply")
    return Step(
        name, 1, needs, lambda project: {"seed": project.settings.split.seed} if seed else {}, write, work_units=divided
    )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Project]:
    steps = (
        step("list"),
        step("cut", "list", by="list"),
        step("encode", "cut", by="cut"),
        step("learn", "encode"),
        step("apply", "encode", "learn", by="encode"),
        step("page", "apply"),
    )
    monkeypatch.delenv("OSSICLE_DATA_ROOT", raising=False)
    monkeypatch.setitem(PIPELINES, "chain", Pipeline(name="chain", steps=steps))
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    return lambda *overrides, variant="": load_project(tmp_path, overrides, None, variant)


def rounds(on: str | None, monkeypatch: pytest.MonkeyPatch, *projects: Project) -> list[list[tuple[str, str, int]]]:
    """Name, place and number of tasks of each job by round; the jobs of a round are then done."""
    seen: list[list[tuple[str, str, int]]] = []

    def do(project: Project, jobs: Sequence[Job], *rest: object) -> None:
        seen.append([(job.name, job.placement.on, len(job.tasks)) for job in jobs])
        for one in projects:
            own = [job.step for job in jobs if job.name.startswith(f"{one.variant}." if one.variant else job.step)]
            run_project(one, Silent(), until=own[-1] if own else "list")

    monkeypatch.setattr(placed, "do_jobs", do)
    do_in_rounds(projects, RunOptions(on=on), Silent(), lambda states: None, lambda folder: None)
    return seen


def test_only_what_no_work_units_name_is_planned_here(project: Callable[..., Project]) -> None:
    assert [one.name for one in pipeline_of(project()).planning_steps(project())] == ["list"]


def test_each_round_has_the_arrays_that_are_known(
    project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rounds("slurm", monkeypatch, project()) == [
        [("cut", "slurm", 2), ("cut.gather", "slurm", 1)],
        [("encode", "slurm", 2), ("encode.gather", "slurm", 1), ("learn", "slurm", 1)],
        [("apply", "slurm", 2), ("apply.gather", "slurm", 1), ("page", "slurm", 1)],
    ]
    assert rounds("slurm", monkeypatch, project()) == []


def test_what_is_here_is_done_before_what_follows_elsewhere(
    project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = project("jobs.encode.on=slurm")
    assert needs_jobs(loaded, RunOptions())
    result = rounds(None, monkeypatch, loaded)
    assert result[0] == [("cut", "local", 2), ("cut.gather", "local", 1)]
    assert result[1:] == [[("encode", "slurm", 2), ("encode.gather", "slurm", 1)]]


def test_a_run_that_cannot_be_waited_for_has_them_as_one_task(project: Callable[..., Project]) -> None:
    loaded = project()
    run_project(loaded, Silent(), until="list")
    jobs = step_jobs(loaded, pipeline_of(loaded).steps_of(loaded), (), "slurm")
    assert [(job.name, len(job.tasks)) for job in jobs] == [("cut", 2), ("cut.gather", 1), ("encode-page", 1)]
    assert jobs[-1].tasks[0].argv[:7] == ("ossicle", "run", "encode", "learn", "apply", "page", "--on=local")
    assert find_steps(pipeline_of(loaded).steps_of(loaded), loaded)["cut"] is None


def test_what_variants_share_is_done_once_and_the_other_waits_for_it(project: Callable[..., Project]) -> None:
    projects = [project(), project(variant="other"), project(variant="same")]
    run_project(projects[0], Silent(), until="cut")
    jobs = jobs_of(projects, RunOptions(on="slurm"), Silent())
    assert [(job.name, job.needs) for job in jobs] == [
        ("encode", ()),
        ("encode.gather", ("encode",)),
        ("learn-page", ("encode.gather",)),
        ("other.learn-page", ("encode.gather",)),
    ]


def test_variants_that_share_steps_are_done_in_rounds(
    project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [[name for name, _, _ in one] for one in rounds("slurm", monkeypatch, project(), project(variant="other"))]
    assert names == [
        ["cut", "cut.gather"],
        ["encode", "encode.gather", "learn", "other.learn"],
        ["apply", "apply.gather", "page", "other.apply", "other.apply.gather", "other.page"],
    ]


def test_only_work_units_that_are_asked_for_are_tasks(
    project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, cut = step("list"), step("cut", "list", by="list")
    assert cut.work_units is not None
    asked = replace(cut, work_units=replace(cut.work_units, chosen=lambda project, names: names[:1]))
    monkeypatch.setitem(PIPELINES, "chain", Pipeline(name="chain", steps=(first, asked)))
    loaded = project()
    run_project(loaded, Silent(), until="list")
    for on in ("local", "slurm", "modal"):
        jobs = step_jobs(loaded, pipeline_of(loaded).steps_of(loaded), (), on)
        assert [(job.name, len(job.tasks)) for job in jobs] == [("cut", 1), ("cut.gather", 1)], on


def test_a_step_of_which_all_work_units_are_done_is_only_gathered(project: Callable[..., Project]) -> None:
    """As after an array whose gathering failed: it needs no GPU, and does not wait for one."""
    loaded = project("jobs.cut.gpus=1")
    run_project(loaded, Silent(), until="list")
    steps = pipeline_of(loaded).steps_of(loaded)
    for part in ("x", "y"):
        run_work_unit(loaded, "cut", part, Silent(), gather=False)
    first, *_ = step_jobs(loaded, steps, (), "slurm", known_only=True)
    assert (first.name, first.tasks[0].argv[:4], first.placement.gpus) == (
        "cut.gather",
        ("ossicle", "jobs", "gather", "cut"),
        0,
    )
    assert [(job.name, len(job.tasks)) for job in step_jobs(loaded, steps, (), "modal", known_only=True)] == [
        ("cut", 2),
        ("cut.gather", 1),
    ]
    assert gather_step(loaded, "cut", Silent()) == "computed"
