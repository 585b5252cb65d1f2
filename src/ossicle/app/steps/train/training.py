"""Step ``training``: one model for each held-out fold, and one on everything for the bundle."""

from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import LOCK_WAIT_S, Context, Step, WorkUnits
from ossicle.app.steps.train.pseudo_inputs import pseudo_inputs, pseudo_settings, pseudo_source, write_taught
from ossicle.artefacts.files import file_digest, write_json
from ossicle.artefacts.lock import work_unit_lock
from ossicle.artefacts.tables import read_table
from ossicle.audio.store.composition import composition
from ossicle.core.errors import UsageError
from ossicle.core.settings import digestible
from ossicle.corpus.clips.dataset_folder import labels_of, models_of
from ossicle.training.runfolder import RunFolder

if TYPE_CHECKING:
    from ossicle.training.crossval import FitJob

STEP_VERSION = 4
COMPOSITION = "composition.json"
HUB = "hub"


def run(context: Context) -> None:
    """Fit all models that are not fitted yet, several at a time."""
    dataset = context.inputs["dataset"]
    names = tuple(models_of(dataset))
    if not all(RunFolder(context.out / name).done for name in names):
        # Here, since torch takes seconds to import and most runs find their models on the shelf.
        from ossicle.training.crossval import fit_all

        say_composition(context)
        say_backgrounds(context)
        _try_export(context)
        with ExitStack() as held:
            for name in names:
                # A job on another machine may be at one of them.
                if not RunFolder(context.out / name).done:
                    held.enter_context(work_unit_lock(context.out, name, LOCK_WAIT_S))
            fit_all(fit_jobs(context), context.project.settings.training.parallel, context.progress.advance)
    for name in names:
        RunFolder(context.out / name).forget_state()
    models = models_of(dataset)
    told = {"labels": list(labels_of(dataset)), "held_out": models, **write_taught(context, models)}
    write_json(context.out / "training.json", told)


def fit_jobs(context: Context) -> list["FitJob"]:
    """The trainings of the step: one for each model that holds something out, and the final one."""
    from ossicle.training.crossval import FitJob

    settings, dataset = context.project.settings, context.inputs["dataset"]
    pseudo = pseudo_source(context)
    return [
        FitJob(
            folder=context.out / name,
            held_out=held_out,
            dataset=dataset,
            store=context.inputs["store"],
            labels=labels_of(dataset),
            plan=settings.plan,
            model=settings.model,
            front=settings.frontend,
            training=settings.training,
            augment=settings.augment,
            audio=context.project.audio_folder,
            cache_mb=settings.store.cache_mb,
            pretrained=_pretrained_file(context.project),
            pseudo=pseudo,
        )
        for name, held_out in models_of(dataset).items()
    ]


def say_composition(context: Context) -> None:
    """Say how much is read from the store and how much from files, and keep it with the run.

    No part of the content: the store's own content digest, an input of this step, says which recordings are where.
    """
    found = composition(context.inputs["store"])
    context.progress.say(found.line)
    if found.warning:
        context.progress.say(found.warning)
    write_json(context.out / COMPOSITION, {**found.to_json(), "line": found.line, "warning": found.warning})


def say_backgrounds(context: Context) -> None:
    """Say it where augmentation asks for backgrounds and the dataset has no clips to take them from."""
    asked = context.project.settings.augment.background_probability
    if asked > 0 and not (read_table(context.inputs["dataset"] / "clips.parquet")["role"] == "noise").any():
        context.progress.say(
            f"[augment] background_probability = {asked:g} adds nothing: no clip of the dataset is without a target; "
            "review recordings that are empty, or say 0"
        )


def _try_export(context: Context) -> None:
    """Export an untrained network of the project's kind, unless a training of it has begun: it then was exported.

    Raises ArtefactError where the network can never become a bundle: better before the first epoch than after the last.
    """
    from ossicle.export.trial import try_export
    from ossicle.models.networks.registry import build_network

    if any(RunFolder(context.out / name).epochs() for name in models_of(context.inputs["dataset"])):
        return
    settings, n_labels = context.project.settings, len(labels_of(context.inputs["dataset"]))
    network = build_network(settings.model, settings.frontend, settings.plan, n_labels).eval()
    name = settings.model.window.backbone if settings.model.name == "window" else settings.model.name
    try_export(network, settings.plan, settings.frontend, name)


def _fit_one(context: Context, name: str) -> None:
    from ossicle.training.crossval import fit_all

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
    """The file of weights to start from; None for none, or timm's hub."""
    named = project.settings.training.pretrained
    if named in ("", HUB):
        return None
    file = project.folder / named
    if not file.is_file():
        raise UsageError(f"[training] pretrained = {named!r}: there is no such file beside {project.file}")
    return file


def pretrained(project: Project) -> dict[str, str]:
    """What the weights to start from are: the path of a file shapes nothing."""
    file = _pretrained_file(project)
    if file is not None:
        return {"pretrained": file_digest(file)}
    return {"pretrained": f"timm {version('timm')}"} if project.settings.training.pretrained else {}


STEP = Step(
    name="training",
    version=STEP_VERSION,
    needs=("dataset", "store"),
    settings=_settings,
    run=run,
    logs=(*RunFolder.LOGS, COMPOSITION),
    extra=lambda project: {**pretrained(project), **pseudo_inputs(project)},
    work_units=WorkUnits(
        named_by=("dataset",),
        names=lambda inputs: tuple(models_of(inputs["dataset"])),
        run=_fit_one,
        done=lambda out, name: RunFolder(out / name).done,
        parallel=lambda project: project.settings.training.parallel,
    ),
)
