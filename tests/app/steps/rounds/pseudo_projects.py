"""Options and artefacts of the projects with pseudo-labels of this folder's tests."""

from pathlib import Path

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.pipeline.pipelines import steps_of

QUIET = ("--progress", "none")


def training_of(place: Path, *overrides: str) -> Path | None:
    loaded = load_project(place, overrides)
    return find_steps(steps_of(loaded), loaded)["training"]
