"""A window model in a benchmark: each window and step is scored once, snapped to whole STFT hops."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile
import torch

from ossicle.app.steps.benchmark import results
from ossicle.bundle.description import BundleDescription
from ossicle.bundle.format import write_bundle
from ossicle.core.decisions.decision import Decision
from ossicle.core.model_input.chunks import window_plan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.settings import digestible
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import write_raven
from ossicle.models.networks.registry import build_network
from ossicle.models.settings import ModelSettings, WindowSettings
from ossicle.models.weights import save_weights
from ossicle.report.pages import benchmark_tables as bt

from ...conftest import Commands

FRONT = FrontEndSettings(
    rate=8000, n_fft=256, hop_samples=128, n_mels=24, fmin_hz=0.0, fmax_hz=3000.0, scale="linear", preemphasis=0.98
)
PROJECT = """
base = "recipe:tapes"
[corpus]
audio = "nowhere"
[frontend]
rate = 8000
fmax_hz = 4000.0
[benchmark]
audio = "audio"
annotations = "tables"
bootstrap = 0
thresholds = [0.5]
windows = [[0.2, 0.05], [0.2, 0.1], [0.4, 0.1]]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed, name in enumerate(("a.1", "b.2")):
        (tmp_path / "audio").mkdir(exist_ok=True)
        soundfile.write(tmp_path / "audio" / f"{name}.wav", np.random.default_rng(seed).normal(0, 0.1, 16000), 8000)
        write_raven(tmp_path / "tables" / f"{name}.Table.1.selections.txt", [RawSelection(0.5, 0.8, "hum")])
    plan = window_plan(FRONT, 0.2, 0.05, 1.0)
    model = ModelSettings(name="window", window=WindowSettings(backbone="resnet10t"))
    torch.manual_seed(0)
    save_weights(build_network(model, FRONT, plan, 1), tmp_path / "weights.safetensors")
    write_bundle(
        tmp_path / "bundle",
        BundleDescription(
            name="windows",
            labels=("hum",),
            plan=plan,
            front=FRONT,
            decisions={"hum": Decision()},
            model=json.loads(json.dumps(digestible(model))),
        ),
        files={"weights.safetensors": tmp_path / "weights.safetensors", "model.onnx": b"not run here"},
    )
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    return tmp_path


def test_each_window_and_step_is_scored_once(folder: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "missing", lambda: ("nbclient",))
    monkeypatch.setattr("ossicle.report.notebook.missing", lambda: ("nbclient",))
    result = ossicle("benchmark", "-p", folder, "--json", "--progress", "none")
    assert result.code == 0, result.err
    outcomes = json.loads(result.out)["outcomes"]
    assert [name for name in outcomes if name.startswith("score")] == [
        "score:windows:0.2x0.05",
        "score:windows:0.2x0.1",
        "score:windows:0.4x0.1",
    ]
    rows = bt.read_table(folder / "benchmark" / "metrics.csv").filter(pl.col("criterion") == "iou 0.5")
    grid = rows.filter(pl.col("decision") == "grid").select("reading", "window_s", "step_s").rows()
    # 0.05 s is 3.1 hops of 16 ms, 0.1 s is 6.25; windows hold whole STFT frames.
    assert grid == [("0.2x0.05", 0.192, 0.048), ("0.2x0.1", 0.192, 0.096), ("0.4x0.1", 0.4, 0.096)]
    # The bundle's decision was fitted on its own plan, and is judged on that one only.
    assert rows.filter(pl.col("decision") == "bundle")["reading"].to_list() == ["0.2x0.05"]
    assert set(rows["marks"]) == {"overlap with the training corpus not checked"}
    exact = ossicle("benchmark", "-p", folder, "--json", "--set", "benchmark.exact_step=true", "--task", "index")
    assert exact.code == 0
    onnx = ossicle("benchmark", "-p", folder, "--set", "benchmark.runtime=onnx")
    assert onnx.code == 2
    assert "its ONNX graph reads its own windows only" in onnx.err
    short = ossicle("benchmark", "-p", folder, "--set", "benchmark.windows=[[0.03, 0.01]]")
    assert short.code == 2
    assert "windows: window_s = 0.03 s is shorter than two STFT frames" in short.err
