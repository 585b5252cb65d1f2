"""Recipe birds, small and whole, through the command line: class folders, real trainings, an export, predictions."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from .conftest import ossicle

RATE = 16000
HZ = {"low": 500.0, "middle": 1500.0, "high": 5000.0}
TAKES = 10
SMALL = {
    "frontend.rate": RATE,
    "frontend.n_fft": 512,
    "frontend.n_mels": 32,
    "frontend.fmax_hz": 8000.0,
    "model.window.backbone": "test_resnet",
    "model.window.hidden": 32,
    "training.epochs": 50,
    "training.batch_size": 8,
    "training.ema_decay": 0.9,
    "training.learning_rate": 0.01,
    "training.validation_crops": 0,
    "augment.early.shift_s": 0.5,
    "evaluation.bootstrap": 100,
    "report.examples": 1,
    # What a model of seconds of training does with noise has its own test.
    "noise_gate.off": '["silence", "white_noise", "hum", "speech_like", "recordings"]',
}


def sets(**more: object) -> list[str]:
    return [part for key, value in (SMALL | more).items() for part in ("--set", f"{key}={value}")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of one to two seconds: whistles of three heights that rise or fall, with names as in ESC-50."""
    place = tmp_path_factory.mktemp("birds")
    for label, hz in HZ.items():
        (place / "audio" / label).mkdir(parents=True)
        for take in range(TAKES):
            rng = np.random.default_rng([take, round(hz)])
            seconds = np.arange(RATE * (2 if take % 2 else 1)) / RATE
            height = hz * (1 + 0.2 * rng.uniform(-1, 1) * (seconds - 0.5))
            whistle = 0.3 * np.sin(2 * np.pi * np.cumsum(height) / RATE) * (seconds % 0.5 < 0.3)
            noisy = whistle + 0.02 * rng.standard_normal(len(seconds))
            # The fold, the recording that a clip is from, and the take.
            soundfile.write(place / "audio" / label / f"{1 + take // 5}-{take}{round(hz)}-A.flac", noisy, RATE)
    new = ossicle("new", "birds", place / "work", "--audio", place / "audio")
    assert new.returncode == 0, new.stderr
    run = ossicle("run", "-p", place / "work", "--progress", "none", *sets())
    assert run.returncode == 0, run.stderr
    return place / "work"


def metrics(project: Path) -> Any:
    return json.loads((project / "metrics.json").read_text())


def test_published_folds_are_held_out_and_the_classes_are_learned(project: Path) -> None:
    result = metrics(project)
    assert 'fold_field = "fold"' in (project / "ossicle.toml").read_text()
    assert [one["n"] for one in result["recordings"]["per_fold"]] == [15, 15]
    # Three classes an octave and more apart; by chance it is a third.
    assert result["recordings"]["accuracy"]["value"] > 0.8
    assert result["recordings"]["macro"]["roc_auc"]["value"] > 0.9


def test_a_second_run_does_nothing_and_a_changed_setting_what_it_touches(project: Path, tmp_path: Path) -> None:
    again = ossicle("run", "-p", project, "--json", *sets())
    assert set(json.loads(again.stdout)["outcomes"].values()) == {"reused"}
    other = Path(shutil.copytree(project.parent, tmp_path / "copy")) / "work"
    done = ossicle("run", "-p", other, "--json", "--until", "evaluation", *sets(**{"evaluation.pool": "mean"}))
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)["outcomes"]
    assert {outcomes[name] for name in ("corpus", "dataset", "store", "training", "scores")} == {"reused"}
    assert outcomes["evaluation"] == "computed"


@pytest.mark.parametrize("runtime", ["onnx", "torch"])
def test_the_bundle_names_the_class_of_a_clip(project: Path, tmp_path: Path, runtime: str) -> None:
    command = ("predict", project / "bundle", project.parent / "audio", "--out", tmp_path, "--runtime", runtime)
    completed = ossicle(*command)
    assert completed.returncode == 0, completed.stderr
    with (tmp_path / "events.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    # The final model heard these clips: that it knows them says no more than that all parts fit together.
    named = {row["file"]: row["label"] for row in rows}
    assert len(named) == len(HZ) * TAKES
    assert sum(Path(name).parts[0] == label for name, label in named.items()) > 0.8 * len(named)


def test_a_fainter_clip_is_the_same_clip(project: Path, tmp_path: Path) -> None:
    named = {}
    for fainter_db in (0, 40):
        audio, out = tmp_path / f"audio{fainter_db}", tmp_path / f"out{fainter_db}"
        audio.mkdir()
        for path in sorted((project.parent / "audio").rglob("*.flac")):
            samples, rate = soundfile.read(path)
            faint = 10 ** (-fainter_db / 20) * samples
            soundfile.write(audio / f"{path.parent.name}-{path.stem}.wav", faint, rate, subtype="FLOAT")
        completed = ossicle("predict", project / "bundle", audio, "--out", out)
        assert completed.returncode == 0, completed.stderr
        with (out / "events.csv").open(newline="") as file:
            named[fainter_db] = {row["file"]: (row["label"], float(row["score"])) for row in csv.DictReader(file)}
    assert named[0].keys() == named[40].keys()
    for name, (label, score) in named[0].items():
        assert named[40][name] == (label, pytest.approx(score, abs=1e-3)), name
