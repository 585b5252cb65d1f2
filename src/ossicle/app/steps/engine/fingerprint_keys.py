"""Keys that several steps add to their fingerprints."""

from typing import Any

from ossicle.app.project.load import Project
from ossicle.core.settings import digestible


def postprocess_key(project: Project) -> dict[str, Any]:
    """Return what post-processing adds to the settings of a step that reads tracks; empty without post-processing."""
    how = project.settings.postprocess
    return {} if how.does_nothing else {"postprocess": digestible(how)}
