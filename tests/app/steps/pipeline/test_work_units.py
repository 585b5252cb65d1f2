"""Work units of steps: done side by side and in any order they are what the step is, and nobody does one twice."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ossicle.app.jobs.build import gather_placement
from ossicle.app.project.load import Project, load_project
from ossicle.app.project.tables.placement import StepPlacement
from ossicle.app.steps.engine.step import Silent, find_steps
from ossicle.app.steps.pipeline import detector
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.app.steps.pipeline.work_units import gather_step, run_work_unit
from ossicle.artefacts.files import tree_digest
from ossicle.artefacts.locks.lock import LOCKS_VARIABLE
from ossicle.artefacts.logs.runlog import read_run_log
from ossicle.artefacts.logs.shared_runlog import RUNS
from ossicle.artefacts.shelf import MANIFEST, NOT_CONTENT, RUN_LOG, Shelf
from ossicle.core.errors import OssicleError, UsageError


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
