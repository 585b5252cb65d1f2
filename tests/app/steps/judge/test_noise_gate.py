"""The noise gate's step without a training: what is counted, what is said, and what is laid beside the project."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.engine.step import Context, Done, Silent
from ossicle.app.steps.judge import noise_gate
from ossicle.app.steps.pipeline import detector
from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.journal import Journal
from ossicle.artefacts.runlog import RunLog
from ossicle.artefacts.tables import write_table
from ossicle.core.chunks import ChunkPlan
from ossicle.core.decision import Decision
from ossicle.core.records import Annotation, Recording
from ossicle.core.tracks import Event
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.index_storage import write_index
from ossicle.evaluation.ground_truth import Truth
from ossicle.inference.event_tables import events_frame
from ossicle.inference.predictor import FakePredictor
from ossicle.metrics.noise_gate import Firing, NoiseGateSettings, judge

PLAN = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=50, context_frames=5)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "ossicle.toml").write_text('base = "recipe:tapes"\n[corpus]\naudio = "audio"\n')
    return load_project(tmp_path)


def recording(name: str) -> Recording:
    return Recording(name, "root", f"{name}.wav", 8000, 1, 100 * 8000, name, reviewed=True)


def test_out_of_fold_events_count_where_nothing_is_annotated(project: Project, tmp_path: Path) -> None:
    recordings = {name: recording(name) for name in ("calls", "empty", "quiet")}
    notes = (Annotation("calls", 10.0, 20.0, "call"), Annotation("calls", 40.0, 50.0, "other"))
    events = {
        # A hit, one within the margin of a call, one on another label's call, a false alarm, one across a call's end.
        "calls": [Event(a, b, "call", 0.9) for a, b in ((12, 13), (20.05, 21), (44, 45), (70, 71), (49, 60))],
        "empty": [Event(5.0, 6.5, "call", 0.9), Event(50.0, 51.0, "other", 0.9)],
        "quiet": [],
    }
    inputs = {"corpus": tmp_path / "corpus", "second_stage": tmp_path / "second_stage"}
    for folder in inputs.values():
        folder.mkdir()
    write_index(CorpusIndex(tuple(recordings.values()), notes), inputs["corpus"])
    keys = ["recording_id", "start_s", "end_s", "label"]
    write_table(inputs["second_stage"] / "events.parquet", events_frame(events), keys)
    log, journal = RunLog(tmp_path / "run.jsonl"), Journal(tmp_path / "journal.jsonl")
    context = Context(project, inputs, tmp_path, Silent(), log, journal, {})
    truth = Truth(tuple(recordings), ("call", "other"), recordings, notes, {}, {})
    found = {(one.part, one.label): one for one in noise_gate.on_recordings(context, truth)}
    assert found[noise_gate.EMPTY, "call"] == Firing("recordings", noise_gate.EMPTY, "call", 200.0, 1, 1.5)
    assert found[noise_gate.EMPTY, "other"] == Firing("recordings", noise_gate.EMPTY, "other", 200.0, 1, 1.0)
    between = found[noise_gate.BETWEEN, "call"]
    assert between.seconds == pytest.approx(100 - 2 * 10.2)
    assert between.n_events == 1
    # Time counts wherever nothing is annotated, whole events or not.
    assert between.active_s == pytest.approx(0.9 + 1.0 + 9.9)
    assert found[noise_gate.BETWEEN, "other"].n_events == 0


def test_events_in_samples_come_from_the_engine_that_reads_recordings() -> None:
    predictor = FakePredictor(("call",), PLAN)
    samples = np.zeros(30 * 8000, dtype=np.float32)
    samples[80000:84000] = 0.5 * np.random.default_rng(0).standard_normal(4000)
    (event,) = noise_gate.events_in(samples, predictor, {"call": Decision(on=0.5, off=0.5)})
    assert event.start_s == pytest.approx(10.0, abs=0.03)
    assert event.end_s == pytest.approx(10.5, abs=0.03)
    assert noise_gate.events_in(samples[:80000], predictor, {"call": Decision(on=0.5, off=0.5)}) == []


def metrics(folder: Path, *firings: Firing, settings: NoiseGateSettings | None = None) -> Path:
    gate_settings = settings or NoiseGateSettings()
    judged = judge(firings, gate_settings)
    found = {
        "passed": not any(one.refused for one in judged),
        "limits": {"active_share": gate_settings.active_share},
        "firings": [one.to_json() for one in judged],
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "metrics.json", {"events": {}, "gate": found})
    return folder / "metrics.json"


QUIET = Firing("hum", "50 Hz at -30 dBFS", "trill", 60.0, 0, 0.0)
LOUD = Firing("white_noise", "-20 dBFS", "trill", 60.0, 4, 0.4)
STUCK = Firing("speech_like", "-35 dBFS", "hum", 60.0, 1, 60.0)


def test_a_refusal_names_probe_label_rate_limit_and_remedy(tmp_path: Path) -> None:
    refusal = noise_gate.refusal(metrics(tmp_path, QUIET, LOUD, STUCK), Path("data/bundle/1/bundle"))
    assert refusal is not None
    assert refusal.exit_code == 4
    assert str(refusal) == (
        "the noise gate refused this bundle: label 'trill' fires 240 times an hour on white noise (-20 dBFS; limit "
        "60), and 1 more in report.html; the bundle stays in data/bundle/1/bundle. Train with such sounds in "
        "reviewed-empty recordings or with [augment] noise_probability, or, if it may fire there, raise [noise_gate] "
        'white_noise_per_hour (and active_share) or put "white_noise" into [noise_gate] off'
    )
    stuck = noise_gate.refusal(metrics(tmp_path, STUCK), None)
    assert "fires 60 times an hour on speech-like noise (-35 dBFS; limit 60) and fills 100% of it (limit 5%)" in str(
        stuck
    )
    assert noise_gate.refusal(metrics(tmp_path, QUIET), None) is None


def done(place: Path, *firings: Firing) -> Done:
    metrics(place / "noise_gate", *firings)
    (place / "evaluation").mkdir(exist_ok=True)
    write_json(place / "evaluation" / "metrics.json", {"events": {}})
    (place / "bundle" / "bundle").mkdir(parents=True, exist_ok=True)
    write_json(place / "bundle" / "bundle" / "bundle.json", {"made": "now"})
    (place / "report").mkdir(exist_ok=True)
    (place / "report" / "report.html").write_text("page")
    artefacts = {name: place / name for name in ("evaluation", "noise_gate", "bundle", "report")}
    return Done(artefacts, {}, {})


def laid(project: Project) -> dict[str, Any]:
    return {
        name: (project.folder / name).exists() for name in ("metrics.json", "report.html", "bundle", "bundle/old.json")
    }


def test_a_bundle_that_passed_is_laid_beside_the_project(project: Project, tmp_path: Path) -> None:
    run = done(tmp_path / "data", QUIET)
    detector.publish(project, run)
    assert detector.gate_refusal(run) is None
    assert read_json(project.folder / "bundle" / "bundle.json") == {"made": "now"}
    assert read_json(project.folder / "metrics.json")["gate"]["passed"] is True


def test_a_refused_bundle_stays_away_and_an_earlier_one_stays(project: Project, tmp_path: Path) -> None:
    run = done(tmp_path / "data", LOUD)
    detector.publish(project, run)
    assert laid(project) == {"metrics.json": True, "report.html": True, "bundle": False, "bundle/old.json": False}
    assert str(tmp_path / "data" / "bundle" / "bundle") in str(detector.gate_refusal(run))
    (project.folder / "bundle").mkdir()
    (project.folder / "bundle" / "old.json").write_text("{}")
    detector.publish(project, run)
    assert laid(project)["bundle/old.json"]
    assert not (project.folder / "bundle" / "bundle.json").exists()


def test_a_run_without_the_gate_publishes_the_metrics_alone(project: Project, tmp_path: Path) -> None:
    whole = done(tmp_path / "data", LOUD)
    run = Done({"evaluation": whole.artefacts["evaluation"]}, {}, {})
    detector.publish(project, run)
    assert detector.gate_refusal(run) is None
    assert "gate" not in read_json(project.folder / "metrics.json")
