"""Graphs against the network they came from, in plain onnxruntime."""

import os
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from ossicle.audio.features.logmel import log_mel
from ossicle.core.errors import OssicleError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.export.onnx_graph import model_graph, waveform_graph
from ossicle.export.parity import TOLERANCE, check_parity
from ossicle.models.networks.crnn import Crnn
from ossicle.models.predictor import TorchPredictor
from ossicle.models.settings import CrnnSettings

FRONT = FrontEndSettings(rate=8000, n_fft=250, hop_samples=80, n_mels=16, fmax_hz=4000.0)
PLAN = ChunkPlan(rate=8000, hop_samples=80, window_samples=250, core_frames=30, context_frames=5)
LABELS = ("a", "b", "c")


def network(seed: int = 0) -> Crnn:
    """A network whose scores spread over [0, 1] and whose statistics are not those of the start."""
    torch.manual_seed(seed)
    made = Crnn(CrnnSettings(channels=(4, 6), pools=(4, 2), hidden=6), FRONT.n_mels, len(LABELS))
    with torch.no_grad():
        made.output.weight *= 8
        made.normalise.running_mean.fill_(-50.0)
        made.normalise.running_var.fill_(200.0)
    return made


@pytest.fixture(scope="module")
def graphs() -> dict[str, bytes]:
    return {
        "model.onnx": model_graph(network(), PLAN, FRONT),
        "waveform.onnx": waveform_graph(network(), PLAN, FRONT),
    }


def sounds() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shape = (8, PLAN.chunk_samples)
    tone = np.sin(2 * np.pi * 0.1 * np.arange(PLAN.chunk_samples))
    return {
        "noise": 0.1 * rng.standard_normal(shape),
        "loud": np.clip(3 * rng.standard_normal(shape), -1, 1),
        "beyond full scale": 30 * rng.standard_normal(shape),
        "faint": 1e-5 * rng.standard_normal(shape),
        "silent": np.zeros(shape),
        "half silent": rng.standard_normal(shape) * (np.arange(PLAN.chunk_samples) > PLAN.chunk_samples // 2),
        "tone": np.tile(tone, (8, 1)),
    }


def run(graph: bytes, fed: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return session.run(["scores"], {session.get_inputs()[0].name: fed})[0]


@pytest.mark.parametrize("sound", list(sounds()))
def test_both_graphs_give_the_scores_of_torch(graphs: dict[str, bytes], sound: str) -> None:
    chunks = sounds()[sound].astype(np.float32)
    expected = TorchPredictor(network(), LABELS, PLAN, FRONT).predict(chunks)
    assert np.abs(run(graphs["model.onnx"], log_mel(chunks, FRONT)) - expected).max() < TOLERANCE
    assert np.abs(run(graphs["waveform.onnx"], chunks) - expected).max() < TOLERANCE
    if sound == "noise":
        assert expected.std() > 0.05


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_any_batch_gives_each_chunk_the_scores_it_has_alone(graphs: dict[str, bytes], batch: int) -> None:
    chunks = sounds()["noise"].astype(np.float32)[:batch]
    for name, fed in (("model.onnx", log_mel(chunks, FRONT)), ("waveform.onnx", chunks)):
        together = run(graphs[name], fed)
        assert together.shape == (batch, 30, 3)
        assert together.dtype == np.float32
        alone = np.concatenate([run(graphs[name], one[None]) for one in fed])
        assert np.abs(together - alone).max() <= 1e-6


@pytest.mark.parametrize(
    ("name", "wanted", "shape"),
    [
        ("model.onnx", "log_mel", ["batch", PLAN.chunk_frames, 16]),
        ("waveform.onnx", "waveform", ["batch", PLAN.chunk_samples]),
    ],
)
def test_names_and_shapes_at_the_border(graphs: dict[str, bytes], name: str, wanted: str, shape: list) -> None:
    session = onnxruntime.InferenceSession(graphs[name], providers=["CPUExecutionProvider"])
    (given,), (scores,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape, given.type) == (wanted, shape, "tensor(float)")
    assert (scores.name, scores.shape[0]) == ("scores", "batch")


@pytest.mark.parametrize("name", ["model.onnx", "waveform.onnx"])
def test_a_graph_stands_alone_and_tells_nothing_of_the_machine(graphs: dict[str, bytes], name: str) -> None:
    graph = onnx.load_from_string(graphs[name])
    assert all(not tensor.external_data for tensor in graph.graph.initializer)
    assert {entry.domain for entry in graph.opset_import} <= {"", "ai.onnx"}
    for place in (str(Path.home()), os.getcwd(), str(Path(torch.__file__).parent), "site-packages", ".py"):
        assert len(place) < 2 or place.encode() not in graphs[name], place


def test_the_same_network_gives_the_same_bytes(graphs: dict[str, bytes]) -> None:
    assert model_graph(network(), PLAN, FRONT) == graphs["model.onnx"]


def test_the_network_given_is_left_as_it_was(graphs: dict[str, bytes]) -> None:
    given = network().train()
    model_graph(given, PLAN, FRONT)
    check_parity(given, graphs, PLAN, FRONT, np.zeros(2000, dtype=np.float32))
    assert all(part.training for part in given.modules())


def test_the_exporters_narration_is_kept_back(capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings(record=True) as result:
        warnings.simplefilter("always")
        model_graph(network(), PLAN, FRONT)
    assert result == []
    assert capfd.readouterr() == ("", "")


def test_a_grid_of_other_frames_is_refused() -> None:
    plan = ChunkPlan(rate=8000, hop_samples=160, window_samples=250, core_frames=30, context_frames=5)
    for make in (model_graph, waveform_graph):
        with pytest.raises(ValueError, match="disagree on hop_samples"):
            make(network(), plan, FRONT)


@pytest.mark.parametrize("n_samples", [0, 10, 2399, 100_000])
def test_parity_is_measured_on_recordings_of_any_length(graphs: dict[str, bytes], n_samples: int) -> None:
    samples = (0.1 * np.random.default_rng(0).standard_normal(n_samples)).astype(np.float32)
    result = check_parity(network(), graphs, PLAN, FRONT, samples)
    assert sorted(result) == ["model.onnx", "waveform.onnx"]
    assert all(0 <= difference < TOLERANCE for difference in result.values())


@pytest.mark.parametrize("name", ["model.onnx", "waveform.onnx"])
def test_parity_refuses_a_graph_of_other_weights(graphs: dict[str, bytes], name: str) -> None:
    samples = (0.1 * np.random.default_rng(0).standard_normal(9000)).astype(np.float32)
    other = network()
    with torch.no_grad():
        other.output.bias += 0.01
    with pytest.raises(OssicleError, match=f"{name}: its scores differ from torch's"):
        check_parity(other, {name: graphs[name]}, PLAN, FRONT, samples)


def test_parity_refuses_nan() -> None:
    broken = network()
    with torch.no_grad():
        broken.output.bias.fill_(float("nan"))
    with pytest.raises(OssicleError, match="differ"):
        check_parity(
            network(), {"model.onnx": model_graph(broken, PLAN, FRONT)}, PLAN, FRONT, np.zeros(900, np.float32)
        )
