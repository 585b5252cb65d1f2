"""Bundles of sliding-window networks: both graphs against torch, and streams without torch."""

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from ossicle.bundle.description import BundleDescription
from ossicle.bundle.format import Bundle, write_bundle
from ossicle.bundle.runtimes.onnx_runtime import OnnxPredictor
from ossicle.core.decisions.decision import Decision
from ossicle.core.model_input.chunks import ChunkPlan, window_plan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.export.onnx_graph import model_graph, waveform_graph
from ossicle.export.parity import _chunks, check_parity
from ossicle.inference.predictor import Predictor
from ossicle.inference.scorer import Scorer
from ossicle.models.bundled import bundled_predictor
from ossicle.models.networks.registry import build_network
from ossicle.models.settings import ModelSettings, WindowSettings
from ossicle.models.weights import save_weights

FRONT = FrontEndSettings(
    rate=8000, n_fft=256, hop_samples=128, n_mels=24, fmin_hz=0.0, fmax_hz=3000.0, scale="linear", preemphasis=0.98,
    window_scale="energy",
)  # fmt: skip
LABELS = ("a", "b")
PLANS = {
    "snapped": window_plan(FRONT, 0.2, 0.05, 0.5),
    "exact": window_plan(FRONT, 0.2, 0.05, 0.5, exact=True),
}
NORMALISE = {"snapped": "minmax", "exact": "level"}


@pytest.fixture(scope="module", params=list(PLANS))
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle of an untrained network, exported as the step ``bundle`` does."""
    torch.manual_seed(0)
    plan: ChunkPlan = PLANS[request.param]
    model = ModelSettings(
        name="window", window=WindowSettings(backbone="resnet10t", normalise=NORMALISE[request.param])
    )
    network = build_network(model, FRONT, plan, len(LABELS)).eval()
    with torch.no_grad():
        network.output.weight *= 60
    graphs = {"model.onnx": model_graph(network, plan, FRONT), "waveform.onnx": waveform_graph(network, plan, FRONT)}
    parity = check_parity(network, graphs, plan, FRONT, sound(3.0))
    assert max(parity.values()) < 1e-4
    folder = tmp_path_factory.mktemp(request.param)
    save_weights(network, folder / "weights.safetensors")
    return write_bundle(
        folder / "bundle",
        BundleDescription(
            name="windows",
            labels=LABELS,
            plan=plan,
            front=FRONT,
            decisions={label: Decision() for label in LABELS},
            model=asdict(model),
        ),
        files={"weights.safetensors": folder / "weights.safetensors", **graphs},
    )


def sound(seconds: float) -> np.ndarray:
    n = round(seconds * FRONT.rate)
    wave = 0.1 * np.random.default_rng(0).standard_normal(n) * (1 + np.sin(np.arange(n) / 900))
    wave[n // 2 : n // 2 + 2000] = 0
    return wave.astype(np.float32)


def scores(predictor: Predictor, samples: np.ndarray, feed: int, batch: int) -> np.ndarray:
    scorer = Scorer(predictor, batch)
    parts = [scorer.feed(samples[at : at + feed]) for at in range(0, len(samples), feed)]
    return np.concatenate([*parts, scorer.finish()])


def test_every_runtime_gives_the_scores_of_torch(bundle: Bundle) -> None:
    samples = sound(4.3)
    torch_predictor = bundled_predictor(
        bundle.checked_path("weights.safetensors"), bundle.model, bundle.labels, bundle.plan, bundle.front
    )
    expected = scores(torch_predictor, samples, len(samples), 4)
    assert len(expected) == bundle.plan.n_frames(len(samples))
    assert expected.std() > 0.03
    for graph in ("model", "waveform"):
        got = scores(OnnxPredictor(bundle, graph=graph), samples, len(samples), 4)
        assert np.abs(got - expected).max() < 1e-4, graph


def test_streams_of_any_feed_give_the_same_scores(bundle: Bundle) -> None:
    samples, predictor = sound(3.1), OnnxPredictor(bundle)
    expected = scores(predictor, samples, len(samples), 8)
    for feed, batch in ((160, 1), (1000, 1), (4001, 3)):
        assert np.abs(scores(predictor, samples, feed, batch) - expected).max() <= 1e-6, feed


def test_a_bundle_of_windows_runs_where_torch_is_missing(bundle: Bundle, tmp_path: Path) -> None:
    samples = sound(2.0)
    np.save(tmp_path / "in.npy", samples)
    code = f"""
import sys
for name in ("torch", "timm", "torchvision", "onnx"):
    sys.modules[name] = None
import numpy as np
from pathlib import Path
from ossicle.bundle.format import read_bundle
from ossicle.bundle.runtimes.onnx_runtime import OnnxPredictor
from ossicle.inference.scorer import Scorer
scorer = Scorer(OnnxPredictor(read_bundle(Path({str(bundle.folder)!r}))))
samples = np.load({str(tmp_path / "in.npy")!r})
np.save({str(tmp_path / "out.npy")!r}, np.concatenate([scorer.feed(samples), scorer.finish()]))
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    expected = scores(OnnxPredictor(bundle), samples, len(samples), 8)
    assert np.abs(np.load(tmp_path / "out.npy") - expected).max() <= 1e-6


@pytest.mark.parametrize("n_samples", [0, 100, 8000, 40_000])
def test_parity_of_windows_that_are_shorter_than_hops(n_samples: int) -> None:
    """Clips end to end: the first samples of a recording lie in no window where STFT frames do not fill a step."""
    plan = window_plan(FRONT, 0.3, 0.3, 0.6, exact=True)
    assert plan.lead_samples < 0
    network = build_network(
        ModelSettings(name="window", window=WindowSettings(backbone="test_resnet")), FRONT, plan, len(LABELS)
    ).eval()
    samples = sound(10.0)[:n_samples]
    chunks = _chunks(samples, plan)
    skipped = -plan.lead_samples
    expected = samples[skipped:][: plan.chunk_samples]
    np.testing.assert_array_equal(chunks[0][: len(expected)], expected)
    result = check_parity(network, {"model.onnx": model_graph(network, plan, FRONT)}, plan, FRONT, samples)
    assert result["model.onnx"] < 1e-4
