"""What becomes of tasks on a real Slurm: retries, the wall time, tasks that wait for one task, and a node that dies."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ossicle.app.jobs.conduct import conduct
from ossicle.app.jobs.folder import PlanFolder, json_lines
from ossicle.app.jobs.job import Job, JobPlan, Task
from ossicle.app.jobs.slurm.runner import partitions, queue
from ossicle.app.jobs.slurm.scripts import write_scripts
from ossicle.app.jobs.state import TaskState
from ossicle.app.project.tables.placement import StepPlacement

from ..made_up.untrained import PROJECT, write_tapes
from .on_slurm import TINY, made_up, ossicle, require_slurm

pytestmark = pytest.mark.slurm

SCRIPT = Path(__file__).parents[2] / "scripts" / "slurm_here.sh"
EPOCHS = 16


@pytest.fixture(scope="module", autouse=True)
def a_slurm() -> None:
    require_slurm()


def found(states: list[TaskState]) -> dict[str, tuple[str, int, int | None]]:
    return {state.task.name: (state.state, state.attempt, state.code) for state in states}


def lines(folder: PlanFolder, job: Job, index: int) -> list[tuple[str, int | None]]:
    return [(line["state"], line["code"]) for line in json_lines(folder.state(job, index))]


def test_what_fails_once_is_queued_again_and_what_keeps_failing_ends_the_rest(tmp_path: Path) -> None:
    folder, plan = made_up(
        tmp_path,
        {
            "first": ((), {"good": "x", "again": "once", "part": "partial", "gate": "refused"}),
            "second": (("first",), {"bad": "never"}),
            "third": (("second",), {"late": "x"}),
        },
    )
    states = conduct(folder, plan, lambda job: 1, lambda states: None, 0.5)
    assert found(states) == {
        "good": ("done", 1, 0),
        "again": ("done", 2, 0),
        "part": ("done", 1, 3),
        "gate": ("done", 1, 4),
        "bad": ("failed", 2, 5),
        "late": ("lost", 0, None),
    }
    result = lines(folder, plan.jobs[0], 1)
    assert result == [("running", None), ("again", 7), ("running", None), ("done", 0)]
    assert folder.log(plan.jobs[0], 1).read_text().count("attempt of again") == 2


def test_before_the_wall_time_slurm_warns_and_the_task_saves_its_state_and_goes_on(tmp_path: Path) -> None:
    # The shortest limit there is: Slurm warns a minute before its end, thus within half a minute.
    folder, plan = made_up(tmp_path, {"long": ((), {"task": "long"})}, time="0:01:00")
    states = conduct(folder, plan, lambda job: 1, lambda states: None, 0.5)
    assert found(states) == {"task": ("done", 2, 0)}
    result = lines(folder, plan.jobs[0], 0)
    assert result == [("running", None), ("limit", 143), ("running", None), ("done", 0)]
    number = folder.numbers()["long"]
    assert {line["id"] for line in json_lines(folder.state(plan.jobs[0], 0))} == {f"{number}_0"}


def test_a_task_that_slurm_ends_and_queues_again_by_itself_goes_on(tmp_path: Path) -> None:
    # As when its node is taken out of service, or other jobs come first: all its processes get SIGTERM, as by scancel.
    folder, plan = made_up(tmp_path, {"long": ((), {"task": "long"})})
    asked: list[str] = []

    def requeue(states: object) -> None:
        if not asked and (folder.project / "begun").exists():
            asked.append(f"{folder.numbers()['long']}_0")
            subprocess.run(["scontrol", "requeue", *asked], check=True, timeout=60)

    states = conduct(folder, plan, lambda job: 1, requeue, 0.5)
    assert found(states) == {"task": ("done", 2, 0)}
    result = lines(folder, plan.jobs[0], 0)
    assert result == [("running", None), ("cancelled", 143), ("running", None), ("done", 0)]


def test_a_task_waits_for_the_task_of_its_own_index_only(tmp_path: Path) -> None:
    # `last` ends only when `second` has begun in the next array, and the counterpart of `bad` must not begin.
    folder, plan = made_up(
        tmp_path,
        {
            "scores": ((), {"last": "wait", "second": "once", "bad": "wrong"}),
            "decisions": (("scores",), {"last-too": "x", "opens": "open", "never": "x"}),
            "table": (("decisions",), {"late": "x"}),
        },
        task_by_task={"decisions": ("scores",)},
    )
    states = conduct(folder, plan, lambda job: 1, lambda states: None, 0.5)
    assert found(states) == {
        "last": ("done", 1, 0),
        "second": ("done", 2, 0),
        "bad": ("failed", 1, 2),
        "last-too": ("done", 1, 0),
        "opens": ("done", 1, 0),
        "never": ("lost", 0, None),
        "late": ("lost", 0, None),
    }


@pytest.fixture
def spare_node() -> None:
    """A second node, which a test may switch off."""
    if "pair" not in (partitions() or ()):
        pytest.skip("this Slurm has no second node to switch off: scripts/slurm_here.sh starts one that has")


def slurm_here(word: str) -> None:
    env = {**os.environ, "SLURM_HERE": str(Path(os.environ["SLURM_CONF"]).parent)}
    subprocess.run([SCRIPT, word], env=env, check=True, capture_output=True, timeout=60)


def epochs(project: Path) -> list[str]:
    """The epochs of fold0 as they are recorded, each with how long it took."""
    return [
        line for file in project.glob("data/training/*/fold0/metrics.jsonl") for line in file.read_text().splitlines()
    ]


@pytest.mark.usefixtures("spare_node")
def test_a_training_on_a_node_that_dies_goes_on_on_another_one(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    write_tapes(there, ("siteA_1", "siteB_1"))
    (there / "ossicle.toml").write_text(PROJECT + TINY)
    ossicle("run", "-p", there, "--until", "store")
    shutil.copytree(there, here)
    command = ("jobs", "task", "training", "fold0", "--progress=plain", f"--set=training.epochs={EPOCHS}")
    placement = StepPlacement(on="slurm", gpus=0, partition="pair")
    folder = PlanFolder(there / "jobs", there)
    plan = JobPlan((Job("training", (Task("fold0", ("ossicle", *command, "--project=ossicle.toml")),), (), placement),))
    write_scripts(folder, plan)
    before: list[str] = []

    def switch_off(states: list[TaskState]) -> None:
        if not before and len(done := epochs(there)) >= 2:
            before.extend(done)
            number = folder.numbers()["training"]
            assert queue([number])[f"{number}_0"].node == "spare"
            slurm_here("cut")
            # As the controller does by itself when the node did not answer for five minutes.
            subprocess.run(["scontrol", "update", "nodename=spare", "state=down", "reason=cut"], check=True, timeout=60)

    try:
        states = conduct(folder, plan, lambda job: 1, switch_off, 0.5)
    finally:
        slurm_here("start")
    assert found(states) == {"fold0": ("done", 2, 0)}
    assert lines(folder, plan.jobs[0], 0) == [("running", None), ("running", None), ("done", 0)]
    after = epochs(there)
    assert len(after) == EPOCHS
    assert len(before) < EPOCHS
    # An epoch that was done again took another time; the last line may have been written before its state.
    assert after[: len(before) - 1] == before[:-1]
    ossicle(*command, "-p", here)
    (path,), (other,) = (place.glob("data/training/.work-*/fold0/weights.safetensors") for place in (there, here))
    assert path.read_bytes() == other.read_bytes()
