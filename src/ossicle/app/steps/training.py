"""Step ``training``: one model for each held-out fold, and one on everything for the bundle."""

from importlib.metadata import version
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.steps.step import Context, Step
from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.tables import read_table
from ossicle.core.settings import digestible
from ossicle.training.runfolder import RunFolder

STEP_VERSION = 3
FINAL = "final"


def models_of(dataset: Path) -> dict[str, tuple[int, ...]]:
    """The folds that each model of a dataset holds out, by its run folder; :data:`FINAL` learns from all."""
    held_out = {name: tuple(folds) for name, folds in read_json(dataset / "split.json")["models"].items()}
    return {**held_out, FINAL: ()}


def model_names(dataset: Path) -> dict[int, str]:
    """The run folder of the model that held out each fold."""
    return {fold: name for name, folds in models_of(dataset).items() for fold in folds}


def run(context: Context) -> None:
    """Fit all models, several at a time."""
    # Here, since torch takes seconds to import and most runs find their models on the shelf.
    from ossicle.training.crossval import FitJob, fit_all

    settings = context.project.settings
    dataset = context.inputs["dataset"]
    models = models_of(dataset)
    labels = labels_of(dataset)
    jobs = [
        FitJob(
            folder=context.out / name,
            held_out=held_out,
            dataset=dataset,
            store=context.inputs["store"],
            labels=labels,
            plan=settings.plan,
            model=settings.model,
            front=settings.frontend,
            training=settings.training,
            augment=settings.augment,
        )
        for name, held_out in models.items()
    ]
    fit_all(jobs, settings.training.parallel, context.progress.advance)
    write_json(context.out / "training.json", {"labels": list(labels), "held_out": models})


def labels_of(dataset: Path) -> tuple[str, ...]:
    """The labels of a dataset, sorted."""
    return tuple(sorted(set(read_table(dataset / "annotations.parquet")["label"].to_list())))


def _settings(project: Project) -> dict[str, object]:
    settings = project.settings
    return {
        "frontend": digestible(settings.frontend),
        "plan": digestible(settings.plan),
        "model": digestible(settings.model),
        "augment": digestible(settings.augment),
        "training": digestible(settings.training),
        "torch": version("torch"),
    }


STEP = Step(
    name="training",
    version=STEP_VERSION,
    needs=("dataset", "store"),
    settings=_settings,
    run=run,
    logs=RunFolder.LOGS,
)
