"""Class folders through the command line, judged by recording: figures, calibration, page, bundle, predictions."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ossicle.app.cli.tables.table import print_metrics
from ossicle.app.project.load import load_project
from ossicle.app.project.tables.benchmark import BenchmarkSettings
from ossicle.app.steps.benchmark.models import Model, Reading, open_reading
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.audio.wav import write_wav
from ossicle.bundle.format import read_bundle
from ossicle.bundle.runtimes.onnx_runtime import OnnxPredictor
from ossicle.core.errors import UsageError
from ossicle.inference.batch import predict_file, stream_file
from ossicle.inference.delivery import bundled_delivery

from ....made_up.untrained import use_untrained

RATE = 8000
COMMAND = (sys.executable, "-c", "from ossicle.app.cli.main import main; main()")
PROJECT = """
base = "recipe:tapes"
[project]
name = "classes"
[corpus]
audio = "audio"
label_field = "folder"
name_template = "{take:#}-*"
[split]
group = "take"
folds = 2
[dataset]
noise_per_target = 0.0
[frontend]
rate = 8000
n_fft = 256
hop_samples = 160
n_mels = 16
fmax_hz = 4000.0
[chunks]
core_s = 1.0
context_s = 0.2
[model.crnn]
channels = [8]
pools = [4]
hidden = 8
[training]
epochs = 3
steps_per_epoch = 6
batch_size = 4
learning_rate = 0.02
ema_decay = 0.6
validation_crops = 0
device = "cpu"
[decision]
off_ratio = [1.0]
min_length_s = [0.0]
min_gap_s = [0.0]
[evaluation]
criterion = "recording"
bootstrap = 100
[calibration]
kind = "platt"
[noise_gate]
off = ["silence", "white_noise", "hum", "speech_like", "recordings"]
[report]
examples = 2
"""
HZ = {"low": 400.0, "middle": 1200.0, "high": 2800.0}


def write_classes(place: Path, takes: int = 8) -> None:
    """Three class folders of one second of a tone in noise each; two takes are hard to tell."""
    for label, hz in HZ.items():
        (place / "audio" / label).mkdir(parents=True)
        for take in range(takes):
            rng = np.random.default_rng([take, int(hz)])
            tone = np.sin(2 * np.pi * hz * (1 + 0.05 * rng.random()) * np.arange(RATE) / RATE)
            samples = 0.05 * rng.standard_normal(RATE) + (0.01 if take == 7 else 0.3) * tone
            write_wav(place / "audio" / label / f"{take}-{label}.wav", (0.6 * samples).astype(np.float32), RATE)


def ossicle(*words: str, place: Path) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "OSSICLE_DATA_ROOT"}
    environment["OMP_NUM_THREADS"] = "1"
    done = subprocess.run(
        [*COMMAND, *words], cwd=place, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def run_untrained(place: Path, *overrides: str) -> dict[str, str]:
    """A run with networks that nobody trained; how each step came about."""
    with pytest.MonkeyPatch.context() as patched:
        use_untrained(patched)
        return dict(run_project(load_project(place, overrides), Silent()).outcomes)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classes")
    write_classes(folder)
    (folder / "ossicle.toml").write_text(PROJECT)
    run_untrained(folder)
    return folder


@pytest.fixture(scope="module")
def metrics(place: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((place / "metrics.json").read_text())
    return content


def test_the_headline_counts_recordings(metrics):
    assert metrics["protocol"]["criterion"].startswith("by recording")
    # At most one outcome for each of 24 recordings and 3 labels, and every recording has one label.
    assert metrics["tp"] + metrics["fn"] == 24
    assert metrics["fp"] <= 48
    for label in HZ:
        assert metrics["per_label"][label]["n_reference"] == 8


def test_nothing_is_said_of_times_that_annotations_do_not_have(metrics):
    for key in ("at_collar", "iou_sweep", "psds", "segments", "frame_grid", "boundary_errors", "recall_by_quality"):
        assert key not in metrics
    assert "false_alarms_per_hour" not in json.dumps(metrics["per_label"])


def test_figures_by_recording_are_there_with_folds_and_confusion(metrics):
    result = metrics["recordings"]
    assert (result["n"], result["pool"]) == (24, "max")
    assert np.sum(result["confusion"]["counts"]) == 24
    assert np.trace(result["confusion"]["counts"]) / 24 == pytest.approx(result["accuracy"]["value"], abs=1e-6)
    assert len(result["per_fold"]) == 2
    assert np.mean([one["accuracy"] for one in result["per_fold"]]) == pytest.approx(
        result["accuracy"]["mean_of_folds"], abs=1e-6
    )
    assert result["macro"]["roc_auc"]["low"] <= result["macro"]["roc_auc"]["value"] <= 1
    assert metrics["frames"]["macro"]["cmap"]["low"] is not None


def test_calibration_is_reported_before_and_after(metrics):
    result = metrics["calibration"]
    assert result["kind"] == "platt"
    assert result["before"]["brier"] == metrics["recordings"]["brier"]
    assert sum(row["items"] for row in result["after"]["reliability"]) == 72
    assert "per_fold" not in result


def test_what_the_terminal_says(metrics, capsys):
    print_metrics(metrics)
    output = capsys.readouterr().out
    for words in ("labels in recordings", "top-1 accuracy", "macro ROC AUC", "cmAP", "by recording"):
        assert words in output


def test_the_page_shows_recordings_and_no_times(place):
    page = (place / "report.html").read_text()
    for words in ("By recording", "By fold", "Confusions", "top-1 accuracy", "Calibration", "cmAP"):
        assert words in page
    for words in ("Accuracy of start and end times", "PSDS", "lowest IoU", "false/h"):
        assert words not in page
    # Two of each kind at most, with sound.
    assert 0 < page.count('class="card"') <= 6
    assert page.count("data:audio/wav") == page.count('class="card"')
    assert re.search(r"(low|middle|high) taken for (low|middle|high)", page)


def test_the_bundle_gives_calibrated_scores_and_decides_the_same(place):
    bundle = read_bundle(place / "bundle")
    assert set(bundle.calibration) == set(HZ)
    predictor = OnnxPredictor(bundle)
    for path in sorted((place / "audio").rglob("*.wav")):
        raw = predict_file(path, predictor, bundle.decisions).events
        given = predict_file(path, predictor, bundle.decisions, delivery=bundled_delivery(bundle)).events
        assert [(event.start_s, event.end_s, event.label) for event in raw] == [
            (event.start_s, event.end_s, event.label) for event in given
        ]
        for event, two in zip(raw, given, strict=True):
            assert two.score == pytest.approx(bundle.calibration[event.label](np.array([event.score]))[0], abs=1e-9)


def test_the_card_says_what_the_scores_are(place):
    card = (place / "bundle" / "CARD.md").read_text()
    for words in ("calibrated probabilities", "top\\-1 accuracy", "macro ROC AUC", "f1 by recording"):
        assert words in card


def test_another_kind_of_calibration_redoes_no_score_and_no_decision(place):
    outcomes = run_untrained(place, "calibration.kind=isotonic")
    assert outcomes["scores"] == outcomes["decision"] == "reused"
    assert outcomes["calibration"] == outcomes["evaluation"] == "computed"


def test_the_mean_over_a_recording_is_judged_and_predicted_alike(place, tmp_path):
    other = tmp_path / "mean"
    shutil.copytree(place, other)
    run_untrained(other, "evaluation.pool=mean")
    metrics = json.loads((other / "metrics.json").read_text())
    bundle = read_bundle(other / "bundle")
    assert metrics["recordings"]["pool"] == bundle.pool == "mean"
    assert "mean score over the recording" in metrics["protocol"]["criterion"]
    predictor, n_events = OnnxPredictor(bundle), 0
    for path in sorted((other / "audio").rglob("*.wav")):
        result = predict_file(path, predictor, bundle.decisions, delivery=bundled_delivery(bundle)).events
        n_events += len(result)
        assert all((event.start_s, event.end_s) == (0.0, 1.0) for event in result)
        fed = stream_file(path, predictor, bundle.decisions, 0.3, delivery=bundled_delivery(bundle))
        assert [emitted_event.event for emitted_event in fed] == list(result)
    assert n_events > 0
    model = Model("classes", other / "bundle", windowed=False, variant="")
    with pytest.raises(UsageError, match="once for each recording, by its mean score"):
        open_reading(Reading(model, None), BenchmarkSettings())


@pytest.mark.slow
def test_through_the_command_line(place, tmp_path):
    other = tmp_path / "trained"
    other.mkdir()
    shutil.copytree(place / "audio", other / "audio")
    (other / "ossicle.toml").write_text(PROJECT)
    result = ossicle("run", "-p", str(other), place=other)
    assert "top-1 accuracy" in result
    metrics = json.loads((other / "metrics.json").read_text())
    assert metrics["recordings"]["accuracy"]["value"] > 0.5
    assert metrics["calibration"]["after"]["brier"] < metrics["calibration"]["before"]["brier"]
    # Torch is out of reach: what predicts needs none, calibration included.
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise ImportError('torch is not to be had')\n")
    sound = other / "audio" / "low" / "0-low.wav"
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run(
        [*COMMAND, "predict", str(other / "bundle"), str(sound), "-o", "out"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    bundle = read_bundle(other / "bundle")
    events = predict_file(sound, OnnxPredictor(bundle), bundle.decisions, delivery=bundled_delivery(bundle)).events
    assert events
    journal = (tmp_path / "out" / "predictions.journal.jsonl").read_text()
    assert all(str(event.score) in journal for event in events)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("second_stage.kind=forest", "evaluates whether a label"),
        ("evaluation.pool=median", "pool"),
        ("evaluation.criterion=clip", "criterion"),
        ("calibration.kind=beta", "kind"),
    ],
)
def test_settings_that_cannot_be_are_refused(place, given, words):
    with pytest.raises(UsageError, match=words):
        load_project(place, (given,))
