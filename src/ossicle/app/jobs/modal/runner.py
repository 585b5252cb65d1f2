"""The runner for Modal: jobs are handed over with what they need, a coordinator there starts their tasks.

The states of tasks are files in the volume. :meth:`ModalRunner.look` copies them into the folder of the plan, so that
everything else reads them as those of any runner. When a job is done, its artefacts are copied here before its last
state is, so that a job on another place that needs it finds them.
"""

import os
import secrets
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ossicle.app.jobs.folder import PlanFolder, json_lines
from ossicle.app.jobs.job import Job
from ossicle.app.jobs.modal import connection
from ossicle.app.jobs.modal.asked import in_words, limit_s, resources_of
from ossicle.app.jobs.modal.commands import container_argv, project_options, projects_of, require_one_corpus
from ossicle.app.jobs.modal.copies.handover import bring_artefacts, claim, send_artefacts, send_files, send_inputs
from ossicle.app.jobs.modal.copies.inputs import inputs_of
from ossicle.app.jobs.modal.liveness import OPEN, coordinator_states, other_plan, refuse_busy, start_coordinator, take
from ossicle.app.jobs.modal.orders import Order
from ossicle.app.jobs.modal.service import Service
from ossicle.app.jobs.modal.target import Target, read_target
from ossicle.app.jobs.runner import LOST, PENDING, RUNNING, Seen, task_id
from ossicle.app.project.file_times import times_table
from ossicle.app.project.load import Project
from ossicle.app.project.tables.modal import DEFAULT_VOLUME, ModalSettings
from ossicle.app.project.tables.placement import MODAL
from ossicle.app.remote.place import FileState, Listing, Place
from ossicle.app.steps.engine.progress import make_progress
from ossicle.artefacts.files import publish, write_text
from ossicle.artefacts.filesystem.changes import make_folder, make_new_folder
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES
from ossicle.core.text.counting import counted

_RESUME = "resume with `ossicle run` or `ossicle jobs submit` and the same options: what is done is kept"
_NOBODY = f"no coordinator follows it; {_RESUME}"
_STAGE = "volume"
_MOST_DEATHS = 3
_FINAL = ("done", "failed", "cancelled")
_MOST_LINES_BYTES = 4_000_000


class ModalRunner:
    """Runs the tasks of jobs in containers; see :class:`ossicle.app.jobs.runner.Runner`.

    Parameters
    ----------
    folder
        The folder of the plan.
    """

    detached = True

    def __init__(self, folder: PlanFolder) -> None:
        self._folder = folder
        self._sent: dict[tuple[str, ...], dict[str, tuple[int, int]]] = {}
        self._artefacts: set[Path] = set()

    def require(self) -> None:
        """Raise UsageError if Modal's library or a token is missing."""
        connection.connect(DEFAULT_VOLUME).require()

    def submit(self, job: Job, after: Sequence[str]) -> None:
        """Copy what a job needs to the volume, and have its tasks started there.

        Parameters
        ----------
        job
            The job.
        after
            Jobs of the plan on Modal that must be done before.

        Raises
        ------
        UsageError
            The folder of the volume is another project's, or another machine runs jobs there.
        FetchError
            Modal does not answer.
        """
        projects = projects_of([job], self._folder.project)
        settings = next((project.settings.modal for project in projects.values()), ModalSettings())
        resources = resources_of(job, settings)
        with make_progress("plain") as shown:
            target = self._target() or self._begin(projects, settings)
            modal = connection.connect(target.volume)
            inputs = {
                key: inputs_of(project, target.prefix, settings.audio_prefix) for key, project in projects.items()
            }
            require_one_corpus(inputs)
            times: dict[str, tuple[int, int]] = {}
            for key, project in projects.items():
                if key not in self._sent:
                    self._sent[key] = send_inputs(modal, target.prefix, inputs[key], shown)
                times |= self._sent[key]
                self._artefacts = send_artefacts(modal, target.prefix, project, self._artefacts, shown)
            plan = self._folder.plan()
            order = Order(
                number=str([job.name for job in plan.jobs].index(job.name) + 1),
                needs=tuple(after),
                commands=tuple(container_argv(task, inputs.get(project_options(task))) for task in job.tasks),
                folders=tuple(task.folder for task in job.tasks),
                environment={name: value for source in inputs.values() for name, value in source.environment.items()},
                resources=resources,
                limit_s=limit_s(resources),
                attempts=plan.attempts,
                continuations=plan.continuations,
                most_containers=settings.max_concurrent,
            )
            shown.begin("Modal")
            where = f"{target.volume}/{target.prefix}"
            shown.say(f"{job.name}: {counted(len(job.tasks), 'task')} in {where}: {in_words(resources)}")
            self._send(modal, target, job, order, times)
            # Another machine may have begun since the last job.
            refuse_busy(modal, target, self._stage)
            self._coordinate(modal, target, shown.say)
        self._folder.add_number(job, order.number)

    def look(self) -> dict[str, Seen]:
        """Copy the states of tasks here, and return the tasks that wait or run.

        Raises
        ------
        FetchError
            Modal does not answer.
        ArtefactError
            An artefact from the volume is damaged.
        """
        target, numbers = self._target(), self._folder.numbers()
        if target is None:
            return {}
        jobs = [job for job in self._folder.plan().jobs if job.placement.on == MODAL and job.name in numbers]
        if all(self._has_ended(job) for job in jobs):
            return {}
        modal = connection.connect(target.volume)
        place = modal.place(target.place())
        listing = place.listing()
        for job in jobs:
            self._mirror(modal, target, job, place, listing)
        if reason := self._unfollowed(modal, target, jobs, place):
            left = [job for job in jobs if not self._cancelled(job).exists()]
            every = ((job, index) for job in left for index in range(len(job.tasks)))
            return {
                task_id(numbers[job.name], index): Seen(LOST, self._reason_held(job) or reason)
                for job, index in every
                if self._last(job, index) not in _FINAL
            }
        seen_tasks: dict[str, Seen] = {}
        for job in jobs:
            for index in range(len(job.tasks)):
                last = self._last(job, index)
                if last == RUNNING:
                    seen_tasks[task_id(numbers[job.name], index)] = Seen(RUNNING)
                elif last not in _FINAL and not self._cancelled(job).exists():
                    seen_tasks[task_id(numbers[job.name], index)] = Seen(PENDING)
        return seen_tasks

    def cancel(self, jobs: Sequence[Job]) -> None:
        """Have jobs ended: the coordinator ends their tasks, which save their state first.

        Parameters
        ----------
        jobs
            The jobs.

        Raises
        ------
        FetchError
            Modal does not answer.
        """
        target, numbers = self._target(), self._folder.numbers()
        if target is None:
            return
        modal = connection.connect(target.volume)
        for job in jobs:
            if job.name in numbers:
                make_folder(self._cancelled(job).parent)
                write_text(self._cancelled(job), "")
                send_files(modal.place(target.place("cancelled")), self._cancelled(job).parent, [job.name])

    def logs(self, job: Job, index: int) -> bytes | None:
        """Return the output of a task: what its container committed, at the latest a minute ago."""
        if (target := self._target()) is not None:
            modal = connection.connect(target.volume)
            place = modal.place(target.place("logs"))
            name = self._folder.log(job, index).name
            state = place.listing().files.get(name)
            if state is not None and state.size <= MOST_ARTEFACT_BYTES:
                place.bring(self._folder.log(job, index).parent, {name: state})
        return self._folder.log_text(job, index)

    def how_to_cancel(self, jobs: Sequence[Job]) -> str:
        """Return the line that cancels jobs; empty if none was submitted."""
        numbers = self._folder.numbers()
        if self._target() is None or not any(job.name in numbers for job in jobs):
            return ""
        options = [word for job in jobs for task in job.tasks for word in project_options(task)]
        file = next((word.partition("=")[2] for word in options if word.startswith("--project=")), "")
        where = self._folder.project / file
        return shlex.join(["ossicle", "jobs", "cancel", "-p", str(where), "--jobs", str(self._folder.path)])

    def _begin(self, projects: Mapping[tuple[str, ...], Project], settings: ModalSettings) -> Target:
        """Choose the folder in the volume, mark it as the project's, and see that no other machine runs jobs there."""
        name = next((project.settings.project.name for project in projects.values()), "tasks")
        target = Target(
            settings.volume or DEFAULT_VOLUME,
            settings.prefix or name,
            # Two machines count their plans each for itself.
            f"{self._folder.path.name}-{secrets.token_hex(4)}",
        )
        modal = connection.connect(target.volume)
        claim(modal, target.prefix, name, self._folder.path / _STAGE)
        refuse_busy(modal, target, self._stage)
        # Copying takes a while: no coordinator of a lost plan may begin meanwhile.
        take(modal, target, self._stage)
        return target

    def _send(
        self, modal: Service, target: Target, job: Job, order: Order, times: Mapping[str, tuple[int, int]]
    ) -> None:
        """Write the order of a job to the volume; a coordinator starts it from now on."""
        place, stage = modal.place(target.place()), self._stage / "plan"
        times_of = {os.path.relpath(f"/{path}", f"/{target.place('times')}"): time for path, time in times.items()}
        for name, data in (
            (f"times/{job.name}.json", times_table(times_of)),
            (f"orders/{job.name}.json", order.text()),
        ):
            make_folder((stage / name).parent)
            write_text(stage / name, data.decode())
            # The order is last: it counts only when everything that it needs is there.
            send_files(place, stage, [name])

    def _coordinate(self, modal: Service, target: Target, say: Callable[[str], None]) -> None:
        """Start a coordinator if none runs, and record it."""
        if OPEN & coordinator_states(modal, target, self._stage):
            return
        say("starting the coordinator; the first time, Modal builds the image, which takes minutes")
        start_coordinator(modal, target, self._folder.path, self._stage)
        say("if it dies, `ossicle jobs status` or `ossicle run` starts another one; nothing that is done is done again")
        if address := modal.dashboard():
            say(f"dashboard: {address}")

    def _unfollowed(self, modal: Service, target: Target, jobs: Sequence[Job], place: Place) -> str:
        """Return why no coordinator runs; empty if one does.

        A job that came when the last one was ending gets a new one. So do jobs whose coordinator died, because their
        containers may run, a few times. Nothing is started beside another plan.
        """
        if OPEN & coordinator_states(modal, target, self._stage):
            return ""
        # What it wrote last may be newer than the listing.
        listing = place.listing()
        for job in jobs:
            self._mirror(modal, target, job, place, listing)
        if (other := other_plan(modal, target, self._stage)) is not None:
            where = f"{target.volume}/{target.prefix}"
            return f"plan {other.plan} took over {where}, submitted on {other.host}; when it has ended, {_RESUME}"
        # A record may come from another person: nothing is started for a plan that the volume does not hold.
        ready = [
            job
            for job in jobs
            if f"orders/{job.name}.json" in listing.files
            and not self._cancelled(job).exists()
            and self._needs_done(job)
        ]
        unseen = [job for job in ready if not any(path.startswith(f"state/{job.name}/") for path in listing.files)]
        marks = [f"again-{job.name}" for job in unseen[:1]]
        if any(not self._has_ended(job) for job in ready):
            marks += [f"died-{number}" for number in range(_MOST_DEATHS)]
        for mark in marks:
            try:
                # A folder is made by one command only, of all that look at the same time.
                make_new_folder(self._stage / mark)
            except FileExistsError:
                continue
            self._coordinate(modal, target, lambda line: None)
            return ""
        return _NOBODY

    def _reason_held(self, job: Job) -> str:
        """Return why a job never starts: one that it needs ended other than done; empty if none did."""
        for need in map(self._folder.plan().job, job.needs):
            ends = {self._last(need, index) for index in range(len(need.tasks))}
            if "failed" in ends:
                return f"not started: it needs {need.name}, which failed; mend that, and {_RESUME}"
            if "cancelled" in ends or self._cancelled(need).exists():
                return f"not started: it needs {need.name}, which was cancelled; {_RESUME}"
            if reason := self._reason_held(need):
                return reason
        return ""

    def _has_ended(self, job: Job) -> bool:
        return all(self._last(job, index) in _FINAL for index in range(len(job.tasks)))

    def _needs_done(self, job: Job) -> bool:
        plan = self._folder.plan()
        needs = [plan.job(name) for name in job.needs]
        return all(self._last(need, index) == "done" for need in needs for index in range(len(need.tasks)))

    def _mirror(self, modal: Service, target: Target, job: Job, place: Place, listing: Listing) -> None:
        """Copy the lines about a job's tasks here; before those of its end, its artefacts and output."""
        paths = [f"state/{job.name}/{index}.jsonl" for index in range(len(job.tasks))]
        new: dict[str, FileState] = {}
        for path in paths:
            state, local_copy = listing.files.get(path), self._folder.path / path
            if state is None or state.size > _MOST_LINES_BYTES:
                continue
            if not local_copy.exists() or local_copy.stat().st_size != state.size:
                new[path] = state
        if not new:
            return
        place.bring(self._stage, new)
        ends = {path: _last_state(self._stage / path) for path in new}
        whole = all(ends.get(path, self._last(job, index)) == "done" for index, path in enumerate(paths))
        if whole:
            with make_progress("plain") as shown:
                for project in projects_of([job], self._folder.project).values():
                    bring_artefacts(modal, target.prefix, project, shown)
        logs = [f"logs/{job.name}-{index}.log" for index, path in enumerate(paths) if ends.get(path) in _FINAL]
        place.bring(
            self._folder.path,
            {path: listing.files[path] for path in logs if path in listing.files and _small(listing.files[path])},
        )
        for path in new:
            if (self._stage / path).exists():
                make_folder((self._folder.path / path).parent)
                publish(self._stage / path, self._folder.path / path)

    def _last(self, job: Job, index: int) -> str:
        return _last_state(self._folder.state(job, index))

    def _cancelled(self, job: Job) -> Path:
        return self._folder.path / "cancelled" / job.name

    @property
    def _stage(self) -> Path:
        return self._folder.path / _STAGE

    def _target(self) -> Target | None:
        return read_target(self._folder.path)


def _last_state(file: Path) -> str:
    lines = json_lines(file)
    return str(lines[-1].get("state")) if lines else ""


def _small(state: FileState) -> bool:
    return state.size <= MOST_ARTEFACT_BYTES
