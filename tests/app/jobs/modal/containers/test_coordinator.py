"""What the coordinator starts, and what it writes of it, with containers that end as a test says."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.jobs.modal import service
from ossicle.app.jobs.modal.containers.coordinator import coordinate
from ossicle.app.jobs.modal.orders import Order
from ossicle.app.jobs.modal.requests import PlanRequest
from ossicle.app.jobs.modal.service import COORDINATE, CallState, Resources
from ossicle.core.errors import ArtefactError, FetchError, UsageError

from .....doubles.modal_double import FolderMount

PLAN = Path("p", "data", "jobs", "0001-a")


class Told:
    """Containers whose calls end at the next look, with the codes that a test gives for each task."""

    def __init__(self, codes: Mapping[str, Sequence[int | None]]) -> None:
        self.codes = {task: list(of) for task, of in codes.items()}
        self.calls: dict[str, str] = {}
        self.most = self.silent = 0
        self.cancelled: list[str] = []
        self.open: set[str] = set()
        self.held: set[str] = set()
        self.coordinators: list[Mapping[str, object]] = []

    def spawn(self, function: str, request: Mapping[str, object], resources: Resources) -> str:
        if self.silent:
            self.silent -= 1
            raise FetchError("silent")
        name = f"fc-{len(self.calls) + len(self.coordinators)}"
        if function == COORDINATE:
            self.coordinators.append(request)
            return name
        self.calls[name] = f"{request['job']}{request['index']}"
        self.open.add(name)
        self.most = max(self.most, len(self.open))
        return name

    def states(self, ids: Sequence[str]) -> dict[str, CallState]:
        out = {}
        for one in ids:
            if self.calls[one] in self.held and one not in self.cancelled:
                out[one] = CallState(service.RUNNING)
                continue
            self.open.discard(one)
            codes = self.codes.get(self.calls[one], [0])
            code = codes.pop(0) if len(codes) > 1 else codes[0]
            failed = code is None or one in self.cancelled
            out[one] = CallState(service.FAILED, None, "killed") if failed else CallState(service.DONE, code)
        return out

    def cancel(self, ids: Sequence[str]) -> None:
        self.cancelled += ids


def give(folder: Path, job: str, number: int, n_tasks: int, needs: tuple[str, ...] = (), **more: Any) -> None:
    place = folder / PLAN / "orders"
    place.mkdir(parents=True, exist_ok=True)
    of = Resources(max_containers=more.pop("at_a_time", 0))
    order = Order(str(number), needs, (("ossicle",),) * n_tasks, (".",) * n_tasks, {}, of, 60.0, **more)
    (place / f"{job}.json").write_bytes(order.text())


def run(folder: Path, told: Told, sleep: Callable[[float], None] = lambda seconds: None, limit_s: float = 1e9) -> int:
    return coordinate(FolderMount(folder), told, PlanRequest("p", "0001-a", limit_s, 0.0).words(), sleep)


def lines(folder: Path, job: str, index: int = 0) -> list[tuple[str, int | None]]:
    file = folder / PLAN / "state" / job / f"{index}.jsonl"
    result = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return [(one["state"], one["code"]) for one in result]


def test_jobs_follow_those_they_need_and_few_containers_run_at_a_time(tmp_path: Path) -> None:
    give(tmp_path, "a", 1, 5, at_a_time=2)
    give(tmp_path, "b", 2, 1, ("a",))
    result = Told({})
    assert run(tmp_path, result) == 0
    assert list(result.calls.values()) == ["a0", "a1", "a2", "a3", "a4", "b0"]
    assert result.most == 2
    assert lines(tmp_path, "b") == [("running", None), ("done", 0)]


def test_a_coordinator_ends_when_another_plan_took_over(tmp_path: Path) -> None:
    """One that was started without a record, and begins late, is invisible to who submits the other plan."""
    give(tmp_path, "a", 1, 2)
    busy = tmp_path / "p" / "busy.json"
    other = json.dumps({"plan": "0001-b", "coordinator": "", "host": "elsewhere"})
    busy.write_text(other)
    told = Told({})
    assert run(tmp_path, told) == 0
    assert told.calls == {}
    # Damaged, or its own: it works. What runs is ended when the other plan comes.
    for text in ("{", json.dumps({"plan": "0001-a"})):
        busy.write_text(text)
        told = Told({})
        told.held = {"a0", "a1"}

        def sleep(seconds: float, told: Told = told) -> None:
            assert told.calls
            busy.write_text(other)

        assert run(tmp_path, told, sleep) == 0
        assert told.cancelled == list(told.calls) == ["fc-0", "fc-1"]
        for file in (tmp_path / PLAN / "calls").iterdir():
            file.unlink()


def test_jobs_side_by_side_share_the_limit_of_the_plan(tmp_path: Path) -> None:
    for number, job in enumerate(("a", "b", "c"), start=1):
        give(tmp_path, job, number, 3, at_a_time=3, most_containers=3)
    result = Told({})
    assert run(tmp_path, result) == 0
    assert len(result.calls) == 9
    assert result.most == 3


def test_how_tasks_end(tmp_path: Path) -> None:
    codes: dict[str, list[int | None]] = {
        "a0": [1, 0],
        "a1": [1],
        "a2": [2],
        "a3": [3],
        "a4": [None, 0],
        "a5": [143, 143, 0],
        "a6": [143],
        "a7": [4],
    }
    give(tmp_path, "a", 1, len(codes), attempts=3, continuations=3)
    give(tmp_path, "b", 2, 1, ("a",))
    result = Told(codes)
    assert run(tmp_path, result) == 0
    ends = {
        index: [line for line in lines(tmp_path, "a", index) if line[0] != "running"] for index in range(len(codes))
    }
    assert ends == {
        0: [("again", 1), ("done", 0)],
        1: [("again", 1), ("again", 1), ("failed", 1)],
        2: [("failed", 2)],
        3: [("done", 3)],
        4: [("again", None), ("done", 0)],
        5: [("limit", 143), ("limit", 143), ("done", 0)],
        6: [*[("limit", 143)] * 3, ("failed", 143)],
        7: [("done", 4)],
    }
    # What needs a failed job never starts.
    assert lines(tmp_path, "b") == []
    assert "b0" not in result.calls.values()


def test_a_coordinator_that_is_taken_away_goes_on(tmp_path: Path) -> None:
    give(tmp_path, "a", 1, 3)
    give(tmp_path, "b", 2, 1, ("a",))
    result = Told({})
    result.held = {"a0", "a1", "a2"}
    waits = iter(range(2))

    def taken(seconds: float) -> None:
        if next(waits, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, result, taken)
    result.held = set()
    assert run(tmp_path, result) == 0
    # No task was started twice.
    assert sorted(result.calls.values()) == ["a0", "a1", "a2", "b0"]


def test_a_container_that_began_without_a_record_is_not_doubled(tmp_path: Path) -> None:
    """The coordinator was taken away between the start of a container and the commit of its call."""
    give(tmp_path, "a", 1, 2)
    result = Told({})
    result.calls = {"fc-lost": "a0"}
    begun = tmp_path / PLAN / "begun"
    begun.mkdir()
    (begun / "a-0").write_text("1 fc-lost")
    assert run(tmp_path, result) == 0
    assert sorted(result.calls.values()) == ["a0", "a1"]
    assert lines(tmp_path, "a") == [("running", None), ("done", 0)]


@pytest.mark.parametrize("text", ["", "0 fc-lost", "2 fc-lost", "1", "x fc-lost"])
def test_another_beginning_is_none_of_this_attempt(tmp_path: Path, text: str) -> None:
    give(tmp_path, "a", 1, 1)
    result = Told({})
    begun = tmp_path / PLAN / "begun"
    begun.mkdir()
    (begun / "a-0").write_text(text)
    assert run(tmp_path, result) == 0
    assert list(result.calls.values()) == ["a0"]
    assert lines(tmp_path, "a") == [("running", None), ("done", 0)]


def test_at_its_limit_another_one_goes_on(tmp_path: Path) -> None:
    give(tmp_path, "a", 1, 1)
    result = Told({})
    result.held = {"a0"}
    assert run(tmp_path, result, limit_s=-1.0) == 0
    assert len(result.coordinators) == 1
    (lead,) = (tmp_path / PLAN / "leads").iterdir()
    assert json.loads(lead.read_text()) == {"call": "fc-1"}
    assert lead.stem == result.coordinators[0]["leader"]
    # The old one, begun once more by Modal, sees that another one leads.
    assert run(tmp_path, result) == 0
    result.held = set()
    assert (
        coordinate(FolderMount(tmp_path), result, {**result.coordinators[0], "limit_s": 1e9}, lambda seconds: None) == 0
    )
    assert lines(tmp_path, "a") == [("running", None), ("done", 0)]
    assert list(result.calls.values()) == ["a0"]


def test_cancelled_jobs_end_and_others_go_on(tmp_path: Path) -> None:
    give(tmp_path, "a", 1, 2)
    give(tmp_path, "b", 2, 1)
    give(tmp_path, "c", 3, 1, ("a",))
    result = Told({})
    result.held = {"a0", "a1"}

    def cancel(seconds: float) -> None:
        place = tmp_path / PLAN / "cancelled"
        place.mkdir(exist_ok=True)
        (place / "a").touch()

    assert run(tmp_path, result, cancel) == 0
    assert [lines(tmp_path, "a", index)[-1] for index in (0, 1)] == [("cancelled", None)] * 2
    assert lines(tmp_path, "b")[-1] == ("done", 0)
    assert lines(tmp_path, "c") == []


def test_when_modal_does_not_answer_tasks_start_later(tmp_path: Path) -> None:
    give(tmp_path, "a", 1, 2)
    result = Told({})
    result.silent = 3
    assert run(tmp_path, result) == 0
    assert lines(tmp_path, "a", 1) == [("running", None), ("done", 0)]


@pytest.fixture
def silent(tmp_path: Path) -> FolderMount:
    """A volume of which every second question fails."""
    asked = iter(range(10_000))

    class Silent(FolderMount):
        def _answer(self) -> None:
            if next(asked) % 2:
                raise FetchError("silent")

        reload = commit = _answer

    return Silent(tmp_path)


def test_a_volume_that_is_silent_now_and_then_ends_nothing(tmp_path: Path, silent: FolderMount) -> None:
    give(tmp_path, "a", 1, 3, at_a_time=1)
    give(tmp_path, "b", 2, 1, ("a",))
    result, request = Told({}), PlanRequest("p", "0001-a", 1e9, 0.0).words()
    assert coordinate(silent, result, request, lambda seconds: None) == 0
    assert list(result.calls.values()) == ["a0", "a1", "a2", "b0"]


def test_a_silent_volume_has_one_successor(tmp_path: Path, silent: FolderMount) -> None:
    give(tmp_path, "a", 1, 1)
    result = Told({})
    result.held = {"a0"}
    silent.reload()
    with suppress(FetchError):
        silent.commit()
    assert coordinate(silent, result, PlanRequest("p", "0001-a", -1.0, 0.0).words(), lambda seconds: None) == 0
    assert len(result.coordinators) == 1


def test_a_volume_that_stays_silent_ends_the_coordinator(tmp_path: Path) -> None:
    give(tmp_path, "a", 1, 1)

    class Gone(FolderMount):
        def commit(self) -> None:
            raise FetchError("gone")

    with pytest.raises(FetchError, match="gone"):
        coordinate(Gone(tmp_path), Told({}), PlanRequest("p", "0001-a", 1e9, 0.0).words(), lambda seconds: None)


def test_what_modal_refuses_fails_with_its_reason(tmp_path: Path) -> None:
    give(tmp_path, "a", 1, 2)
    give(tmp_path, "b", 2, 1, ("a",))

    class Refusing(Told):
        def spawn(self, function: str, request: Mapping[str, object], resources: Resources) -> str:
            raise UsageError("Modal refuses: no GPU of this type")

    assert run(tmp_path, Refusing({})) == 0
    assert [lines(tmp_path, "a", index) for index in (0, 1)] == [[("failed", None)]] * 2
    assert "no GPU of this type" in (tmp_path / PLAN / "state" / "a" / "1.jsonl").read_text()
    assert lines(tmp_path, "b") == []


@pytest.fixture(params=["{", "[]", '{"format": 2}', '{"format": 1, "number": "1"}'])
def damaged(request: pytest.FixtureRequest) -> Iterator[str]:
    return request.param


def test_a_damaged_order_is_named(tmp_path: Path, damaged: str) -> None:
    give(tmp_path, "a", 1, 1)
    (tmp_path / PLAN / "orders" / "a.json").write_text(damaged)
    with pytest.raises(ArtefactError, match=r"a\.json"):
        run(tmp_path, Told({}))


def test_an_order_runs_ossicle_only(tmp_path: Path) -> None:
    give(tmp_path, "a", 1, 1)
    file = tmp_path / PLAN / "orders" / "a.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "commands": [["sh", "-c", "true"]]}))
    with pytest.raises(ArtefactError, match="is not a command line of ossicle"):
        run(tmp_path, Told({}))
