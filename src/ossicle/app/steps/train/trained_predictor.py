"""A trained model of a project, ready to score: with the project's settings, threads and device."""

from ossicle.app.steps.engine.step import Context
from ossicle.corpus.clips.dataset_folder import labels_of
from ossicle.inference.predictor import Predictor
from ossicle.training.runfolder import RunFolder


def trained_predictor(context: Context, name: str) -> Predictor:
    """The model ``name`` of the artefact ``training``; raises UsageError where the device is missing."""
    # Torch is an optional extra, needed only where something is really scored.
    from ossicle.models.devices import device
    from ossicle.models.predictor import load_predictor, use_threads

    settings = context.project.settings
    use_threads(settings.training.threads)
    weights = RunFolder(context.inputs["training"] / name).weights
    labels, place = labels_of(context.inputs["dataset"]), device(settings.training.device)
    return load_predictor(weights, settings.model, labels, settings.plan, settings.frontend, place)
