"""The models of a project's folds as one predictor, the mean of their scores: for recordings that nobody annotated."""

from pathlib import Path

from ossicle.app.project.settings import ProjectSettings
from ossicle.app.steps.training import labels_of, models_of
from ossicle.core.combination import Combination
from ossicle.core.errors import UsageError
from ossicle.inference.ensemble import Ensemble


def fold_ensemble(
    training: Path, dataset: Path, settings: ProjectSettings, unseen: int | None = None, device: str = "cpu"
) -> Ensemble:
    """The fold models of the artefact ``training`` (made from ``dataset``) as one predictor; the final one has no part.

    With ``unseen`` only the models that held that fold out: what they say of any recording owes nothing to the fold's
    annotations, so it may teach whoever is to be judged on them. Raises UsageError where no model held it out.
    """
    # Torch is an optional extra, needed only when a model is really opened.
    from ossicle.models.predictor import load_predictor
    from ossicle.training.runfolder import RunFolder

    held_out = {name: folds for name, folds in models_of(dataset).items() if folds}
    names = [name for name, folds in held_out.items() if unseen is None or unseen in folds]
    if not names:
        what = "no model holds anything out" if unseen is None else f"no model holds out fold {unseen}"
        raise UsageError(f"{training}: {what}; there is: {', '.join(held_out) or 'none'}")
    labels = labels_of(dataset)
    opened = [
        (
            name,
            load_predictor(
                RunFolder(training / name).weights, settings.model, labels, settings.plan, settings.frontend, device
            ),
        )
        for name in names
    ]
    return Ensemble(opened, Combination())
