"""What is missing before a run of a project for acoustic units: packages, the encoder with its files, folders."""

import importlib.util
from collections.abc import Iterator

from ossicle.app.project.load import Project
from ossicle.app.steps.pipeline.preflight.detector import input_folders, with_disk
from ossicle.app.steps.pipeline.preflight.device import device_finding
from ossicle.app.steps.pipeline.preflight.encoder import encoder_findings
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.app.steps.pipeline.preview.units import units_preview
from ossicle.app.steps.vocoder.vocoder import STEP as VOCODER
from ossicle.audio.encoders.frames.blocks import without_frames
from ossicle.audio.encoders.settings import HF, NEEDS_TORCH, WINDOWS_ONLY
from ossicle.core.model_input.frontend import FrontEndSettings

_NEEDED = ("matplotlib", "jinja2")


def units_preflight(project: Project) -> list[Finding]:
    """Check everything that a run needs, without starting one."""
    return [
        _packages(project),
        *_encoder(project),
        *([device_finding(project, VOCODER)] if project.settings.vocoder.preset else []),
        *with_disk(project, input_folders(project, units_preview, labels_needed=False)),
    ]


def _encoder(project: Project) -> Iterator[Finding]:
    """Check that the encoder gives frames, that its files are there, and that no setting of a front end is meant."""
    settings = project.settings
    if settings.encoder.name in WINDOWS_ONLY:
        message = f"{without_frames(settings.encoder.name)} ({project.origin('encoder', 'name')})"
        yield Finding("encoder", False, message)
    else:
        yield from encoder_findings(project)
    if settings.frontend != FrontEndSettings():
        copy = "; only the copy of [segments] keep_audio has its rate" if settings.segments.keep_audio else ""
        message = f"[frontend] is not read: frames are those of the encoder {settings.encoder.name}{copy}; remove it"
        yield Finding("frontend", True, f"{message} ({project.origin('frontend')})", warns=True)


def _packages(project: Project) -> Finding:
    encoder = project.settings.encoder.name
    torch = encoder in NEEDS_TORCH or bool(project.settings.vocoder.preset)
    needed = (*_NEEDED, *("torch", "safetensors") * torch, *("transformers",) * (encoder == HF))
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        extras = "train,encoders" if encoder == HF else "train"
        return Finding("packages", False, f"missing: {', '.join(missing)}; pip install 'ossicle[{extras}]'")
    return Finding("packages", True, "everything for the encoder and the report is installed")
