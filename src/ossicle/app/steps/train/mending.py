"""Mend a detector that fires on noise: fine-tune its networks briefly instead of training them from scratch.

With ``training.noise_epochs`` every model, held-out ones and the final one alike, goes on from the weights of the same
training without it, at a tenth of the learning rate and with twice the crops of noise. Weights that the data root
already holds are used; otherwise the training is done first. Both ways give the same result. Scores, decisions and
figures are made again, so they describe the mended models. The probes of the noise gate are not used.

Heads on an encoder train in seconds, so they are fitted again with more crops of noise (``augment.noise_share``).
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from shlex import quote
from statistics import median
from typing import TYPE_CHECKING

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import Step, fingerprint
from ossicle.app.steps.train.heads.head_run import head_noise_share
from ossicle.artefacts.filesystem.changes import remove_folder
from ossicle.artefacts.shelf import Shelf
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.core.digest import seed_of

if TYPE_CHECKING:
    from ossicle.training.detector.job import FitJob

SLOWER = 0.1
"""The learning rate of the fine-tuning, relative to that of the training."""

_LEAST_NOISE, _MOST_NOISE = 0.25, 1.0
_SHARE_OF_EPOCHS = 8
_BEFORE = "before"


def finished_training(step: Step, project: Project, inputs: Mapping[str, Path]) -> TrainingFolder | None:
    """Return the same training without the fine-tuning, if the data root holds it.

    Parameters
    ----------
    step
        The step ``training``.
    project
        The project, with ``training.noise_epochs`` set.
    inputs
        The artefacts that the step needs, by step.
    """
    training = replace(project.settings.training, noise_epochs=0)
    before = replace(project, settings=replace(project.settings, training=training))
    shelf = Shelf(project.data_root)
    path = shelf.find(fingerprint(step, before, shelf, inputs))
    return None if path is None else TrainingFolder(path)


def mending_job(job: "FitJob", finished: TrainingFolder | None) -> "FitJob":
    """Return the fine-tuning of a model.

    Parameters
    ----------
    job
        The training, with ``training.noise_epochs`` set.
    finished
        The finished training; None if it has to be done first, in a folder inside that of ``job``.

    Returns
    -------
    FitJob
        A job that starts from the weights of the training.
    """
    from ossicle.artefacts.typed.run_folder import RunFolder

    training, augment = job.training, job.augment
    slow = replace(
        training,
        epochs=training.noise_epochs,
        noise_epochs=0,
        learning_rate=SLOWER * training.learning_rate,
        final_learning_rate=SLOWER * training.final_learning_rate,
        warmup_epochs=0,
        # Few epochs of fixed length: nothing is left to choose on inner groups.
        schedule="cosine",
        keep="last",
        patience=0,
        inner_share=0.0,
        average_epochs=min(training.average_epochs, training.noise_epochs),
        pretrained="",
        # Other crops than in the first epochs of the training.
        seed=seed_of(training.seed, "noise epochs"),
    )
    noisy = replace(augment, noise_share=min(_MOST_NOISE, max(_LEAST_NOISE, 2 * augment.noise_share)))
    if finished is not None:
        before, start = None, finished.run(job.name).weights
    else:
        first = replace(job.tracked, name=f"{job.tracked.name}-before")
        before = replace(job, folder=job.folder / _BEFORE, training=replace(training, noise_epochs=0), tracked=first)
        start = RunFolder(before.folder).weights
    return replace(job, training=slow, augment=noisy, pretrained=None, start=start, before=before)


def forget_before(trainings: TrainingFolder, model: str) -> None:
    """Remove the training that a fine-tuned model started from, if it was done in the model's own folder."""
    remove_folder(trainings.run(model).path / _BEFORE)


def mending_command(project: Project, training: TrainingFolder) -> str:
    """Return in words how to mend the project's detector, and how long it takes.

    Parameters
    ----------
    project
        The project as it was run.
    training
        The models that were refused; their logs say how long an epoch took.
    """
    settings = project.settings.training
    n_epochs = 2 * settings.noise_epochs or max(2, round(settings.epochs / _SHARE_OF_EPOCHS))
    command = _command(project, f"training.noise_epochs={n_epochs}")
    return f"{command} fine-tunes all models against noise{_minutes(project, training, n_epochs)}"


def head_mending_command(project: Project) -> str:
    """Return in words how to mend a detector of heads: fit them again with more crops of noise, which takes seconds.

    Empty if the project has as many crops as it can have.
    """
    share = project.settings.augment.noise_share
    if head_noise_share(project) >= 1:
        return ""
    noisier = f"augment.noise_share={max(_LEAST_NOISE, 2 * share):g}"
    return f"{_command(project, noisier)} fits all heads again, with more crops of noise"


def _command(project: Project, setting: str) -> str:
    """Return the command that runs a project with one more setting."""
    variant = f" --variant {quote(project.variant)}" if project.variant else ""
    command = f"ossicle run -p {quote(str(project.file))}{variant} --set {setting}"
    typed = any(str(origin).startswith("--set ") for origin in project.origins.values())
    return command + (" (with the other --set options of this run)" if typed else "")


def _minutes(project: Project, training: TrainingFolder, n_epochs: int) -> str:
    """Return an estimate from the epochs of the training; empty if their log is missing."""
    seconds = [[line["seconds"] for line in run.epochs() if "seconds" in line] for run in training.runs()]
    if not seconds or not all(seconds):
        return ""
    share = project.settings.augment.noise_share
    longer = (1 + min(_MOST_NOISE, max(_LEAST_NOISE, 2 * share))) / (1 + share)
    parallel = min(project.settings.training.parallel, len(seconds))
    total = longer * n_epochs * sum(median(epochs) for epochs in seconds) / parallel
    return f" in about {max(1, round(total / 60))} min"
