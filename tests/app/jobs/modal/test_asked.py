"""What containers get, and the most that a plan can use."""

import pytest

from ossicle.app.jobs.job import Job, JobPlan, Task
from ossicle.app.jobs.modal.asked import bounds_of, limit_s, resources_of
from ossicle.app.jobs.modal.service import Resources
from ossicle.app.project.tables.modal import ModalSettings
from ossicle.app.project.tables.placement import StepPlacement
from ossicle.core.errors import UsageError


def job(n_tasks: int = 3, **placed: object) -> Job:
    place = StepPlacement(on="modal", **{"gpus": 0, **placed})  # type: ignore[arg-type]
    return Job("a", tuple(Task(str(one), ("ossicle",)) for one in range(n_tasks)), (), place, "training")


@pytest.mark.parametrize(
    ("placed", "asked"),
    [
        ({}, Resources(0.0, 0, "", 12 * 3600, 3)),
        ({"gpus": 1}, Resources(0.0, 0, "L4", 12 * 3600, 3)),
        ({"gpus": 2, "gpu_type": "A100-80GB", "cpus": 8}, Resources(8.0, 0, "A100-80GB:2", 12 * 3600, 3)),
        ({"memory": "16G", "time": "90"}, Resources(0.0, 16384, "", 5400, 3)),
        ({"memory": "800", "time": "3:00"}, Resources(0.0, 800, "", 180, 3)),
        ({"memory": "1T", "time": "1:02:03"}, Resources(0.0, 1 << 20, "", 3723, 3)),
        ({"time": "2-12"}, Resources(0.0, 0, "", 24 * 3600, 3)),
        ({"max_concurrent": 2}, Resources(0.0, 0, "", 12 * 3600, 2)),
        ({"max_concurrent": 50}, Resources(0.0, 0, "", 12 * 3600, 3)),
    ],
)
def test_resources(placed: dict[str, object], asked: Resources) -> None:
    assert resources_of(job(**placed), ModalSettings()) == asked


def test_the_guard_against_costs_is_the_lowest_limit() -> None:
    assert resources_of(job(100), ModalSettings()).max_containers == 10
    assert resources_of(job(100, max_concurrent=50), ModalSettings(max_concurrent=4)).max_containers == 4


@pytest.mark.parametrize(
    ("placed", "words"), [({"memory": "much"}, "no size"), ({"memory": "0"}, "no size"), ({"time": "1"}, "two minutes")]
)
def test_what_no_container_can_have(placed: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        resources_of(job(**placed), ModalSettings())


def test_tasks_save_before_the_end() -> None:
    assert limit_s(Resources(timeout_s=600)) == 540
    assert limit_s(Resources(timeout_s=12 * 3600)) == 12 * 3600 - 300


def test_the_most_that_a_plan_can_use() -> None:
    local = Job("b", (Task("t", ("ossicle",)),))
    (bound,) = bounds_of(JobPlan((job(time="60"), local), 3, 5), ModalSettings())
    assert (bound.job, bound.tasks, bound.once_h, bound.most_h) == ("a", 3, 3.0, 24.0)
