"""Recipe birds with an encoder: a head on cached embeddings of clips, from ``ossicle run`` to predictions."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.bundle.format import read_bundle

from ..app.conftest import Commands

RATE = 16000
HZ = {"low": 500.0, "middle": 1500.0, "high": 4000.0}
TAKES = 8
SETTINGS = """
[encoder]
name = "acoustic"
[features]
window_s = 0.5
hop_s = 0.25
[head]
epochs = 30
batch_size = 16
learning_rate = 0.01
[evaluation]
bootstrap = 100
[report]
examples = 1
[noise_gate]
probe_s = 60.0
"""


def whistles(folder: Path) -> Path:
    """Clips of 0.8 to 2.1 s: whistles of three heights, with names as in ESC-50."""
    for label, hz in HZ.items():
        (folder / label).mkdir(parents=True)
        for take in range(TAKES):
            rng = np.random.default_rng([take, round(hz)])
            seconds = np.arange(round(RATE * (0.8, 1.0, 2.0, 2.1)[take % 4])) / RATE
            height = hz * (1 + 0.1 * rng.uniform(-1, 1) * (seconds - 0.5))
            whistle = 0.3 * np.sin(2 * np.pi * np.cumsum(height) / RATE) * (seconds % 0.5 < 0.35)
            noisy = whistle + 0.003 * rng.standard_normal(len(seconds))
            soundfile.write(folder / label / f"{1 + take // 4}-{take}{round(hz)}-A.flac", noisy, RATE)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("birds-encoder")
    whistles(folder / "audio")
    return folder


@pytest.fixture
def ossicle(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    monkeypatch.delenv("OSSICLE_DATA_ROOT", raising=False)
    return Commands(monkeypatch, capsys)


@pytest.fixture
def done(home: Path, ossicle: Commands) -> Path:
    """The project, run once for all tests."""
    place = home / "p"
    if not place.exists():
        assert ossicle("new", "birds", place, "--audio", home / "audio").code == 0
        with (place / "ossicle.toml").open("a") as file:
            file.write(SETTINGS)
        result = ossicle("run", "-p", place)
        (home / "said.txt").write_text(f"{result.code}\n{result.out}\n{result.err}")
        assert result.code == 0, result.out + result.err
    return place


def metrics(place: Path) -> Any:
    return json.loads((place / "metrics.json").read_text())


def named(folder: Path) -> dict[str, str]:
    with (folder / "events.csv").open(newline="") as file:
        best: dict[str, tuple[float, str]] = {}
        for row in csv.DictReader(file):
            best[row["file"]] = max(best.get(row["file"], (0.0, "")), (float(row["score"]), row["label"]))
    return {file: label for file, (_, label) in best.items()}


def test_classes_are_learned_and_noise_is_not_taken_for_them(done: Path, home: Path) -> None:
    result = metrics(done)
    assert result["recordings"]["accuracy"]["value"] > 0.9
    assert result["gate"]["passed"]
    words = "clips of 1.5 s, 5 windows of 0.5 s each, read by the encoder 'acoustic'"
    assert words in (home / "said.txt").read_text()
    assert "clips of 1.5 s, 5 windows of 0.5 s each" in (done / "report.html").read_text()


def test_the_bundle_is_a_head_with_its_encoder_and_windows(done: Path) -> None:
    bundle = read_bundle(done / "bundle")
    assert bundle.encoder is not None
    assert (bundle.encoder.name, bundle.encoder_windows.window_samples, bundle.states) == ("acoustic", 8000, None)
    assert bundle.plan.hop_samples == bundle.plan.window_samples == 1.5 * RATE
    assert set(bundle.files) == {"head.onnx", "weights.safetensors", "CARD.md"}
    assert "in 5 windows of 0.5 s, by the encoder acoustic" in (done / "bundle" / "CARD.md").read_text()


def test_no_network_and_no_store_are_made(done: Path, ossicle: Commands) -> None:
    again = ossicle("run", "-p", done, "--json")
    outcomes = json.loads(again.out)["outcomes"]
    assert set(outcomes.values()) == {"reused"}
    assert {"features", "training", "scores"} <= set(outcomes)
    assert "store" not in outcomes
    status = ossicle("status", "-p", done)
    assert "to do" not in status.out
    assert ossicle("check", "-p", done).code == 0
    kept = RunFolder(next((done / "data" / "training").iterdir()) / "final")
    assert kept.weights.stat().st_size < 5_000_000
    assert set(kept.noise_likeness) == set(HZ)


def test_a_changed_head_reads_the_same_features(done: Path, ossicle: Commands) -> None:
    result = ossicle("run", "training", "-p", done, "--json", "--set", "head.epochs=5")
    outcomes = json.loads(result.out)["outcomes"]
    assert outcomes.pop("training") == "computed"
    assert set(outcomes.values()) == {"reused"}


def test_predict_and_stream_run_the_bundle_alike(done: Path, home: Path, tmp_path: Path, ossicle: Commands) -> None:
    result = ossicle("predict", done / "bundle", home / "audio", "-o", tmp_path)
    assert result.code == 0, result.err
    found = named(tmp_path)
    assert len(found) == len(HZ) * TAKES
    assert all(Path(file).parts[0] == label for file, label in found.items())
    file = home / "audio" / "low" / "1-2500-A.flac"
    streamed = ossicle("stream", done / "bundle", file, "--chunk-s", "0.37")
    assert streamed.code == 0, streamed.err
    lines = [json.loads(line) for line in streamed.out.splitlines()]
    with (tmp_path / "events.csv").open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["file"] == "low/1-2500-A.flac"]
    assert [line["label"] for line in lines] == [row["label"] for row in rows]
    assert [line["score"] for line in lines] == [pytest.approx(float(row["score"]), abs=1e-6) for row in rows]


def test_another_encoder_makes_other_features_and_none_trains_a_network(done: Path, ossicle: Commands) -> None:
    network = ossicle("status", "-p", done, "--set", "encoder.name=none", "--json")
    steps = json.loads(network.out)
    assert "store" in steps
    assert "features" not in steps


REFUSED = [
    ("chunks.step_s=0.5", "chunks] step_s = 0.5 s", "set it to chunks.window_s"),
    ("training.noise_epochs=3", "training] noise_epochs = 3", "set it to 0"),
    ("training.pretrained=hub", "training] pretrained = 'hub'", "remove one of the two"),
    ("pseudo.audio=more", "pseudo] audio = 'more'", "remove it"),
    ("split.strategy=random split.fold_field=", 'split] strategy = "random"', 'set split.strategy = "grouped"'),
]


@pytest.mark.parametrize(("setting", "place", "remedy"), REFUSED, ids=[one[0] for one in REFUSED])
def test_what_makes_no_sense_with_an_encoder_is_refused_by_its_key(
    done: Path, ossicle: Commands, setting: str, place: str, remedy: str
) -> None:
    result = ossicle("check", "-p", done, *(part for one in setting.split() for part in ("--set", one)))
    assert result.code == 2
    words = " ".join(result.err.split())
    assert place in words
    assert remedy in words


def test_windows_longer_than_a_clip_make_the_clip_longer(done: Path, ossicle: Commands) -> None:
    result = ossicle("check", "-p", done, "--set", "features.window_s=3.0", "--set", "features.hop_s=0.5")
    assert "clips of 3 s, one of 3 s each" in " ".join(result.out.split())


def test_a_bundle_with_the_built_in_encoder_is_self_contained(done: Path, tmp_path: Path, ossicle: Commands) -> None:
    result = ossicle("export", "--self-contained", "-p", done, "-o", tmp_path / "whole")
    assert result.code == 0, result.err
    assert "acoustic is part of Ossicle" in result.out
    assert read_bundle(tmp_path / "whole").encoder == read_bundle(done / "bundle").encoder


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("export", "--out", "x"), "use the bundle of `ossicle run` as it is"),
        (("dataset", "augment", "--out", "x.html"), "[features] copies"),
    ],
)
def test_commands_for_networks_refuse_a_head(
    done: Path, tmp_path: Path, ossicle: Commands, command: tuple[str, ...], words: str
) -> None:
    result = ossicle(*command[:-1], tmp_path / command[-1], "-p", done)
    assert result.code == 2
    assert words in " ".join(result.err.split())


def test_events_of_a_head_are_searched_for_review(done: Path, home: Path, ossicle: Commands) -> None:
    """The bundle of a head has another graph than that of a network. Here it finds exactly what is annotated."""
    result = ossicle("review", "export", "-p", done, "-o", home / "review")
    assert "candidates: computed" in result.err
    assert "nothing to export" in result.err
