"""Coordinator and tasks over a volume that shows each container a snapshot, and loses what nobody committed."""

import json
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from ossicle.app.jobs.modal import service
from ossicle.app.jobs.modal.containers.container import run_task
from ossicle.app.jobs.modal.containers.coordinator import coordinate
from ossicle.app.jobs.modal.orders import Order
from ossicle.app.jobs.modal.requests import PlanRequest, TaskRequest
from ossicle.app.jobs.modal.service import CallState, Resources

from ....doubles.modal_double import FolderMount
from ....doubles.snapshot_volume import Lost, SnapshotMount, SnapshotVolume, lost

PLAN = Path("p", "data", "jobs", "0001-a")
WORKER = """
import os, signal, sys, time
from pathlib import Path
name, does = sys.argv[1], sys.argv[2]
data = Path(os.environ["OSSICLE_DATA_ROOT"])
assert os.environ["OSSICLE_LOCKS"] == "none"
if does == "join":
    (data / "all").write_text("".join(sorted(one.read_text() for one in data.glob("part-*"))))
if does == "part":
    (data / f"part-{name}").write_text(name)
if does == "long":
    steps = data / f"steps-{name}"
    def leave(number, frame):
        sys.exit(143)
    signal.signal(signal.SIGTERM, leave)
    while len(steps.read_text() if steps.exists() else "") < 3:
        with steps.open("a") as file:
            file.write(".")
        time.sleep(0.4)
print(name, "said so")
"""


class Threads:
    """Containers in threads of the test; each has a view of its own."""

    def __init__(self, volume: SnapshotVolume, folder: Path, program: Sequence[str]) -> None:
        self._volume, self._folder, self._program = volume, folder, program
        self._threads: dict[str, threading.Thread] = {}
        self._codes: dict[str, int] = {}

    def spawn(self, function: str, request: Mapping[str, object], resources: Resources) -> str:
        name = f"fc-{len(self._threads)}"

        def work() -> None:
            mount = SnapshotMount(self._volume, self._folder / name)
            self._codes[name] = run_task(mount, request, self._program)

        self._threads[name] = threading.Thread(target=work)
        self._threads[name].start()
        return name

    def states(self, ids: Sequence[str]) -> dict[str, CallState]:
        return {one: self._state(one) for one in ids}

    def _state(self, name: str) -> CallState:
        if self._threads[name].is_alive():
            return CallState(service.RUNNING)
        return CallState(service.DONE, self._codes[name]) if name in self._codes else CallState(service.FAILED)

    def cancel(self, ids: Sequence[str]) -> None:
        assert not ids

    def close(self) -> None:
        for thread in self._threads.values():
            thread.join(60)


def order(
    folder: Path, job: str, number: int, tasks: Mapping[str, str], needs: tuple[str, ...], limit_s: float
) -> None:
    place = folder / PLAN / "orders"
    place.mkdir(parents=True, exist_ok=True)
    commands = tuple(("ossicle", name, does) for name, does in tasks.items())
    made = Order(str(number), needs, commands, (".",) * len(tasks), {}, Resources(max_containers=3), limit_s)
    (place / f"{job}.json").write_bytes(made.text())


@pytest.fixture
def program(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "worker.py").write_text(WORKER)
    return (sys.executable, "-S", str(tmp_path / "worker.py"))


def test_what_tasks_wrote_is_there_for_the_job_that_needs_them(tmp_path: Path, program: tuple[str, ...]) -> None:
    volume = SnapshotVolume(tmp_path / "v")
    order(volume.files, "a", 1, dict.fromkeys("xyz", "part"), (), 60.0)
    order(volume.files, "a.gather", 2, {"g": "join"}, ("a",), 60.0)
    containers = Threads(volume, tmp_path / "views", program)
    try:
        mount = SnapshotMount(volume, tmp_path / "views" / "coordinator")
        assert coordinate(mount, containers, PlanRequest("p", "0001-a", 600.0, 0.1).words()) == 0
    finally:
        containers.close()
    assert (volume.files / "p" / "data" / "all").read_text() == "xyz"
    assert (volume.files / PLAN / "logs" / "a-1.log").read_text() == "y said so\n"
    assert '"state": "done", "code": 0' in (volume.files / PLAN / "state" / "a.gather" / "0.jsonl").read_text()


def test_a_task_goes_on_in_the_next_container_after_its_limit(tmp_path: Path, program: tuple[str, ...]) -> None:
    volume = SnapshotVolume(tmp_path / "v")
    order(volume.files, "a", 1, {"x": "long"}, (), 0.6)
    containers = Threads(volume, tmp_path / "views", program)
    try:
        mount = SnapshotMount(volume, tmp_path / "views" / "coordinator")
        assert coordinate(mount, containers, PlanRequest("p", "0001-a", 600.0, 0.1).words()) == 0
    finally:
        containers.close()
    assert (volume.files / "p" / "data" / "steps-x").read_text() == "..."
    lines = (volume.files / PLAN / "state" / "a" / "0.jsonl").read_text()
    assert '"state": "done"' in lines


def test_a_container_that_is_taken_away_saves(
    tmp_path: Path, program: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    order(tmp_path / "v", "a", 1, {"x": "long"}, (), 60.0)
    request = TaskRequest("p", "0001-a", "a", 0, 1).words()
    steps = tmp_path / "v" / "p" / "data" / "steps-x"
    commits: list[bool] = []

    class Taken(FolderMount):
        def commit(self) -> None:
            # Modal raises this in the function when it takes the container away.
            commits.append(steps.exists())
            if len(commits) == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_task(Taken(tmp_path / "v"), request, program, commit_s=0.5)
    # The last commit is after the task saved.
    assert len(commits) == 3
    row = {"job": "a", "index": 0, "try": {"attempt": 2, "call": "fc-2"}}
    (tmp_path / "v" / PLAN / "calls").mkdir()
    (tmp_path / "v" / PLAN / "calls" / "000000.json").write_text(json.dumps({"calls": [row]}))
    assert run_task(FolderMount(tmp_path / "v"), {**request, "attempt": 2}, program, call="fc-2") == 0
    assert (tmp_path / "v" / PLAN / "begun" / "a-0").read_text() == "2 fc-2"
    assert steps.read_text() == "..."


def test_what_a_container_lost_is_what_the_volume_has_under_no_name(tmp_path: Path) -> None:
    """The measure of the slow tests: a step that was only given its name is not lost work."""
    view, volume = tmp_path / "view", tmp_path / "volume"
    digest = "0123456789abcdef"
    for place, epochs in ((view / "training" / digest, 4), (volume / "training" / f".work-{digest}", 4)):
        (place / "fold0").mkdir(parents=True)
        (place / "fold0" / "metrics.jsonl").write_text("{}\n" * epochs)
        (place / "fold0" / "weights").write_text("")
    assert lost("x", view, volume) == Lost("x", 0, {})
    (volume / "training" / f".work-{digest}" / "fold0" / "metrics.jsonl").write_text("{}\n" * 2)
    (volume / "training" / f".work-{digest}" / "fold0" / "weights").unlink()
    assert lost("x", view, volume) == Lost("x", 2, {f"training/{digest}/fold0": 1})
