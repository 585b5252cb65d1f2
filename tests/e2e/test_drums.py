"""Recipe drums, small and whole, through the command line: folders of hits, a manifest of hits, a page and a bundle."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ossicle.audio.wav import write_wav

from ..made_up.drum_events import write_events
from .conftest import ossicle

RATE = 16000
MACHINES = ("808", "909", "Linn", "Oberheim")
SMALL = {
    "frontend.rate": RATE,
    "frontend.n_fft": 512,
    "frontend.hop_samples": 256,
    "frontend.n_mels": 24,
    "frontend.fmax_hz": 8000.0,
    "model.window.backbone": "test_resnet",
    "model.window.hidden": 16,
    # Two networks take twice as long; they are tested by themselves, in training, graphs and bundles.
    "model.networks": 1,
    "training.epochs": 30,
    "training.batch_size": 8,
    "training.ema_decay": 0.9,
    "training.learning_rate": 0.01,
    "training.validation_crops": 0,
    "evaluation.bootstrap": 100,
    "report.examples": 1,
    "split.folds": 2,
}


def hit(label: str, rng: np.random.Generator) -> Any:
    """A quarter of a second: a low tone that falls, noise with a tone, or bright noise."""
    seconds = np.arange(RATE // 4) / RATE
    decay = np.exp(-seconds * rng.uniform(15, 25))
    noise = rng.standard_normal(len(seconds))
    if label == "bd":
        sound = np.sin(2 * np.pi * np.cumsum(50 + 100 * np.exp(-seconds * 40)) / RATE)
    elif label == "sd":
        sound = 0.5 * np.sin(2 * np.pi * rng.uniform(180, 220) * seconds) + 0.3 * noise
    else:
        sound = 0.3 * np.diff(noise, prepend=0.0)
    return (rng.uniform(0.1, 0.5) * decay * sound).astype(np.float32)


# Of twelve sessions five are train, two val and five test.
EVENTS = {
    **{key: SMALL[key] for key in ("frontend.n_mels", "model.window.backbone", "model.window.hidden")},
    **{key: SMALL[key] for key in ("training.batch_size", "training.validation_crops", "evaluation.bootstrap")},
    "training.learning_rate": 0.01,
    "training.ema_decay": 0.8,
    "training.epochs": 5,
    "training.steps_per_epoch": 15,
    "chunks.step_s": 0.04,
    "augment.early.shift_probability": 0,
    "split.train_share": 0.5,
    "split.val_share": 0.25,
    "report.examples": 1,
}
SESSIONS = [f"session_{i}" for i in range(12)]


def sets(chosen: dict[str, Any] = SMALL) -> list[str]:
    return [part for key, value in chosen.items() for part in ("--set", f"{key}={value}")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three kinds of hits of four machines, five of each."""
    place = tmp_path_factory.mktemp("drums")
    for number, machine in enumerate(MACHINES):
        for label in ("bd", "sd", "hh"):
            (place / "audio" / machine / label).mkdir(parents=True)
            for take in range(5):
                rng = np.random.default_rng([number, take, len(label), ord(label[0])])
                write_wav(place / "audio" / machine / label / f"{take}.WAV", hit(label, rng), RATE)
    new = ossicle("new", "drums", place / "work", "--audio", place / "audio")
    assert new.returncode == 0, new.stderr
    assert "label: the last folder of each file (3: bd, hh, sd)" in new.stdout
    assert "labels renamed: bd = kick, hh = hihat_closed, sd = snare" in new.stdout
    run = ossicle("run", "-p", place / "work", "--progress", "none", *sets())
    assert run.returncode == 0, run.stderr
    return place / "work"


def test_hits_of_machines_that_were_held_out_are_named(project: Path) -> None:
    metrics = json.loads((project / "metrics.json").read_text())
    assert set(metrics["per_group"]) == set(MACHINES)
    # Three very different sounds; by chance it is a third.
    assert metrics["clips"]["accuracy"]["value"] > 0.8
    assert (project / "report" / "index.html").exists() or (project / "report.html").exists()


def test_no_noise_gate_refuses_hits_that_sound_like_noise(project: Path) -> None:
    gate = json.loads((project / "metrics.json").read_text())["gate"]
    assert gate["passed"]
    assert json.loads((project / "bundle" / "bundle.json").read_text())["labels"] == ["hihat_closed", "kick", "snare"]


def test_a_second_run_reuses_every_step_and_from_overwrites(project: Path) -> None:
    again = ossicle("run", "-p", project, "--json", *sets())
    assert set(json.loads(again.stdout)["outcomes"].values()) == {"reused"}
    more = ossicle("run", "-p", project, "--json", "--from", "dataset", "--until", "store", *sets())
    outcomes = json.loads(more.stdout)["outcomes"]
    assert outcomes == {"corpus": "reused", "dataset": "computed", "store": "computed"}


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of three kinds of hits in twelve sessions of two sources."""
    place = tmp_path_factory.mktemp("events")
    manifest = write_events(place / "hits", SESSIONS, sources=("groove", "enst"))
    maps = [f"{name}={place / 'hits' / 'audio' / name}" for name in ("groove", "enst")]
    new = ossicle(
        "new", "drums", place / "p", "--manifest", manifest, *(w for m in maps for w in ("--audio-root-map", m))
    )
    assert new.returncode == 0, new.stderr
    assert "manifest: 72 events of 2 sources" in new.stdout
    run = ossicle("run", "-p", place / "p", "--progress", "none", *sets(EVENTS))
    assert run.returncode == 0, run.stderr
    return place / "p"


def test_a_manifest_goes_all_the_way_and_test_sessions_alone_are_judged(events: Path) -> None:
    metrics = json.loads((events / "metrics.json").read_text())
    assert set(metrics["per_group"]) == {f"session_{i}" for i in (2, 3, 6, 7, 9)}
    assert metrics["clips"]["n"] == 5 * 6
    # Three very different sounds on near silence; by chance it is a third.
    assert metrics["clips"]["accuracy"]["value"] > 0.8
    assert (events / "bundle" / "bundle.json").exists()


def test_roots_that_move_leave_every_artefact_valid_and_no_path_is_kept(events: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(events.parent, tmp_path / "elsewhere")) / "p"
    again = ossicle("run", "-p", moved, "--json", *sets(EVENTS))
    assert set(json.loads(again.stdout)["outcomes"].values()) == {"reused"}
    place = str(events.parent).encode()
    texts = [path for path in (moved / "data").rglob("*") if path.suffix in (".json", ".jsonl", ".parquet", ".npz")]
    assert [path for path in texts if place in path.read_bytes()] == []


def test_a_session_that_is_added_moves_no_other_one(events: Path, tmp_path: Path) -> None:
    grown = Path(shutil.copytree(events.parent, tmp_path / "grown")) / "p"
    write_events(grown.parent / "hits", [*SESSIONS, "session_12", "session_13"], sources=("groove", "enst"))
    completed = ossicle("run", "-p", grown, "--json", "--until", "dataset", *sets(EVENTS))
    assert completed.returncode == 0, completed.stderr
    before, after = (
        {row["recording_id"]: row["fold"] for row in pl.read_parquet(folder / "folds.parquet").to_dicts()}
        for folder in (
            next((events / "data" / "dataset").glob("[!.]*")),
            Path(json.loads(completed.stdout)["artefacts"]["dataset"]),
        )
    )
    assert before.items() <= after.items()


def test_drum_machines_become_a_dataset_that_cuts_no_machine(real_data: Path, tmp_path: Path) -> None:
    audio = real_data / "drum_machines"
    if not audio.is_dir():
        pytest.skip(f"{audio} is not there")
    new = ossicle("new", "drums", tmp_path / "p", "--audio", audio)
    assert new.returncode == 0, new.stderr
    assert "group: the first folder (35: " in new.stdout
    run = ossicle("run", "-p", tmp_path / "p", "--json", "--until", "dataset")
    assert run.returncode == 0, run.stderr
    made = Path(json.loads(run.stdout)["artefacts"]["dataset"])
    clips = pl.read_parquet(made / "clips.parquet")
    # Files that end in .WAV count too.
    assert (len(clips), clips["label"].n_unique(), clips["group"].n_unique()) == (859, 14, 35)
    assert clips.group_by("group").agg(pl.col("fold").n_unique())["fold"].max() == 1
    assert json.loads((made / "split.json").read_text())["ok"]
