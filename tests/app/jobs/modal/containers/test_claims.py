"""A coordinator may die at any moment: no task is worked on twice, and what is done is not done again."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from ossicle.app.jobs.modal import service
from ossicle.app.jobs.modal.containers.claims import EXIT_NOT_MINE, turn, wait_for_turn
from ossicle.app.jobs.modal.containers.container import run_task
from ossicle.app.jobs.modal.containers.coordinator import coordinate
from ossicle.app.jobs.modal.orders import Order, VolumePlan, lead_after
from ossicle.app.jobs.modal.requests import PlanRequest, TaskRequest
from ossicle.app.jobs.modal.service import CallState, Resources
from ossicle.app.jobs.state import FINE
from ossicle.core.errors import FetchError

from .....doubles.modal_double import FolderMount
from .....doubles.snapshot_volume import SnapshotMount, SnapshotVolume

PLAN = Path("p", "data", "jobs", "0001-a")
JOBS: dict[str, tuple[tuple[str, ...], int]] = {"a": ((), 2), "a.gather": (("a",), 1)}


class Died(BaseException):
    """The coordinator is taken away."""


def die(world: "World") -> None:
    raise Died


class World:
    """Modal: calls that work if it is their turn, and something that happens at the n-th dealing with the service."""

    def __init__(self, folder: Path, at: int = -1, happens: "Callable[[World], None] | None" = None) -> None:
        self.volume = SnapshotVolume(folder)
        self.files = VolumePlan(self.volume.files, "p", "0001-a")
        self.calls: dict[str, TaskRequest] = {}
        self.looks: Counter[str] = Counter()
        self.codes: dict[str, int] = {}
        self.up: set[str] = set()
        self.worked: list[tuple[str, int]] = []
        self.dealings, self._at, self._happens, self._views = 0, at, happens or die, 0
        place = self.volume.files / PLAN / "orders"
        place.mkdir(parents=True)
        for number, (job, (needs, n_tasks)) in enumerate(JOBS.items(), start=1):
            order = Order(str(number), needs, (("ossicle",),) * n_tasks, (".",) * n_tasks, {}, Resources(), 60.0)
            (place / f"{job}.json").write_bytes(order.text())

    def deal(self) -> None:
        """Count a dealing of a coordinator, and let happen what is to."""
        self.dealings += 1
        if self.dealings == self._at:
            self._happens(self)

    def spawn(self, function: str, request: Mapping[str, object], resources: Resources) -> str:
        self.deal()
        name = f"fc-{len(self.calls)}"
        self.calls[name] = TaskRequest(**request)  # type: ignore[arg-type]
        self.deal()
        return name

    def states(self, ids: Sequence[str]) -> dict[str, CallState]:
        self.deal()
        self.advance()
        return {one: self._state(one) for one in ids}

    def _state(self, name: str) -> CallState:
        if name in self.codes:
            return CallState(service.DONE, self.codes[name])
        return CallState(service.RUNNING)

    def cancel(self, ids: Sequence[str]) -> None:
        assert not ids

    def advance(self) -> None:
        """Let every container that is up look once at what is committed, and work if it may."""
        for number, (name, request) in enumerate(self.calls.items()):
            self.looks[name] += 1
            # Containers take a while to come up.
            if name in self.codes or self.looks[name] <= 1 + number % 3:
                continue
            mine = turn(self.files, request, name)
            if mine is None or (mine and name not in self.up):
                # It tells its call, and works from the next look on if it may.
                begun = self.files.begun(request.job, request.index)
                begun.parent.mkdir(exist_ok=True)
                begun.write_text(f"{request.attempt} {name}")
                self.up |= {name} if mine else set()
                continue
            if name in self.up:
                # The work takes a few looks.
                if self.looks[name] < 5 + number % 3:
                    continue
                self.worked.append((request.job, request.index))
            self.codes[name] = 0 if name in self.up else EXIT_NOT_MINE

    def coordinate(self, leader: str) -> None:
        """Run a coordinator until it ends or dies."""
        world, self._views = self, self._views + 1

        class Mount(SnapshotMount):
            def reload(self) -> None:
                world.deal()
                super().reload()

            def commit(self) -> None:
                world.deal()
                super().commit()
                world.deal()

        def sleep(seconds: float) -> None:
            world.deal()
            world.advance()

        try:
            view = Path(self.volume.files.parent / f"view-{self._views}")
            coordinate(Mount(self.volume, view), self, PlanRequest("p", "0001-a", 1e9, 0.0, leader).words(), sleep)
        except Died:
            return
        finally:
            shutil.rmtree(view, ignore_errors=True)

    def issue(self) -> str:
        """Choose the name of the next coordinator, as the machine that starts it does."""
        name = lead_after(self.files.newest_lead())
        self.files.lead(name).parent.mkdir(exist_ok=True)
        self.files.lead(name).write_text('{"call": ""}')
        return name

    def ends(self) -> dict[tuple[str, int], list[tuple[str, int | None]]]:
        """The lines about the end of each task."""
        out = {}
        for job, (_, n_tasks) in JOBS.items():
            for index in range(n_tasks):
                lines = [json.loads(line) for line in self.files.state(job, index).read_text().splitlines()]
                out[job, index] = [(line["state"], line["code"]) for line in lines if line["state"] != "running"]
        return out


ONCE = [("a", 0), ("a", 1), ("a.gather", 0)]


def all_dealings(tmp_path: Path) -> int:
    world = World(tmp_path / "whole")
    world.coordinate(world.issue())
    assert sorted(world.worked) == ONCE
    return world.dealings


@pytest.mark.parametrize("same", [True, False], ids=["Modal begins it again", "this machine starts another"])
def test_wherever_a_coordinator_dies_every_task_is_worked_on_once(tmp_path: Path, same: bool) -> None:
    doubled = 0
    for at in range(1, all_dealings(tmp_path) + 1):
        world = World(tmp_path / str(at), at)
        leader = world.issue()
        world.coordinate(leader)
        world.coordinate(leader if same else world.issue())
        assert sorted(world.worked) == ONCE, at
        assert set(map(tuple, world.ends().values())) == {(("done", 0),)}, (at, world.ends())
        doubled += len(world.calls) > len(ONCE)
        shutil.rmtree(tmp_path / str(at))
    # The hole is there: some calls were started twice, and one of each two did nothing.
    assert doubled


def test_a_coordinator_that_another_one_overtakes_does_no_harm(tmp_path: Path) -> None:
    """It was taken for dead, goes on from what it saw before, and commits over the lines of the one that leads."""
    for at in range(1, all_dealings(tmp_path) + 1):
        world = World(tmp_path / str(at), at, lambda world: world.coordinate(world.issue()))
        world.coordinate(world.issue())
        assert sorted(world.worked) == ONCE, at
        # The machine that follows misses the end of a task, and starts another coordinator.
        world.coordinate(world.issue())
        assert {ends[-1] for ends in world.ends().values()} == {("done", 0)}, (at, world.ends())
        assert sorted(world.worked) == ONCE, at
        shutil.rmtree(tmp_path / str(at))


def test_a_coordinator_that_is_not_dead_stops_when_another_one_leads(tmp_path: Path) -> None:
    world = World(tmp_path)
    first = world.issue()
    world.coordinate(first)
    dealings = world.dealings
    world.issue()
    world.coordinate(first)
    # It loads the volume twice, and leaves.
    assert world.dealings - dealings <= 2
    assert sorted(world.worked) == ONCE


def record(tmp_path: Path, leader: str, attempt: int, call: str) -> VolumePlan:
    files = VolumePlan(tmp_path, "p", "0001-a")
    files.calls(leader).parent.mkdir(parents=True, exist_ok=True)
    row = {"job": "a", "index": 0, "try": {"attempt": attempt, "call": call}}
    files.calls(leader).write_text(json.dumps({"calls": [row]}))
    return files


def test_only_what_the_leading_coordinator_recorded_works(tmp_path: Path) -> None:
    request = TaskRequest("p", "0001-a", "a", 0, 2)
    files = VolumePlan(tmp_path, "p", "0001-a")
    assert turn(files, request, "fc-1") is None
    for attempt, call, mine in (
        (1, "fc-0", None),
        (2, "fc-1", True),
        (2, "fc-2", False),
        (2, "", False),
        (3, "", False),
    ):
        record(tmp_path, "000000", attempt, call)
        assert turn(files, request, "fc-1") is mine
    record(tmp_path, "000000", 2, "fc-1")
    other = TaskRequest("p", "0001-a", "a", 1, 1)
    assert turn(files, other, "fc-1") is None
    # Another one leads, and has not said anything yet.
    files.lead("000001-aa").parent.mkdir()
    files.lead("000001-aa").write_text('{"call": ""}')
    assert turn(files, request, "fc-1") is None
    record(tmp_path, "000001-aa", 2, "fc-9")
    assert turn(files, request, "fc-1") is False


def test_a_container_waits_for_its_record_and_gives_up(tmp_path: Path) -> None:
    request = TaskRequest("p", "0001-a", "a", 0, 1)
    files = VolumePlan(tmp_path, "p", "0001-a")
    waits: list[float] = []

    class Silent(FolderMount):
        def reload(self) -> None:
            raise FetchError("silent")

    def recorded(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            record(tmp_path, "000000", 1, "fc-1")

    assert wait_for_turn(Silent(tmp_path), files, request, "fc-1", recorded)
    assert len(waits) == 3
    shutil.rmtree(tmp_path / "p")
    assert not wait_for_turn(FolderMount(tmp_path), files, request, "fc-1", waits.append, most_s=5.0)
    assert len(waits) == 8


def test_a_call_that_is_not_recorded_runs_no_command(tmp_path: Path) -> None:
    World(tmp_path)
    record(tmp_path / "volume", "000000", 1, "fc-2")
    request = TaskRequest("p", "0001-a", "a", 0, 1).words()
    assert run_task(FolderMount(tmp_path / "volume"), request, ("/no/such/program",), call="fc-1") == EXIT_NOT_MINE
    assert not (tmp_path / "volume" / PLAN / "begun").exists()
    assert EXIT_NOT_MINE not in FINE


def test_a_call_that_gave_up_is_started_again_and_is_no_failure(tmp_path: Path) -> None:
    world = World(tmp_path)

    def advance() -> None:
        for name, request in world.calls.items():
            world.codes[name] = EXIT_NOT_MINE if request.attempt == 1 else 0

    world.advance = advance  # type: ignore[method-assign]
    world.coordinate(world.issue())
    assert world.ends() == {key: [("done", 0)] for key in ONCE}
