"""Step ``training``: train one model for each held-out fold, and one on all recordings for the bundle."""

from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from ossicle.app.project.load import Project
from ossicle.app.steps.data.logmel import cached_chain
from ossicle.app.steps.data.unlabelled import taught_chain
from ossicle.app.steps.engine.step import LOCK_WAIT_S, Context, Step
from ossicle.app.steps.train.environment_log import log_training_environment
from ossicle.app.steps.train.initial_weights import after_initial_weights
from ossicle.app.steps.train.mending import finished_training, forget_before, mending_job
from ossicle.app.steps.train.model_units import model_units
from ossicle.app.steps.train.pseudo_inputs import pseudo_inputs, pseudo_settings, pseudo_source, write_taught
from ossicle.app.steps.train.tracked_training import tracked_training
from ossicle.artefacts.files import file_digest
from ossicle.artefacts.locks.lock import work_unit_lock
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.shards.logmel import LogMelFolder
from ossicle.artefacts.typed.shards.store import StoreFolder
from ossicle.artefacts.typed.training import InitialWeightsFolder, TrainingFolder
from ossicle.core.errors import UsageError
from ossicle.core.settings import digestible

if TYPE_CHECKING:
    from ossicle.training.detector.job import FitJob

STEP_VERSION = 6
HUB = "hub"


def run(context: Context) -> None:
    """Train all models that are not trained yet, several at a time."""
    dataset, output = context.read(DatasetFolder), context.own(TrainingFolder)
    models = dataset.models
    if not all(output.run(name).done for name in models):
        # Imported here: torch takes seconds to import, and most runs reuse their models.
        from ossicle.training.detector.crossval import fit_all

        say_composition(context)
        say_backgrounds(context)
        _try_export(context)
        log_training_environment(context)
        with ExitStack() as held:
            for name in models:
                # A job on another machine may be training one of them.
                if not output.run(name).done:
                    held.enter_context(work_unit_lock(context.folder, name, LOCK_WAIT_S))
            fit_all(fit_jobs(context), context.project.settings.training.parallel, context.progress.advance)
    for name in models:
        output.run(name).forget_state()
        forget_before(output, name)
    _say_inner_groups(context)
    output.write_summary({"labels": list(dataset.labels), "held_out": models, **write_taught(context, models)})


def fit_jobs(context: Context) -> list["FitJob"]:
    """Return the trainings of the step: one for each model that holds something out, and the final one.

    With ``training.noise_epochs`` these are the fine-tunings.
    """
    from ossicle.training.detector.job import FitJob

    settings, dataset = context.project.settings, context.read(DatasetFolder)
    initial = InitialWeightsFolder.among(context.inputs) if InitialWeightsFolder.step in context.inputs else None
    output, pseudo = context.own(TrainingFolder), pseudo_source(context)
    jobs = [
        FitJob(
            folder=output.run(name).path,
            held_out=held_out,
            dataset=dataset,
            store=context.read(StoreFolder).path,
            labels=dataset.labels,
            plan=settings.plan,
            model=settings.model,
            front=settings.frontend,
            training=settings.training,
            augment=settings.augment,
            audio=context.project.roots,
            cache_mb=settings.store.cache_mb,
            pretrained=None if initial is not None else _pretrained_file(context.project),
            pseudo=pseudo,
            start=None if initial is None else initial.weights(name),
            log_mel=LogMelFolder.among(context.inputs) if LogMelFolder.step in context.inputs else None,
            tracked=tracked_training(context.project, name, dataset.labels),
        )
        for name, held_out in dataset.models.items()
    ]
    if settings.training.noise_epochs == 0:
        return jobs
    finished = finished_training(_step_of(context.project), context.project, context.inputs)
    return [mending_job(job, finished) for job in jobs]


def _step_of(project: Project) -> Step:
    """Return the step as the chain of the project has it, with kept spectrograms, unlabelled recordings and weights."""
    chain = taught_chain(cached_chain((STEP,), project, STEP.name), project, STEP.name)
    step = next(step for step in chain if step.name == STEP.name)
    return after_initial_weights(step) if project.settings.training.init_from else step


def say_composition(context: Context) -> None:
    """Report how much is read from the store and how much from files, and record it with the run.

    The record is not part of the content: the store's content digest, an input of this step, covers where each
    recording is.
    """
    from ossicle.audio.store.composition import composition

    store_composition = composition(context.read(StoreFolder).path)
    context.progress.say(store_composition.line)
    if store_composition.warning:
        context.progress.say(store_composition.warning)
    output = context.own(TrainingFolder)
    output.write_composition(
        {**store_composition.to_json(), "line": store_composition.line, "warning": store_composition.warning}
    )


def say_backgrounds(context: Context) -> None:
    """Report if augmentation needs background clips and the dataset has none."""
    probability = context.project.settings.augment.background_probability
    if probability > 0 and not context.read(DatasetFolder).clips.has_role("noise").any():
        context.progress.say(
            f"[augment] background_probability = {probability:g} has no effect: every clip of the dataset has a "
            "target; add reviewed empty recordings, or set it to 0"
        )


def _say_inner_groups(context: Context) -> None:
    """Report models whose initial weights have learned from the groups that chose their epoch."""
    if InitialWeightsFolder.step not in context.inputs:
        return
    output, initial = context.own(TrainingFolder), InitialWeightsFolder.among(context.inputs).inner_groups
    models_warned = [
        name
        for name in context.read(DatasetFolder).models
        if set(output.run(name).selection.get("inner_groups", ())) - set(initial[name])
    ]
    if models_warned:
        context.progress.say(
            f"{', '.join(models_warned)}: the initial weights have learned from inner groups, so inner losses of the "
            "first epochs are too low; set the same inner_share in the variant to start from"
        )


def _try_export(context: Context) -> None:
    """Export an untrained network of the project's kind, unless a training has begun and so passed this check.

    Raises ArtefactError before the first epoch if the network can never become a bundle.
    """
    from ossicle.export.trial import try_export
    from ossicle.models.networks.registry import build_network

    dataset, output = context.read(DatasetFolder), context.own(TrainingFolder)
    if any(output.run(name).epochs() for name in dataset.models):
        return
    settings, n_labels = context.project.settings, len(dataset.labels)
    network = build_network(settings.model, settings.frontend, settings.plan, n_labels).eval()
    try_export(network, settings.plan, settings.frontend, settings.model.own.network)


def _fit_one(context: Context, name: str) -> None:
    from ossicle.training.detector.crossval import fit_all

    say_composition(context)
    say_backgrounds(context)
    _try_export(context)
    fit_all([job for job in fit_jobs(context) if job.name == name], 1, context.progress.advance)


def _settings(project: Project) -> dict[str, object]:
    settings = project.settings
    return {
        "frontend": digestible(settings.frontend),
        "plan": digestible(settings.plan),
        "model": digestible(settings.model),
        "augment": digestible(settings.augment),
        "training": digestible(settings.training),
        "torch": version("torch"),
        **pseudo_settings(project),
    }


def _pretrained_file(project: Project) -> Path | None:
    """Return the file of pretrained weights; None if there are none, or if they come from timm's hub."""
    named = project.settings.training.pretrained
    if named in ("", HUB):
        return None
    file = project.folder / named
    if not file.is_file():
        raise UsageError(f"[training] pretrained = {named!r}: this file does not exist in the folder of {project.file}")
    return file


def pretrained(project: Project) -> dict[str, str]:
    """Return the digest or version of the pretrained weights; the path of their file does not matter.

    A training that starts from another one has its backbone from there.
    """
    if project.settings.training.init_from:
        return {}
    file = _pretrained_file(project)
    if file is not None:
        return {"pretrained": file_digest(file)}
    return {"pretrained": f"timm {version('timm')}"} if project.settings.training.pretrained else {}


STEP = Step(
    name=TrainingFolder.step,
    version=STEP_VERSION,
    needs=("dataset", "store"),
    settings=_settings,
    run=run,
    logs=TrainingFolder.LOGS,
    extra=lambda project: {**pretrained(project), **pseudo_inputs(project)},
    work_units=model_units(_fit_one, lambda folder, name: TrainingFolder(folder).run(name).done),
)
