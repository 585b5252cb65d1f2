"""Settings that exclude each other where a model is a head on the embeddings of clips."""

import json

from ossicle.audio.encoders.feature_settings import FeatureSettings
from ossicle.core.model_input.chunks import ChunkSettings
from ossicle.corpus.pseudo_labels.settings import PseudoSettings
from ossicle.corpus.splits.folds import SplitSettings
from ossicle.models.settings import ModelSettings
from ossicle.training.settings import TrainingSettings


def refuse_beside_encoder(
    *,
    encoder: str,
    features: FeatureSettings,
    chunks: ChunkSettings,
    model: ModelSettings,
    training: TrainingSettings,
    pseudo: PseudoSettings,
    split: SplitSettings,
) -> None:
    """Reject what a head on embeddings of clips cannot have.

    Parameters
    ----------
    encoder
        Name of the encoder.
    features, chunks, model, training, pseudo, split
        The tables of the project file.

    Raises
    ------
    ValueError
        Naming the key, its value and the remedy.
    """
    if features.cache:
        raise ValueError(
            f'features.cache = true: with encoder.name = "{encoder}" embeddings are kept, and no '
            "spectrograms; set it to false"
        )
    named = f'encoder.name = "{encoder}"'
    if chunks.window_s == 0:
        raise ValueError(f"chunks.window_s = 0 s: {named} scores clips: set window_s and step_s to their length")
    if chunks.step_s != chunks.window_s:
        raise ValueError(
            f"chunks.step_s = {chunks.step_s:g} s: with {named} clips follow each other without overlap; set it "
            f"to chunks.window_s = {chunks.window_s:g} s"
        )
    if training.pretrained:
        raise ValueError(
            f"training.pretrained = {training.pretrained!r}: {named} brings its own weights; remove one of the two"
        )
    if model.window.scores != "sigmoid":
        raise ValueError(
            f'model.window.scores = "{model.window.scores}": heads score every label by itself; set it to '
            '"sigmoid", or set encoder.name = "none"'
        )
    if model.networks > 1:
        raise ValueError(
            f"model.networks = {model.networks}: {named} trains one head; set it to 1, or combine "
            "variants in an ensemble"
        )
    if training.class_weights != "none":
        raise ValueError(
            f'training.class_weights = "{training.class_weights}": heads weigh both sides of every label '
            'equally already; set it to "none"'
        )
    if key := training.of_networks:
        # A recipe may have set it, so that "remove it" could not be followed.
        default = json.dumps(getattr(TrainingSettings(), key))
        raise ValueError(
            f"training.{key} = {getattr(training, key)!r}: {named} trains a head by [head], which has no "
            f"such setting; set it to {default}"
        )
    if training.noise_epochs:
        raise ValueError(
            f"training.noise_epochs = {training.noise_epochs}: a head is not fine-tuned; set it to 0, and "
            "augment.noise_share for more noise in its training"
        )
    if pseudo.audio:
        raise ValueError(
            f"pseudo.audio = {pseudo.audio!r}: heads learn from no pseudo-labels; remove it, or set "
            'encoder.name = "none"'
        )
    if split.kind.divides_clips:
        raise ValueError(
            f'split.strategy = "{split.strategy}" divides the clips of a recording, and heads are trained on '
            'whole recordings; set split.strategy = "grouped", or encoder.name = "none"'
        )
