"""What is missing before a run of a project for acoustic units: packages, folders, the encoder's packages."""

import importlib.util

from ossicle.app.project.load import Project
from ossicle.app.steps.pipeline.preflight.detector import input_folders, with_disk
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.app.steps.pipeline.preview.units import units_preview
from ossicle.audio.encoders.settings import NEEDS_TORCH

_NEEDED = ("matplotlib", "jinja2")


def units_preflight(project: Project) -> list[Finding]:
    """Check everything that a run needs, without starting one."""
    return [_packages(project), *with_disk(project, input_folders(project, units_preview, labels_needed=False))]


def _packages(project: Project) -> Finding:
    needed = (*_NEEDED, *(("torch",) if project.settings.encoder.name in NEEDS_TORCH else ()))
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        return Finding("packages", False, f"missing: {', '.join(missing)}; pip install 'ossicle[train]'")
    return Finding("packages", True, "everything for the encoder and the report is installed")
