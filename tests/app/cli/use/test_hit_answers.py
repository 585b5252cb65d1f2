"""``ossicle predict`` of a bundle for single hits: one answer for each recording, at its sound, as hits are judged."""

import csv
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from ossicle.app.api.bundles.loaded_bundle import load_bundle
from ossicle.app.project.load import load_project
from ossicle.audio.wav import write_wav
from ossicle.bundle.description import BundleDescription
from ossicle.bundle.format import write_bundle
from ossicle.core.decisions.decision import Decision
from ossicle.export.onnx_graph import model_graph, waveform_graph
from ossicle.models.networks.registry import build_network
from ossicle.models.weights import save_weights

RATE = 44100
LABELS = ("hat", "kick", "snare")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of an untrained network of the recipe, whose thresholds are above or below all of its scores."""
    folder = tmp_path_factory.mktemp("hits")
    (folder / "audio").mkdir()
    lines = ['base = "recipe:drums"', "[corpus]", 'audio = "audio"', "[model]", "networks = 1"]
    (folder / "ossicle.toml").write_text("\n".join([*lines, "[model.window]", "silence_db = -110.0\n"]))
    settings = load_project(folder).settings
    torch.manual_seed(3)
    network = build_network(settings.model, settings.frontend, settings.plan, len(LABELS)).eval()
    with torch.no_grad():
        network.output.weight *= 40
    save_weights(network, folder / "weights.safetensors")
    graphs = {
        "model.onnx": model_graph(network, settings.plan, settings.frontend),
        "waveform.onnx": waveform_graph(network, settings.plan, settings.frontend),
    }
    never, always = Decision(on=0.999, off=0.999), Decision(on=0.001, off=0.001)
    made = write_bundle(
        folder / "bundle",
        BundleDescription(
            name="hits",
            labels=LABELS,
            plan=settings.plan,
            front=settings.frontend,
            decisions={"hat": never, "kick": always, "snare": always},
            model=asdict(settings.model),
            metrics={"out_of_fold": {"clips": {}}},
        ),
        files={"weights.safetensors": folder / "weights.safetensors", **graphs},
    )
    return made.folder


def hit(seed: int) -> np.ndarray:
    n = round(0.5 * RATE)
    wave = np.random.default_rng(seed).standard_normal(n) * np.exp(-np.arange(n) / 3000)
    return (0.9 * wave / np.abs(wave).max()).astype(np.float32)


def answers(out: Path) -> dict[str, dict[str, str]]:
    with (out / "hits.csv").open(newline="") as file:
        return {row["recording"]: row for row in csv.DictReader(file)}


def test_each_recording_of_a_hit_has_one_answer_at_its_sound(bundle: Path, tmp_path: Path, ossicle) -> None:
    silence = np.zeros(round(0.3 * RATE), np.float32)
    sounds = {
        "now.wav": hit(1), "late.wav": np.r_[silence, hit(1)], "second.wav": np.r_[hit(1), silence, hit(2)],
        "short.wav": hit(1)[:882], "silent.wav": silence, "=evil.wav": hit(1),
    }  # fmt: skip
    (tmp_path / "in").mkdir()
    for name, wave in sounds.items():
        write_wav(tmp_path / "in" / name, wave, RATE, "PCM_16")
    (tmp_path / "in" / "broken.wav").write_bytes(b"RIFF")
    said = ossicle("predict", bundle, tmp_path / "in", "-o", tmp_path / "out")
    assert said.code == 3
    found = answers(tmp_path / "out")
    # A recording that cannot be read has no row, one without sound an empty one.
    assert set(found) == {*sounds, "'=evil.wav"} - {"=evil.wav"}
    assert (found["silent.wav"]["start_s"], found["silent.wav"]["label"]) == ("", "")
    opened = load_bundle(bundle)
    # The window of a late hit begins 10 ms before it, as in training.
    for name, start_s in (("now.wav", 0.0), ("second.wav", 0.0), ("=evil.wav", 0.0), ("late.wav", 0.29)):
        row = found[name.replace("=", "'=")]
        assert float(row["start_s"]) == pytest.approx(start_s, abs=0.002)
        first = round(float(row["start_s"]) * RATE)
        expected = opened.predictor.predict(sounds[name][None, first : first + opened.manifest.plan.chunk_samples])[
            0, 0
        ]
        order = np.argsort(-expected)
        assert (row["label"], row["second"]) == (LABELS[order[0]], LABELS[order[1]])
        assert float(row["score"]) == pytest.approx(expected[order[0]], abs=2e-3)
    assert f"{found['now.wav']['label']} {float(found['now.wav']['score']):.2f}" in said.out


def test_answers_can_be_chosen_alone_and_left_out(bundle: Path, tmp_path: Path, ossicle) -> None:
    write_wav(tmp_path / "a.wav", hit(1), RATE, "PCM_16")
    assert ossicle("predict", bundle, tmp_path / "a.wav", "-o", tmp_path / "alone", "--format", "hits").code == 0
    assert not (tmp_path / "alone" / "events.csv").exists()
    assert list(answers(tmp_path / "alone")) == ["a.wav"]
    assert ossicle("predict", bundle, tmp_path / "a.wav", "-o", tmp_path / "csv", "--format", "csv").code == 0
    assert not (tmp_path / "csv" / "hits.csv").exists()


def test_a_bundle_of_events_has_no_answers(repository: Path, tmp_path: Path, ossicle) -> None:
    events = repository / "tests" / "data" / "bundles" / "0.1.0" / "bundle"
    write_wav(tmp_path / "a.wav", hit(1), RATE, "PCM_16")
    said = ossicle("predict", events, tmp_path / "a.wav", "-o", tmp_path / "out", "--format", "hits")
    assert said.code == 2
    assert "does not choose one label for each recording" in said.err
    assert ossicle("predict", events, tmp_path / "a.wav", "-o", tmp_path / "out").code == 0
    assert not (tmp_path / "out" / "hits.csv").exists()
