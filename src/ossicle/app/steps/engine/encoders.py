"""Open the encoder of a project, whichever it is, and name what its embeddings depend on."""

from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.audio.encoders.acoustic import AcousticEncoder
from ossicle.audio.encoders.frames.logmel import LogMelEncoder
from ossicle.audio.encoders.frames.mfcc import MfccEncoder
from ossicle.audio.encoders.settings import BIRDNET, BUILT_IN, HF, NEEDS_TORCH, EncoderSettings
from ossicle.audio.encoders.spec import Encoder, EncoderSpec
from ossicle.bundle.encoders.birdnet import birdnet_file
from ossicle.bundle.encoders.weights import find_weights, weights_digest
from ossicle.core.errors import UsageError


def open_any_encoder(settings: EncoderSettings, folder: Path, threads: int = 1) -> Encoder:
    """Open an encoder by its settings.

    Parameters
    ----------
    settings
        Which one.
    folder
        The folder that its path is relative to.
    threads
        Threads of one operator.

    Raises
    ------
    UsageError
        Its weights are missing, or a library that it needs.
    BundleError
        Its weights are not the stated ones, or unsafe.
    """
    if settings.name not in NEEDS_TORCH:
        # This loads onnxruntime, which `ossicle status` does not need.
        from ossicle.bundle.encoders.table import open_encoder

        return open_encoder(settings, folder, threads)
    try:
        from ossicle.models.encoders.table import open_torch_encoder
    except ImportError as error:
        raise _without_torch(settings.name) from error
    return open_torch_encoder(settings, folder, threads)


def open_features_encoder(settings: EncoderSettings, folder: Path, n_blocks: int = 0, threads: int = 1) -> Encoder:
    """Open the encoder that features are made with: without its last blocks, if these are trained.

    Parameters
    ----------
    settings, folder, threads
        As of :func:`open_any_encoder`.
    n_blocks
        Number of last blocks that stage 2 trains (``[head] unfreeze_blocks``).

    Raises
    ------
    UsageError, BundleError
        As of :func:`open_any_encoder`; or the encoder has not so many blocks.
    """
    encoder = open_any_encoder(settings, folder, threads)
    if n_blocks == 0:
        return encoder
    from ossicle.models.encoders.beats.encoder import BeatsEncoder

    # Settings with another encoder are rejected before.
    assert isinstance(encoder, BeatsEncoder)
    return encoder.before(n_blocks)


def any_encoder_of_spec(spec: EncoderSpec, path: Path | None = None, threads: int = 1) -> Encoder:
    """Open the encoder that a model was trained with.

    Parameters
    ----------
    spec
        Its description, for example in a bundle.
    path
        Its file or folder; None looks for the one with its SHA-256 below the folders of ``OSSICLE_ENCODERS``.
    threads
        Threads of one operator.

    Raises
    ------
    UsageError
        A library that it needs is missing.
    BundleError
        The encoder's file is not found, or it is another encoder.
    """
    if spec.name not in NEEDS_TORCH:
        from ossicle.bundle.encoders.table import encoder_of_spec

        return encoder_of_spec(spec, path, threads)
    try:
        from ossicle.models.encoders.table import torch_encoder_of_spec
    except ImportError as error:
        raise _without_torch(spec.name) from error
    return torch_encoder_of_spec(spec, path, threads)


def _without_torch(name: str) -> UsageError:
    return UsageError(f"the encoder {name!r} needs torch: pip install 'ossicle[train,encoders]'")


def encoder_inputs(project: Project) -> dict[str, str]:
    """Return what the embeddings of a project depend on besides settings, as inputs of a fingerprint.

    Raises
    ------
    UsageError
        The weights of the encoder are missing, or its library.
    """
    settings = project.settings.encoder.opened
    if settings.name in BUILT_IN:
        spec = next(
            encoder.spec
            for encoder in (AcousticEncoder, LogMelEncoder, MfccEncoder)
            if encoder.spec.name == settings.name
        )
        return {"encoder": f"{spec.name} {spec.version}"}
    if settings.name == HF:
        from ossicle.models.encoders.hub import model_digest, model_folder

        return {"encoder": model_digest(model_folder(settings.path, project.folder))}
    path = birdnet_file() if settings.name == BIRDNET else find_weights(settings.path, project.folder)
    return {"encoder": weights_digest(path)}
