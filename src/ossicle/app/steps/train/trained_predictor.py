"""Load a trained model of a project for scoring, with the project's settings, threads and device."""

from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.encoders import open_any_encoder
from ossicle.app.steps.engine.step import Context
from ossicle.app.steps.train.heads.encoded_clips import clip_grid
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.inference.predictor import Predictor
from ossicle.models.model_kinds import EMBEDDINGS


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
    labels = context.read(DatasetFolder).labels
    if settings.kind.reads == EMBEDDINGS:
        return _head_on_encoder(context.project, weights, labels)
    device_name = device(settings.training.device)
    return load_predictor(weights, settings.model, labels, settings.plan, settings.frontend, device_name)


def _head_on_encoder(project: Project, weights: Path, labels: tuple[str, ...]) -> Predictor:
    """Load a head; the encoder hears the recordings again, as it will in a bundle."""
    from ossicle.bundle.runtimes.encoded_predictor import EncodedPredictor
    from ossicle.models.heads.head import load_head
    from ossicle.models.heads.scoring import window_scores

    settings = project.settings
    encoder = open_any_encoder(settings.encoder, project.folder, settings.training.threads)
    grid = clip_grid(project, encoder.spec)
    head = load_head(weights, settings.head, encoder.spec.dim, len(labels))
    return EncodedPredictor(labels, grid.plan, encoder, window_scores(head), grid.windows)
