"""The detector's pipeline: its steps under a leaky split, what it publishes, and what must run before jobs."""

from pathlib import Path

import pytest

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.pipeline import detector
from ossicle.app.steps.pipeline.pipelines import chosen_steps, pipeline_of, steps_of
from ossicle.artefacts.files import write_json
from ossicle.core.errors import SplitError, UsageError

PROJECT = 'base = "recipe:tapes"\n[corpus]\naudio = "audio"\n'


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    return tmp_path


def names(project: Project, *chosen: str, until: str | None = None) -> list[str]:
    return [step.name for step in chosen_steps(project, chosen, until)]


@pytest.mark.parametrize("recipe", ["tapes", "birds", "drums", "demo"])
def test_recipes_choose_it(tmp_path: Path, recipe: str) -> None:
    (tmp_path / "ossicle.toml").write_text(PROJECT.replace("tapes", recipe))
    assert pipeline_of(load_project(tmp_path)) is detector.PIPELINE


def test_steps_are_chosen_with_what_they_need(place: Path) -> None:
    project = load_project(place)
    assert names(project) == [step.name for step in detector.PIPELINE.steps]
    assert names(project, "scores") == ["corpus", "dataset", "store", "training", "scores"]
    assert names(project, "scores", until="store") == ["corpus", "dataset", "store"]
    assert names(project, until="dataset") == ["corpus", "dataset"]
    with pytest.raises(UsageError, match="no step is called 'tea'; steps: corpus, dataset, "):
        names(project, "tea")
    planning = detector.PIPELINE.planning_steps(project)
    assert [step.name for step in planning] == ["corpus", "dataset"]


def test_a_leaky_split_ends_in_a_bundle_that_nothing_judged(place: Path) -> None:
    project = load_project(place, ('split.strategy="random"',))
    assert [step.name for step in steps_of(project)] == ["corpus", "dataset", "store", "training", "bundle"]
    with pytest.raises(SplitError, match="is leaky"):
        names(project, "scores")


def test_every_step_comes_after_those_it_needs() -> None:
    known: set[str] = set()
    for step in detector.PIPELINE.steps:
        assert set(step.needs) <= known
        known.add(step.name)


def test_what_a_run_publishes_depends_on_its_steps(tmp_path: Path) -> None:
    artefacts = {name: tmp_path / name for name in ("evaluation", "noise_gate", "bundle", "report")}
    write_json(tmp_path / "noise_gate" / "metrics.json", {"gate": {"passed": True, "firings": [], "limits": {}}})
    whole = detector.PIPELINE.results(artefacts)
    assert whole == {
        "metrics.json": tmp_path / "noise_gate" / "metrics.json",
        "bundle": tmp_path / "bundle" / "bundle",
        "report.html": tmp_path / "report" / "report.html",
    }
    part = detector.PIPELINE.results({"evaluation": tmp_path / "evaluation"})
    assert part == {"metrics.json": tmp_path / "evaluation" / "metrics.json"}
