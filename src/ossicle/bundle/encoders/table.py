"""The encoders that run without torch, by name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from ossicle.audio.encoders.acoustic import AcousticEncoder
from ossicle.audio.encoders.frames.logmel import LogMelEncoder
from ossicle.audio.encoders.frames.mfcc import MfccEncoder
from ossicle.audio.encoders.settings import ACOUSTIC, BIRDNET, LOGMEL, MFCC, ONNX, EncoderSettings
from ossicle.audio.encoders.spec import Encoder, EncoderSpec
from ossicle.bundle.encoders.birdnet import BirdnetEncoder, birdnet_file
from ossicle.bundle.encoders.onnx import OnnxEncoder
from ossicle.bundle.encoders.weights import VARIABLE, find_weights, require_digest, weights_with_digest
from ossicle.core.errors import BundleError, UsageError

Opener = Callable[[EncoderSettings, Path, int], Encoder]
"""Opens an encoder from its settings, the folder that its path is relative to, and a number of threads."""


def _acoustic(settings: EncoderSettings, folder: Path, threads: int) -> Encoder:
    return AcousticEncoder()


def _mfcc(settings: EncoderSettings, folder: Path, threads: int) -> Encoder:
    return MfccEncoder()


def _logmel(settings: EncoderSettings, folder: Path, threads: int) -> Encoder:
    return LogMelEncoder()


def _onnx(settings: EncoderSettings, folder: Path, threads: int) -> Encoder:
    path = find_weights(settings.path, folder)
    encoder = OnnxEncoder(path, threads, settings.rate)
    require_digest(path, encoder.spec.sha256, settings.sha256, "[encoder] sha256")
    return encoder


def _birdnet(settings: EncoderSettings, folder: Path, threads: int) -> Encoder:
    encoder = BirdnetEncoder(threads)
    require_digest(birdnet_file(), encoder.spec.sha256, settings.sha256, "[encoder] sha256")
    return encoder


OPENERS: Mapping[str, Opener] = MappingProxyType(
    {ACOUSTIC: _acoustic, BIRDNET: _birdnet, LOGMEL: _logmel, MFCC: _mfcc, ONNX: _onnx}
)
"""How each encoder without torch is opened."""


def open_encoder(settings: EncoderSettings, folder: Path, threads: int = 1) -> Encoder:
    """Open an encoder that runs without torch.

    Parameters
    ----------
    settings
        Which one.
    folder
        The folder that its path is relative to, for example that of the project file.
    threads
        Threads of one operator.

    Raises
    ------
    UsageError
        Its weights are missing, or it needs torch.
    BundleError
        Its weights are not the stated ones, or unsafe.
    """
    if settings.name not in OPENERS:
        raise UsageError(
            f"the encoder {settings.name!r} cannot be opened here; encoders that need no torch: {', '.join(OPENERS)}"
        )
    return OPENERS[settings.name](settings, folder, threads)


def encoder_of_spec(spec: EncoderSpec, path: Path | None = None, threads: int = 1) -> Encoder:
    """Open the encoder that a model was trained with.

    Parameters
    ----------
    spec
        Its description, for example in a bundle.
    path
        Its file; None looks for the file with its SHA-256 below the folders of ``OSSICLE_ENCODERS``.
    threads
        Threads of one operator.

    Raises
    ------
    UsageError
        The encoder needs torch.
    BundleError
        The encoder's file is not found, or it is another encoder.
    """
    if spec.sha256 and path is None:
        path = weights_with_digest(spec.sha256, f".{ONNX}") if spec.name == ONNX else None
        if path is None and spec.name == ONNX:
            raise BundleError(
                f"the model needs the encoder {spec.name!r} with the SHA-256 {spec.sha256}, which is not part of it: "
                f"put its file into a folder and set {VARIABLE} to that folder"
            )
    rate = spec.rate if spec.name == ONNX else 0
    encoder = open_encoder(settings_of_spec(spec, path, rate), Path(), threads)
    require_same(spec, encoder.spec, str(path or f"the encoder {spec.name}"))
    return encoder


def settings_of_spec(spec: EncoderSpec, path: Path | None, rate: int = 0) -> EncoderSettings:
    """Return the settings that open the encoder of a description, which may come from a stranger's file.

    Raises
    ------
    BundleError
        No encoder has this name, layer or rate.
    """
    try:
        return EncoderSettings(name=spec.name, path=str(path or ""), layer=spec.layer, rate=rate)
    except ValueError as problem:
        raise BundleError(
            f"the encoder {spec.name!r} that the model was trained with cannot be opened: {problem}. Use the version "
            "of Ossicle that made the model, or train it again"
        ) from None


def require_same(needed: EncoderSpec, actual: EncoderSpec, source: str) -> None:
    """Check that an encoder is the one that a model was trained with.

    Raises
    ------
    BundleError
        It is another one; the message says in what.
    """
    needed_json, actual_json = needed.to_json(), actual.to_json()
    # Licences are notes of their sources, which may change without the weights.
    different = [key for key in needed_json if needed_json[key] != actual_json[key] and key != "licence"]
    if different:
        parts = "; ".join(f"{key} = {actual_json[key]!r} instead of {needed_json[key]!r}" for key in different)
        raise BundleError(
            f"{source} is not the encoder that the model was trained with: {parts}. Give the encoder of the model, or "
            "train again with this one"
        )
