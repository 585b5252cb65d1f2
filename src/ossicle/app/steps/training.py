"""Step ``training``: one model for each held-out fold, and one on everything for the bundle."""

from importlib.metadata import version
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.steps.step import Context, Step
from ossicle.artefacts.files import write_json
from ossicle.artefacts.tables import read_table
from ossicle.core.settings import digestible
from ossicle.training.runfolder import RunFolder

STEP_VERSION = 2
FINAL = "final"


def fold_name(fold: int) -> str:
    """The run folder of a fold."""
    return f"fold{fold}"


def run(context: Context) -> None:
    """Fit all models, several at a time."""
    # Here, since torch takes seconds to import and most runs find their models on the shelf.
    from ossicle.training.crossval import FitJob, fit_all

    settings = context.project.settings
    dataset = context.inputs["dataset"]
    folds = sorted(set(read_table(dataset / "folds.parquet")["fold"].to_list()))
    labels = labels_of(dataset)
    jobs = [
        FitJob(
            folder=context.out / (FINAL if fold is None else fold_name(fold)),
            fold=fold,
            dataset=dataset,
            store=context.inputs["store"],
            labels=labels,
            plan=settings.plan,
            model=settings.model,
            front=settings.frontend,
            training=settings.training,
            augment=settings.augment,
        )
        for fold in [*folds, None]
    ]
    fit_all(jobs, settings.training.parallel, context.progress.advance)
    write_json(context.out / "training.json", {"labels": list(labels), "folds": folds})


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
