"""Commands that work with every pipeline ask it, and do not spell names of steps."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from ossicle.app.steps.pipeline.pipelines import PIPELINES

ASKING = (
    "app/cli/run/elsewhere.py",
    "app/cli/run/jobs.py",
    "app/cli/run/project.py",
    "app/cli/run/purge.py",
    "app/cli/run/train.py",
    "app/jobs",
    "app/steps/compare/leaderboard.py",
    "app/steps/engine",
    "app/steps/maintenance/purge.py",
    "app/steps/pipeline/pipeline.py",
    "app/steps/pipeline/pipelines.py",
    "app/steps/pipeline/project_status.py",
    "app/steps/pipeline/run_project.py",
    "app/steps/pipeline/work_units.py",
)
"""Files and folders of the package that must work with every pipeline."""
NAMES = {step.name for pipeline in PIPELINES.values() for step in pipeline.steps}


def modules(repository: Path) -> Iterator[Path]:
    for name in ASKING:
        place = repository / "src" / "ossicle" / name
        assert place.exists(), f"{name} has moved: correct this list"
        yield from sorted(place.rglob("*.py")) if place.is_dir() else [place]


def spelt(source: str) -> list[str]:
    """Names of steps that stand as a text of their own in source code."""
    result = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return [value for value in result if isinstance(value, str) and value in NAMES]


def test_commands_for_every_pipeline_spell_no_step(repository: Path) -> None:
    result = {
        str(path.relative_to(repository)): spelt(path.read_text(encoding="utf-8")) for path in modules(repository)
    }
    assert {name: names for name, names in result.items() if names} == {}


@pytest.mark.parametrize("line", ['if step.name == "training": pass', 'artefacts["corpus"]', 'run(until="noise_gate")'])
def test_a_planted_name_is_found(line: str) -> None:
    assert len(spelt(line)) == 1
