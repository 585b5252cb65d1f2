"""The predictor of a bundle with an encoder: its head on the encoder, following the level if the bundle says so."""

from ossicle.artefacts.array_files.arrays import arrays_from_bytes
from ossicle.audio.encoders.spec import Encoder
from ossicle.bundle.encoders.table import require_same
from ossicle.bundle.entries.encoder import HEAD
from ossicle.bundle.entries.level import LEVEL
from ossicle.bundle.manifest import Bundle
from ossicle.bundle.runtimes.encoded_predictor import EncodedPredictor, HeadGraph
from ossicle.bundle.runtimes.graph import require_threads
from ossicle.bundle.runtimes.levelled_predictor import LevelledPredictor
from ossicle.core.errors import ArtefactError, BundleError
from ossicle.core.scores.level_model import LevelModel, level_model_of


def bundled_encoded_predictor(
    bundle: Bundle, encoder: Encoder, threads: int = 1
) -> EncodedPredictor | LevelledPredictor:
    """Return the predictor of a bundle with an encoder.

    Parameters
    ----------
    bundle
        The bundle.
    encoder
        The encoder that the bundle names.
    threads
        Threads of one operator of the head.

    Raises
    ------
    BundleError
        If the bundle has no encoder, the encoder is another one, or the head or the class models do not fit.
    """
    require_threads(threads)
    if bundle.encoder is None:
        raise BundleError(f"{bundle.folder}: the model of this bundle reads no embeddings")
    require_same(bundle.encoder, encoder.spec, f"the encoder {encoder.spec.name}")
    head = HeadGraph(bundle.read_bytes(HEAD), str(bundle.folder / HEAD), len(bundle.labels), encoder.spec.dim, threads)
    if bundle.level is None:
        return EncodedPredictor(bundle.labels, bundle.plan, encoder, head.scores, bundle.encoder_windows)
    model = _level_model(bundle, encoder.spec.dim)
    return LevelledPredictor(bundle.labels, bundle.plan, encoder, head.scores, model, bundle.level)


def _level_model(bundle: Bundle, dim: int) -> LevelModel:
    source = bundle.folder / LEVEL
    try:
        arrays, _ = arrays_from_bytes(bundle.read_bytes(LEVEL), str(source))
        return level_model_of(arrays, dim, len(bundle.labels))
    except (ArtefactError, ValueError) as problem:
        raise BundleError(f"{source}: cannot be used: {problem}") from problem
