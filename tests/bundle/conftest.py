import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ossicle.bundle.description import BundleDescription
from ossicle.bundle.format import write_bundle
from ossicle.core.decisions.decision import Decision
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings

LABELS = ("call", "a|b <i>", "Zaunkönig")
PLAN = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=20, context_frames=6)
FRONT = FrontEndSettings(rate=8000, n_fft=256, hop_samples=80, n_mels=16, fmin_hz=50.0, fmax_hz=4000.0)


def tiny_graph(n_mels=16, frames=32, context=6, labels=3, batch="batch", output="scores", kind=TensorProto.FLOAT):
    """Log-mel to sigmoid(core frames @ weights + bias), as an ONNX model."""
    weights = np.random.default_rng(0).normal(size=(n_mels, labels)).astype(np.float32) * 0.05
    constants = {
        "weights": weights,
        "bias": np.full(labels, 0.5, np.float32),
        "starts": np.array([context], np.int64),
        "ends": np.array([frames - context], np.int64),
        "axes": np.array([1], np.int64),
    }
    graph = helper.make_graph(
        [
            helper.make_node("Slice", ["log_mel", "starts", "ends", "axes"], ["core"]),
            helper.make_node("MatMul", ["core", "weights"], ["product"]),
            helper.make_node("Add", ["product", "bias"], ["logits"]),
            helper.make_node("Sigmoid", ["logits"], [output]),
        ],
        "tiny",
        [helper.make_tensor_value_info("log_mel", kind, [batch, frames, n_mels])],
        [helper.make_tensor_value_info(output, kind, [batch, frames - 2 * context, labels])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def waveform_graph():
    """Waveform to the sigmoid of the mean square of each core frame's hop, for any label."""
    shapes = {"one": [1], "offset": [PLAN.lead_samples], "stop": [PLAN.lead_samples + PLAN.core_samples]}
    shapes |= {"frames": [0, PLAN.core_frames, PLAN.hop_samples], "last": [2]}
    graph = helper.make_graph(
        [
            helper.make_node("Slice", ["waveform", "offset", "stop", "one"], ["core"]),
            helper.make_node("Reshape", ["core", "frames"], ["hops"]),
            helper.make_node("Mul", ["hops", "hops"], ["squares"]),
            helper.make_node("ReduceMean", ["squares"], ["power"], axes=[2], keepdims=1),
            helper.make_node("Concat", ["power"] * 3, ["levels"], axis=2),
            helper.make_node("Sigmoid", ["levels"], ["scores"]),
        ],
        "wave",
        [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, ["batch", PLAN.chunk_samples])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", PLAN.core_frames, 3])],
        [numpy_helper.from_array(np.array(value, np.int64), name) for name, value in shapes.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def written(folder, model=None, **changes):
    graph = tiny_graph() if model is None else model
    arguments = {
        "name": "tapes-v1",
        "labels": LABELS,
        "plan": PLAN,
        "front": FRONT,
        "decisions": {
            "call": Decision(on=0.6, off=0.3),
            "a|b <i>": Decision(on=0.55, off=0.5, smoothing="median", smoothing_frames=5, min_gap_s=0.02),
            "Zaunkönig": Decision(),
        },
        "provenance": {"run": "2026-11-21", "seed": 7},
        "metrics": {
            "figures": [
                {"name": "F1 (IoU 0.5)", "value": 0.8126, "low": 0.7, "high": 0.9, "basis": "cross-fitted"},
                {"name": "F1 (IoU 0.5)", "value": 0.85, "basis": "in-sample", "label": "call"},
                {"name": "mystery", "value": 0.99},
            ]
        },
        "split": {"group": "tape", "n_groups": 4, "n_folds": 4},
        "model": {"hidden": 8},
    }
    files = changes.pop("files", {"model.onnx": graph if isinstance(graph, bytes) else graph.SerializeToString()})
    options = {key: changes.pop(key) for key in ("members", "combination", "replace") if key in changes}
    return write_bundle(folder, BundleDescription(**(arguments | changes)), files, **options)


@pytest.fixture
def bundle(tmp_path):
    files = {"model.onnx": tiny_graph().SerializeToString(), "waveform.onnx": waveform_graph().SerializeToString()}
    return written(tmp_path / "bundle", files=files | {"weights.safetensors": b"\x08\0\0\0\0\0\0\0{}      "})


@pytest.fixture
def write():
    """``write_bundle`` with everything filled in; keywords change one thing."""
    return written


@pytest.fixture
def graphs():
    """Maker of the tiny log-mel graph; keywords change one thing."""
    return tiny_graph


@pytest.fixture
def external():
    """A valid graph whose weights lie in another file, at ``location``."""

    def make(location):
        model = tiny_graph()
        tensor = model.graph.initializer[0]
        size = len(tensor.raw_data)
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in {"location": location, "offset": "0", "length": str(size)}.items():
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value
        return model, size

    return make
