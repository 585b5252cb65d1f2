"""What is missing before a run of a project for states: packages, the encoder's file, folders."""

import importlib.util

from ossicle.app.project.load import Project
from ossicle.app.steps.pipeline.preflight.detector import input_folders, with_disk
from ossicle.app.steps.pipeline.preflight.device import tracking_finding
from ossicle.app.steps.pipeline.preflight.encoder import encoder_findings
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.app.steps.pipeline.preview.states import states_preview

_NEEDED = ("torch", "safetensors", "onnx", "matplotlib", "jinja2")


def states_preflight(project: Project) -> list[Finding]:
    """Check everything that a run needs, without starting one."""
    findings = with_disk(project, input_folders(project, states_preview))
    return [_packages(), *encoder_findings(project), *findings, tracking_finding(project)]


def _packages() -> Finding:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        return Finding("packages", False, f"missing: {', '.join(missing)}; pip install 'ossicle[train]'")
    return Finding("packages", True, "everything for the heads and the report is installed")
