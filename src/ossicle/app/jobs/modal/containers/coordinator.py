"""Start the tasks of a plan in containers, in order, and write what becomes of them.

It runs in a small container of its own, so that a run goes on without the machine that submitted it. All that it knows
is in the volume: one that is taken away, or reaches its limit, is followed by another that goes on.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ossicle.app.jobs.folder import json_lines
from ossicle.app.jobs.modal import service
from ossicle.app.jobs.modal.containers.claims import EXIT_NOT_MINE
from ossicle.app.jobs.modal.orders import Order, VolumePlan, lead_after
from ossicle.app.jobs.modal.requests import PlanRequest, TaskRequest
from ossicle.app.jobs.modal.service import COORDINATE, TASK, CallState, Containers, Mount, Resources
from ossicle.app.jobs.runner import task_id
from ossicle.app.jobs.state import FINE
from ossicle.artefacts.files import read_json, write_json, write_text
from ossicle.artefacts.filesystem.changes import make_folder, open_to_append
from ossicle.artefacts.filesystem.reading import read_if_there
from ossicle.core.errors import EXIT_USAGE, FetchError, UsageError

EXIT_SAVED = 143
COORDINATOR = Resources(timeout_s=24 * 3600)
"""A coordinator only waits: an eighth of a core. Modal ends a call after at most a day."""
_DONE, _FAILED, _CANCELLED = "done", "failed", "cancelled"
_MOST_BYTES = 100
_MOST_SILENCES = 100
"""How often in a row the volume may fail: a few minutes."""
_FINAL = (_DONE, _FAILED, _CANCELLED)


@dataclass(slots=True)
class Try:
    """What is known of a task: its open call (empty for none), how it stands, and how often it was run.

    ``state`` is empty before the first attempt, then ``running``, ``again``, ``limit`` or final. ``told`` is the
    attempt whose beginning is in the lines, and ``code`` the exit code of the last one that ended.
    """

    call: str = ""
    state: str = ""
    attempt: int = 0
    failures: int = 0
    limits: int = 0
    told: int = 0
    code: int | None = None


def coordinate(
    mount: Mount,
    containers: Containers,
    request: Mapping[str, Any],
    sleep: Callable[[float], None] = time.sleep,
    call: str = "",
) -> int:
    """Run the submitted jobs of a plan to their end, and return 0.

    It ends early when another coordinator leads, or another plan took over the folder of the project; what it started
    is ended then.

    Parameters
    ----------
    mount
        The volume.
    containers
        Where tasks are started.
    request
        The fields of :class:`ossicle.app.jobs.modal.requests.PlanRequest`.
    sleep
        Waits for some seconds.
    call
        The id of its own call, by which the machine that started it finds it again.

    Raises
    ------
    ArtefactError
        A file of the plan in the volume is damaged.
    FetchError
        The volume does not answer for minutes.
    """
    plan_request = PlanRequest(**request)
    mount.reload()
    files = VolumePlan(mount.folder, plan_request.prefix, plan_request.plan)
    known = files.last_calls(plan_request.leader)
    # One that led before may be at work: it sees this one at its next look.
    waits = known is not None and known != files.calls(plan_request.leader)
    _note(files.leading(plan_request.leader), call)
    plan: _Coordinated | None = None
    heir, began = _Heir(files, containers, plan_request), time.monotonic()
    changed, silences = True, 0
    while heir.name or files.newest_lead() <= plan_request.leader:
        taken = files.taken()
        if not taken and not waits and not heir.name:
            plan = plan or _Coordinated(files, containers, plan_request)
            changed = plan.step() or changed
        try:
            if taken:
                if plan is not None:
                    plan.end()
                return 0
            if changed:
                mount.commit()
                changed = False
            if plan is not None and plan.ended():
                return 0
            if time.monotonic() - began > plan_request.limit_s:
                heir.start(mount)
                return 0
            sleep(plan_request.poll_s)
            mount.reload()
            silences, waits = 0, False
        except FetchError:
            # Modal answers later. What was not committed stays here: nothing is reloaded before.
            silences += 1
            if silences > _MOST_SILENCES:
                raise
            sleep(plan_request.poll_s)
    return 0


def _note(file: Path, text: str) -> None:
    make_folder(file.parent)
    write_text(file, text)


class _Heir:
    """The coordinator that goes on in place of one at its limit; ``name`` is empty before it is chosen."""

    def __init__(self, files: VolumePlan, containers: Containers, plan_request: PlanRequest) -> None:
        self._files, self._containers, self._request = files, containers, plan_request
        self.name, self._known, self._call = "", False, ""

    def start(self, mount: Mount) -> None:
        """Start it; raises FetchError if Modal does not answer, and goes on from there when called again."""
        if not self.name:
            self.name = lead_after(self._files.newest_lead())
            _note(self._files.lead(self.name), json.dumps({"call": ""}))
        if not self._known:
            # The name counts before there is a coordinator of it: from now on this one starts nothing.
            mount.commit()
            self._known = True
        if not self._call:
            request_values = replace(self._request, leader=self.name).words()
            self._call = self._containers.spawn(COORDINATE, request_values, COORDINATOR)
        _note(self._files.lead(self.name), json.dumps({"call": self._call}))
        mount.commit()


class _Coordinated:
    def __init__(self, files: VolumePlan, containers: Containers, plan_request: PlanRequest) -> None:
        self._files, self._containers, self._request = files, containers, plan_request
        self._orders: dict[str, Order] = {}
        self._cancelled: set[str] = set()
        self._tries: dict[tuple[str, int], Try] = {}
        self._written = False
        if (known := files.last_calls(plan_request.leader)) is not None:
            rows = read_json(known)["calls"]
            self._tries = {(row["job"], row["index"]): Try(**row["try"]) for row in rows}

    def step(self) -> bool:
        """Look at everything once, and start what can start; return whether anything changed."""
        before = self._text()
        self._orders, self._cancelled = self._files.orders(), self._files.cancelled()
        for job, order in self._orders.items():
            for index in range(len(order.commands)):
                self._tries.setdefault((job, index), Try())
        if not self._written:
            self._mend()
        self._look_at_calls()
        for job, order in self._orders.items():
            if job not in self._cancelled and all(self._all_tries_are(need, _DONE) for need in order.needs):
                self._start(job, order)
        # Containers read what the leading coordinator knows: it writes at least once.
        changed = not self._written or self._text() != before
        if changed:
            self._written = True
            make_folder(self._files.calls(self._request.leader).parent)
            rows = [
                {"job": job, "index": index, "try": asdict(task_try)} for (job, index), task_try in self._tries.items()
            ]
            write_json(self._files.calls(self._request.leader), {"calls": rows})
        return changed

    def _mend(self) -> None:
        """Write the ends of tasks that a coordinator which stopped late replaced by what it knew."""
        for (job, index), task_try in self._tries.items():
            if task_try.state in _FINAL and job in self._orders:
                lines = json_lines(self._files.state(job, index))
                if not lines or lines[-1].get("state") != task_try.state:
                    self._write_state(job, index, task_try.state, task_try.code, task_try.call)

    def end(self) -> None:
        """End the tasks that run; raises FetchError if Modal does not answer."""
        self._containers.cancel([task_try.call for task_try in self._tries.values() if task_try.call])

    def ended(self) -> bool:
        """Return whether nothing runs, and nothing can start any more."""
        if any(task_try.call for task_try in self._tries.values()):
            return False
        return all(self._has_ended(job) for job in self._orders)

    def _has_ended(self, job: str) -> bool:
        """Return whether a job has ended, or needs one that ended in another way."""
        if job in self._cancelled or all(task_try.state in _FINAL for _, task_try in self._tries_of(job)):
            return True
        return any(self._has_ended(need) and not self._all_tries_are(need, _DONE) for need in self._orders[job].needs)

    def _all_tries_are(self, job: str, state: str) -> bool:
        tries_of_job = self._tries_of(job)
        return bool(tries_of_job) and all(task_try.state == state for _, task_try in tries_of_job)

    def _tries_of(self, job: str) -> list[tuple[int, Try]]:
        return [(index, task_try) for (name, index), task_try in self._tries.items() if name == job]

    def _text(self) -> str:
        return repr(self._tries)

    def _look_at_calls(self) -> None:
        calls = {task_try.call: (job, index) for (job, index), task_try in self._tries.items() if task_try.call}
        leaving = [call for call, (job, _) in calls.items() if job in self._cancelled]
        try:
            self._containers.cancel(leaving)
            states = self._containers.states(list(calls))
        except FetchError:
            # Modal answers later.
            return
        for call, (job, index) in calls.items():
            self._write_begin(job, index)
            state = states.get(call, CallState(service.UNKNOWN))
            if state.state in (service.DONE, service.FAILED, service.UNKNOWN):
                self._end_call(job, index, state)

    def _write_begin(self, job: str, index: int) -> None:
        """Write that a container began an attempt, once."""
        task_try = self._tries[job, index]
        if task_try.told < task_try.attempt and self._begun(job, index)[0] == task_try.attempt:
            task_try.told = task_try.attempt
            self._write_state(job, index, "running", None, task_try.call)

    def _begun(self, job: str, index: int) -> tuple[int, str]:
        """Return the attempt that a container began last, and its call; 0 for none."""
        number, _, call = (
            read_if_there(self._files.begun(job, index), _MOST_BYTES).decode(errors="replace").partition(" ")
        )
        return (int(number), call) if number.isdecimal() else (0, "")

    def _end_call(self, job: str, index: int, state: CallState) -> None:
        task_try, order = self._tries[job, index], self._orders[job]
        if state.state == service.DONE and state.code == EXIT_NOT_MINE:
            # It waited until it gave up, before anybody recorded it.
            task_try.call, task_try.state = "", "again"
            return
        if task_try.told < task_try.attempt:
            task_try.told = task_try.attempt
            self._write_state(job, index, "running", None, task_try.call)
        call, task_try.call = task_try.call, ""
        code = task_try.code = state.code if state.state == service.DONE else None
        if code in FINE:
            task_try.state = _DONE
        elif job in self._cancelled:
            task_try.state = _CANCELLED
        elif code == EXIT_USAGE:
            task_try.state = _FAILED
        elif code == EXIT_SAVED and task_try.limits < order.continuations:
            task_try.state, task_try.limits = "limit", task_try.limits + 1
        else:
            task_try.failures += code != EXIT_SAVED
            again = code != EXIT_SAVED and task_try.failures < order.attempts
            task_try.state = "again" if again else _FAILED
        self._write_state(job, index, task_try.state, code, call, state.reason)

    def _start(self, job: str, order: Order) -> None:
        tries_of_job = self._tries_of(job)
        room = (order.resources.max_containers or len(tries_of_job)) - sum(
            bool(task_try.call) for _, task_try in tries_of_job
        )
        if order.most_containers:
            room = min(room, order.most_containers - sum(bool(task_try.call) for task_try in self._tries.values()))
        for index, task_try in tries_of_job:
            if room <= 0:
                return
            if task_try.call or task_try.state in _FINAL:
                continue
            request = TaskRequest(self._request.prefix, self._request.plan, job, index, task_try.attempt + 1)
            # A coordinator that was taken away may have started this attempt without a record of it. If its container
            # has not begun, there will be two, and only the one that is recorded here works.
            attempt, call = self._begun(job, index)
            begun = call if attempt == request.attempt else ""
            try:
                task_try.call = begun or self._containers.spawn(TASK, request.words(), order.resources)
            except FetchError:
                return
            except UsageError as problem:
                # Modal refuses what was asked, for example a GPU that it does not have, and would do so again.
                task_try.state = _FAILED
                self._write_state(job, index, _FAILED, None, "", str(problem))
                continue
            task_try.state, task_try.attempt = "running", task_try.attempt + 1
            room -= 1

    def _write_state(self, job: str, index: int, state: str, code: int | None, call: str, reason: str = "") -> None:
        line = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "state": state,
            "code": code,
            "runner": "modal",
            "id": task_id(self._orders[job].number, index),
            "host": call,
            **({"reason": reason} if reason else {}),
        }
        state_file = self._files.state(job, index)
        make_folder(state_file.parent)
        with open_to_append(state_file) as file:
            file.write(json.dumps(line).encode() + b"\n")
