"""The trainings of a cross-validation: one process each, several at a time, watched through their run folders.

Processes are spawned, never forked. Each reads its own material, so only settings and paths are sent to it.
"""

import multiprocessing
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from ossicle.artefacts.processes.process_group import ProcessGroup
from ossicle.artefacts.processes.script_hint import script_hint
from ossicle.artefacts.processes.workers import end_with_parent, interrupts_held, keep_freed_memory
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.core.columns.clip_columns import ClipColumns
from ossicle.core.errors import OssicleError, UsageError
from ossicle.models.devices import devices
from ossicle.training.batches.material import apart, load_material
from ossicle.training.batches.pseudo import load_pseudo
from ossicle.training.batches.subset import subset_of
from ossicle.training.detector.fit import fit
from ossicle.training.detector.job import FitJob

_POLL_S = 0.2
_GRACE_S = 10.0


Progress = Callable[[int, int, str], None]


def fit_job(job: FitJob) -> None:
    """Run one training in this process, after the one before it."""
    if job.before is not None and not RunFolder(job.folder).done:
        fit_job(replace(job.before, training=replace(job.before.training, device=job.training.device)))
    material = load_material(
        job.dataset,
        job.store,
        job.labels,
        job.plan,
        job.training.target_rules,
        audio=job.audio,
        cache_mb=job.cache_mb,
        log_mel=job.log_mel,
    )
    if job.pseudo is not None:
        pseudo = load_pseudo(job.pseudo, job.labels, job.plan, job.held_out, job.name)
        material = replace(material, pseudo=pseudo)
    clips = ClipColumns.from_clips(material.clips)
    held = clips.held_out_in(job.held_out)
    train, held_out = subset_of(clips.where(~held), job.training), clips.where(held)
    # A training draws from its own clips alone, so all of them together need not stay in memory.
    material = replace(apart(material, held_out), clips=train)
    del clips, held
    fit(job, material, train, held_out)


def fit_all(jobs: Sequence[FitJob], parallel: int, progress: Progress | None = None) -> None:
    """Run all unfinished trainings, ``parallel`` at a time; ``progress`` gets epochs done, all epochs, and a note.

    With GPUs there is one training at a time on each GPU, whatever ``parallel`` is. Raises the error of the first
    failing training, with its name; the others are stopped and can resume from their last complete epoch.
    """
    if parallel < 1:
        raise ValueError(f"parallel = {parallel} must be at least 1")
    for job in jobs:
        if RunFolder(job.folder).done:
            RunFolder(job.folder).forget_state()
    waiting = [job for job in jobs if not RunFolder(job.folder).done]
    with ProcessGroup[_Running](_GRACE_S) as running:
        while waiting or running:
            while waiting and (free_device := _free_place(waiting[0], tuple(running), parallel)):
                training = replace(waiting[0].training, device=free_device)
                running.add(_Running(replace(waiting.pop(0), training=training)))
            for fold_run in running:
                if fold_run.ended():
                    running.remove(fold_run)
            if progress is not None:
                progress(*_state(jobs, [fold_run.job for fold_run in running]))
            time.sleep(_POLL_S)


def _free_place(job: FitJob, running: Sequence["_Running"], parallel: int) -> str:
    """Return the device for one more training; empty if all are taken."""
    try:
        places = devices(job.training.device)
    except UsageError:
        # The training reports it itself, under its name.
        return job.training.device if len(running) < parallel else ""
    if not places[0].startswith("cuda"):
        return places[0] if len(running) < parallel else ""
    taken = {fold_run.job.training.device for fold_run in running}
    return next((device for device in places if device not in taken), "")


def ended_words(name: str, code: int | None) -> str:
    """Return why a training ended without a word: a signal has a negative exit code, and may be that of full memory."""
    if code is not None and code > 0:
        return f"training {name} ended with exit code {code} before it began; its message is above{script_hint()}"
    return f"training {name} was killed (exit code {code}; out of memory?); run again to resume it"


class _Running:
    """A training in its own process."""

    def __init__(self, job: FitJob) -> None:
        context = multiprocessing.get_context("spawn")
        self.job = job
        self._result, far = context.Pipe(duplex=False)
        self.process: BaseProcess = context.Process(target=_work, args=(job, far), name=job.name)
        with interrupts_held():
            self.process.start()
        far.close()

    def ended(self) -> bool:
        """Return whether it is done; raises the training's error."""
        if self.process.is_alive() and not self._result.poll():
            return False
        try:
            error, trace = self._result.recv()
        except EOFError:
            self.process.join()
            raise OssicleError(ended_words(self.job.name, self.process.exitcode)) from None
        self.process.join()
        if error is None:
            return True
        if isinstance(error, OssicleError):
            raise type(error)(f"training {self.job.name}: {error}")
        if isinstance(error, OSError):
            # For errors such as a full disk, the system's message is all that is known.
            raise OSError(error.errno, error.strerror, error.filename or str(self.job.folder))
        raise OssicleError(f"training {self.job.name} failed: {error}\n{trace}")


def _work(job: FitJob, result: Connection) -> None:
    end_with_parent()
    keep_freed_memory()
    try:
        fit_job(job)
    except (OssicleError, OSError) as error:
        result.send((error, ""))
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent process reports it
        result.send((f"{type(error).__name__}: {error}", traceback.format_exc()))
    else:
        result.send((None, ""))


def _state(jobs: Sequence[FitJob], running: Sequence[FitJob]) -> tuple[int, int, str]:
    """Return epochs done, all epochs, and the latest figures in words."""
    done = sum(job.epochs_done for job in jobs)
    notes = []
    for job in running:
        lines = RunFolder(job.folder).epochs()
        if lines:
            notes.append(f"{job.name} epoch {lines[-1]['epoch'] + 1} loss {lines[-1]['train_loss']:.4f}")
    return done, sum(job.epochs for job in jobs), ", ".join(notes)
