"""Load a trained model of a project for scoring, with the project's settings, threads and device."""

from ossicle.app.steps.engine.step import Context
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.inference.predictor import Predictor


def trained_predictor(context: Context, name: str) -> Predictor:
    """Load a trained model of a project.

    Parameters
    ----------
    context
        The inputs of a step that needs ``training``.
    name
        The name of the model.

    Raises
    ------
    UsageError
        The device in the settings is missing on this machine.
    """
    # Torch is an optional extra, needed only for actual scoring.
    from ossicle.models.devices import device
    from ossicle.models.predictor import load_predictor, use_threads

    settings = context.project.settings
    use_threads(settings.training.threads)
    weights = context.read(TrainingFolder).run(name).weights
    labels, place = context.read(DatasetFolder).labels, device(settings.training.device)
    return load_predictor(weights, settings.model, labels, settings.plan, settings.frontend, place)
