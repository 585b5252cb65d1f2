"""The noise gate's step without a training: what is laid beside the project, and what is not."""

from pathlib import Path
from typing import Any

import pytest

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.engine.step import Done
from ossicle.app.steps.pipeline.run_project import publish, refusal_of
from ossicle.artefacts.files import read_json, write_json
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.metrics.noise.noise_gate import Firing, NoiseGateSettings, judge

PLAN = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=50, context_frames=5)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "ossicle.toml").write_text('base = "recipe:tapes"\n[corpus]\naudio = "audio"\n')
    return load_project(tmp_path)


def metrics(folder: Path, *firings: Firing, settings: NoiseGateSettings | None = None) -> Path:
    gate_settings = settings or NoiseGateSettings()
    judged = judge(firings, gate_settings)
    result = {
        "passed": not any(one.refused for one in judged),
        "limits": {"active_share": gate_settings.active_share},
        "firings": [one.to_json() for one in judged],
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "metrics.json", {"events": {}, "gate": result, "in_sample": {}, "protocol": {}})
    return folder / "metrics.json"


QUIET = Firing("hum", "50 Hz at -30 dBFS", "trill", 60.0, 0, 0.0)
LOUD = Firing("white_noise", "-20 dBFS", "trill", 60.0, 4, 0.4)
STUCK = Firing("speech_like", "-35 dBFS", "hum", 60.0, 1, 60.0)


def done(place: Path, *firings: Firing) -> Done:
    metrics(place / "noise_gate", *firings)
    (place / "evaluation").mkdir(exist_ok=True)
    write_json(place / "evaluation" / "metrics.json", {"events": {}, "in_sample": {}, "protocol": {}})
    (place / "bundle" / "bundle").mkdir(parents=True, exist_ok=True)
    write_json(place / "bundle" / "bundle" / "bundle.json", {"made": "now"})
    (place / "report").mkdir(exist_ok=True)
    (place / "report" / "report.html").write_text("<title>page · Ossicle</title>", encoding="utf-8")
    artefacts = {name: place / name for name in ("evaluation", "noise_gate", "bundle", "report")}
    return Done(artefacts, {}, {})


def laid(project: Project) -> dict[str, Any]:
    return {
        name: (project.folder / name).exists() for name in ("metrics.json", "report.html", "bundle", "bundle/old.json")
    }


def test_a_bundle_that_passed_is_laid_beside_the_project(project: Project, tmp_path: Path) -> None:
    run = done(tmp_path / "data", QUIET)
    publish(project, run)
    assert refusal_of(project, run) is None
    assert read_json(project.folder / "bundle" / "bundle.json") == {"made": "now"}
    assert read_json(project.folder / "metrics.json")["gate"]["passed"] is True


def test_a_refused_bundle_stays_away_and_an_earlier_one_stays(project: Project, tmp_path: Path) -> None:
    run = done(tmp_path / "data", LOUD)
    publish(project, run)
    assert laid(project) == {"metrics.json": True, "report.html": True, "bundle": False, "bundle/old.json": False}
    assert str(tmp_path / "data" / "bundle" / "bundle") in str(refusal_of(project, run))
    (project.folder / "bundle").mkdir()
    (project.folder / "bundle" / "old.json").write_text("{}")
    publish(project, run)
    assert laid(project)["bundle/old.json"]
    assert not (project.folder / "bundle" / "bundle.json").exists()


def test_a_run_without_the_gate_publishes_the_metrics_alone(project: Project, tmp_path: Path) -> None:
    whole = done(tmp_path / "data", LOUD)
    run = Done({"evaluation": whole.artefacts["evaluation"]}, {}, {})
    publish(project, run)
    assert refusal_of(project, run) is None
    assert "gate" not in read_json(project.folder / "metrics.json")
