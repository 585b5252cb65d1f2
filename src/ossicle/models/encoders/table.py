"""The encoders that need torch, by name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from ossicle.audio.encoders.settings import BEATS, HF, EncoderSettings
from ossicle.audio.encoders.spec import Encoder, EncoderSpec
from ossicle.bundle.encoders.table import require_same, settings_of_spec
from ossicle.bundle.encoders.weights import VARIABLE, find_weights, require_digest, weights_with_digest
from ossicle.core.errors import BundleError, UsageError
from ossicle.models.devices import device
from ossicle.models.encoders.beats.encoder import BeatsEncoder
from ossicle.models.encoders.hf import HfEncoder
from ossicle.models.encoders.hub import model_folder, model_with_digest
from ossicle.models.predictor import use_threads

Opener = Callable[[EncoderSettings, Path, str], Encoder]
"""Opens an encoder from its settings, the folder that its path is relative to, and a device."""


def _beats(settings: EncoderSettings, folder: Path, where: str) -> Encoder:
    path = find_weights(settings.path, folder)
    encoder = BeatsEncoder(path, settings.layer, where)
    require_digest(path, encoder.spec.sha256, settings.sha256, "[encoder] sha256")
    return encoder


def _hf(settings: EncoderSettings, folder: Path, where: str) -> Encoder:
    path = model_folder(settings.path, folder)
    encoder = HfEncoder(path, settings.layer, where)
    require_digest(path, encoder.spec.sha256, settings.sha256, "[encoder] sha256")
    return encoder


OPENERS: Mapping[str, Opener] = MappingProxyType({BEATS: _beats, HF: _hf})
"""How each encoder that needs torch is opened."""


def open_torch_encoder(settings: EncoderSettings, folder: Path, threads: int = 1, device_name: str = "cpu") -> Encoder:
    """Open an encoder that needs torch.

    Parameters
    ----------
    settings
        Which one.
    folder
        The folder that its path is relative to, for example that of the project file.
    threads
        Threads of torch in this process.
    device_name
        The device, by a name of :func:`ossicle.models.devices.device`.

    Raises
    ------
    UsageError
        Its weights are missing, it has no such layer, a library or the device is missing, or it needs no torch.
    ArtefactError
        Its weights are not those of a model that is supported.
    BundleError
        Its weights are not the stated ones.
    """
    if settings.name not in OPENERS:
        raise UsageError(f"the encoder {settings.name!r} is not one of those that need torch: {', '.join(OPENERS)}")
    use_threads(threads)
    return OPENERS[settings.name](settings, folder, device(device_name))


def torch_encoder_of_spec(spec: EncoderSpec, path: Path | None = None, threads: int = 1) -> Encoder:
    """Open the encoder that a model was trained with, if it needs torch.

    Parameters
    ----------
    spec
        Its description, for example in a bundle.
    path
        Its file or folder; None looks for the one with its SHA-256 below the folders of ``OSSICLE_ENCODERS``.
    threads
        Threads of torch in this process.

    Raises
    ------
    BundleError
        The encoder is not found, or it is another one.
    UsageError
        A library is missing.
    ArtefactError
        Its weights are not those of a model that is supported.
    """
    if path is None:
        model_path = model_with_digest(spec.sha256) if spec.name == HF else _checkpoint_with_digest(spec.sha256)
        if model_path is None:
            noun = "folder" if spec.name == HF else "file"
            raise BundleError(
                f"the model needs the encoder {spec.name!r} with the SHA-256 {spec.sha256}, which is not part of it: "
                f"put its {noun} into a folder and set {VARIABLE} to that folder"
            )
        path = model_path
    encoder = open_torch_encoder(settings_of_spec(spec, path.absolute()), Path(), threads)
    require_same(spec, encoder.spec, str(path))
    return encoder


def _checkpoint_with_digest(sha256: str) -> Path | None:
    return weights_with_digest(sha256, ".pt") or weights_with_digest(sha256, ".pth")
