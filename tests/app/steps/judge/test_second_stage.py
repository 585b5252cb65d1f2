"""The step ``second_stage`` on tapes where sound tells what the made-up scores do not: low tones are calls, high ones
are not, and the first stage can hardly tell.
"""

import json
import wave
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.data import corpus, dataset
from ossicle.app.steps.engine.step import Context, Silent, Step, run_steps
from ossicle.app.steps.judge import calibration, decision, evaluation, second_stage
from ossicle.app.steps.judge.hand_labels import hand_label_place
from ossicle.artefacts.array_files.blocks import write_track
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.logs.runlog import RunLog
from ossicle.artefacts.tables import read_table
from ossicle.artefacts.typed.events import DecisionFolder, SecondStageFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.scores import ScoresFolder
from ossicle.core.errors import FormatError, UsageError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.tracks import ScoreTrack, rasterise
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import write_raven
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.evaluation.gates.noise_gate import events_in
from ossicle.evaluation.hand_labels import HandLabel, read_hand_labels
from ossicle.inference.predictor import FakePredictor

RATE, SECONDS = 8000, 24
PROJECT = """
base = "recipe:tapes"
[corpus]
audio = "audio"
annotations = "tables"
name_template = "site{site}_*"
[split]
group = "site"
folds = 3
[frontend]
rate = 8000
n_fft = 256
hop_samples = 80
fmax_hz = 4000.0
[evaluation]
bootstrap = 100
[second_stage]
trees = 12
inner_parts = 2
"""
FOREST, BOOSTING = {"second_stage.kind": "forest"}, {"second_stage.kind": "boosting"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("second")
    (place / "audio").mkdir()
    for number, site in enumerate("ABCDEFABCDEF"):
        generator = np.random.default_rng(number)
        stem = f"site{site}_{number}"
        samples, rows = 100 * generator.standard_normal(SECONDS * RATE), []
        for second in range(1, SECONDS - 1):
            call = generator.random() < 0.4
            hz = generator.uniform(*((300, 900) if call else (1500, 3000)))
            start = second + 0.02 * number
            inside = slice(round(start * RATE), round((start + 0.3) * RATE))
            samples[inside] += 3000 * np.sin(2 * np.pi * hz * np.arange(inside.stop - inside.start) / RATE)
            if call:
                rows.append(RawSelection(start, start + 0.3, "call"))
        with wave.open(str(place / "audio" / f"{stem}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples.astype("<i2").tobytes())
        write_raven(place / "tables" / f"{stem}.Table.1.selections.txt", rows)
    (place / "ossicle.toml").write_text(PROJECT)
    return place


@pytest.fixture(scope="module")
def inputs(folder: Path) -> dict[str, Path]:
    """The artefacts before the step; scores are little surer of a low tone than of a high one."""
    project = load_project(folder)
    result = dict(run_steps((corpus.STEP, dataset.STEP), project, Silent()).artefacts)
    result["scores"] = project.data_root / "made-up-scores"
    generator = np.random.default_rng(1)
    index = read_index(CorpusFolder.among(result))
    for number, one in enumerate(sorted(index.recordings, key=lambda one: int(one.path[6:-4]))):
        starts = np.arange(1, SECONDS - 1) + 0.02 * number
        calls = [note.start_s for note in index.annotations if note.recording_id == one.id]
        is_call = (np.abs(starts[:, None] - calls) < 0.1).any(axis=1)
        heights = np.where(is_call, generator.uniform(0.25, 0.9, len(starts)), generator.uniform(0.1, 0.7, len(starts)))
        values = np.full(100 * SECONDS, 0.02)
        for start, height in zip(starts, heights, strict=True):
            values += height * rasterise(np.array([[start, start + 0.3]]), len(values), 0.01)
        path = ScoresFolder.among(result).track_path(one.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_track(path, ScoreTrack(("call",), values[:, None].astype(np.float32), 0.01, one.duration_s))
    done(decision.STEP, project, result, "decision")
    done(calibration.STEP, project, result, "calibration")
    return result


def done(step: Step, project: Project, found: dict[str, Path], name: str) -> Path:
    """Run a step into a folder of its own, without the shelf."""
    out = project.data_root / name
    out.mkdir()
    log, journal = RunLog(out / "run.jsonl"), Journal(out / "journal.jsonl")
    step.run(Context(project, {need: found[need] for need in step.needs}, out, Silent(), log, journal, {}))
    found[step.name] = out
    return out


def configured(folder: Path, **changes: object) -> Project:
    return load_project(folder, [f"{key}={json.dumps(value)}" for key, value in changes.items()])


@pytest.fixture(scope="module")
def forest(folder: Path, inputs: dict[str, Path]) -> Path:
    return done(second_stage.STEP, configured(folder, **FOREST), dict(inputs), "forest")


def verdict(out: Path) -> dict:
    return SecondStageFolder(out).verdict


def test_without_a_kind_the_events_are_those_of_the_decision(folder, inputs):
    out = done(second_stage.STEP, load_project(folder), dict(inputs), "none")
    assert verdict(out) == {"kind": "none", "kept": False}
    for name in ("events", "events_in_sample"):
        first = read_table(inputs["decision"] / f"{name}.parquet")
        assert read_table(out / f"{name}.parquet").equals(first)
    assert second_stage.kept_stage(SecondStageFolder(out)) is None


def test_what_can_be_heard_is_kept_with_its_gain(inputs, forest):
    result = verdict(forest)
    gain, first, both = (result["event_f1"][name] for name in ("gain", "first_stage", "both_stages"))
    assert result["kept"] is True
    assert gain["low"] > 0.1
    assert both["value"] > 0.9 > first["value"]
    assert gain["value"] == pytest.approx(both["value"] - first["value"], abs=2e-6)
    assert set(result["thresholds"]["per_fold"]) == {"0", "1", "2"}
    assert result["candidates"]["decided"] > result["candidates"]["below_the_threshold"] > 0
    assert read_table(forest / "events.parquet").equals(read_table(forest / "rescored.parquet"))
    assert read_table(forest / "first_stage.parquet").equals(read_table(inputs["decision"] / "events.parquet"))


def test_the_metrics_are_those_of_both_stages_and_say_so(folder, inputs, forest):
    project = configured(folder, **FOREST)
    out = done(evaluation.STEP, project, {**inputs, "second_stage": forest}, "evaluation")
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["events"]["f1"]["value"] == verdict(forest)["event_f1"]["both_stages"]["value"]
    assert metrics["second_stage"]["kept"] is True
    assert metrics["protocol"]["second_stage"] == "forest, cross-fitted in the same way"


def test_it_is_the_same_again(folder, inputs, forest):
    again = done(second_stage.STEP, configured(folder, **FOREST, **{"project.workers": 1}), dict(inputs), "again")
    for name in ("events.parquet", "events_in_sample.parquet", "second_stage.safetensors", "second_stage.json"):
        assert (again / name).read_bytes() == (forest / name).read_bytes(), name


def test_what_gains_nothing_is_not_kept_and_said(folder, inputs, tmp_path, monkeypatch):
    """A second stage that hears the same noise everywhere: the audio is there, and tells nothing."""
    silent = np.zeros(SECONDS * RATE, dtype=np.float32)
    monkeypatch.setattr(second_stage, "MonoStream", lambda path, rate, channel: iter([silent]))
    out = done(second_stage.STEP, configured(folder, **BOOSTING), dict(inputs), "nothing heard")
    result = verdict(out)
    assert result["kept"] is False
    assert result["event_f1"]["gain"]["low"] <= 0
    assert read_table(out / "events.parquet").equals(read_table(inputs["decision"] / "events.parquet"))
    assert second_stage.kept_stage(SecondStageFolder(out)) is None


def test_the_kept_model_judges_new_sound_like_the_step(forest, folder):
    """What goes into the bundle, in the engine of ``predict``: tones below 1 kHz stay, others go."""
    stage = second_stage.kept_stage(SecondStageFolder(forest))
    plan = ChunkPlan(rate=RATE, hop_samples=80, window_samples=256, core_frames=50, context_frames=5)
    decisions = DecisionFolder(folder / "data" / "decision").decisions[None]
    samples = 0.003 * np.random.default_rng(9).standard_normal(12 * RATE).astype(np.float32)
    for second, hz in ((2, 500), (4, 2500), (6, 700), (8, 2000)):
        tone = 0.09 * np.sin(2 * np.pi * hz * np.arange(int(0.3 * RATE)) / RATE)
        samples[second * RATE : second * RATE + len(tone)] += tone.astype(np.float32)
    predictor = FakePredictor(("call",), plan, threshold_db=-35.0)
    assert len(events_in(samples, predictor, decisions)) == 4
    assert [round(event.start_s) for event in events_in(samples, predictor, decisions, second_stage=stage)] == [
        2,
        6,
    ]


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"project.workers": 7}, True),
        ({"second_stage.trees": 13}, False),
        ({"second_stage.calibration": "isotonic"}, False),
        ({"second_stage.lower_on": 0.9}, False),
        ({"evaluation.iou": 0.4}, False),
        ({"evaluation.seed": 1}, False),
        ({"frontend.fmax_hz": 3000.0}, False),
    ],
)
def test_a_changed_setting_never_reuses_a_stale_result(folder, changes, same):
    project = configured(folder, **FOREST)
    settings = second_stage.STEP.settings(project), second_stage.STEP.settings(configured(folder, **FOREST, **changes))
    assert (settings[0] == settings[1]) is same


def test_settings_of_a_stage_that_is_off_change_nothing(folder):
    settings = [second_stage.STEP.settings(configured(folder, **one)) for one in ({}, {"second_stage.trees": 99})]
    assert settings[0] == settings[1] == {"kind": "none"}


def test_hand_labels_count_more_than_annotations(folder, inputs):
    """Where every call is called noise, there is nothing true to learn."""
    index = read_index(CorpusFolder.among(inputs))
    place = folder / "hand"
    for one in index.recordings:
        calls = [note for note in index.annotations if note.recording_id == one.id]
        rows = [RawSelection(note.start_s, note.end_s, "Noise") for note in calls]
        write_raven(place / f"{one.path[:-4]}.Table.1.selections.txt", rows)
    project = configured(folder, **FOREST, **{"second_stage.hand_labels": "hand"})
    out = done(second_stage.STEP, project, dict(inputs), "by hand")
    assert verdict(out)["kept"] is False
    assert "call stays with the first stage" in verdict(out)["notes"][0]
    before = second_stage.STEP.extra(project)
    next(place.iterdir()).write_text("Selection\tBegin Time (s)\tEnd Time (s)\tAnnotation\n1\t1.0\t2.0\ttarget\n")
    assert second_stage.STEP.extra(project) != before
    assert second_stage.STEP.extra(load_project(folder)) == {}


def test_hand_labels_that_say_something_else_are_refused(folder, inputs, tmp_path):
    (recording, *_) = read_index(CorpusFolder.among(inputs)).recordings
    write_raven(tmp_path / "hand" / f"{recording.path[:-4]}.txt", [RawSelection(1.0, 2.0, "maybe")])
    with pytest.raises(FormatError, match=r"row at 1 s of site.*labelled 'maybe'; write target, noise or one of: call"):
        read_hand_labels(tmp_path / "hand", [recording], ("call",))
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UsageError, match="no table below"):
        read_hand_labels(tmp_path / "nothing", [recording], ("call",))
    with pytest.raises(UsageError, match="hand_labels: the folder"):
        hand_label_place(configured(folder, **{"second_stage.hand_labels": "not there"}))


def test_a_hand_label_by_name_is_true_for_this_label_alone():
    assert [HandLabel(0, 1, says).true_for("call") for says in ("target", "noise", "call", "song")] == [
        True,
        False,
        True,
        False,
    ]


def test_without_scikit_learn_it_says_what_to_install(folder, monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(second_stage, "version", missing)
    with pytest.raises(UsageError, match=r"pip install 'ossicle\[train\]'"):
        second_stage.STEP.settings(configured(folder, **FOREST))
    assert second_stage.STEP.settings(load_project(folder)) == {"kind": "none"}
