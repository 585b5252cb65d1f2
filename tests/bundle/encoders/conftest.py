from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

WEIGHTS = np.random.default_rng(3).standard_normal((160, 4)).astype(np.float32)


def encoder_graph(
    shape: tuple[object, object] = ("batch", "samples"),
    *,
    pooled: bool = False,
    output: tuple[object, ...] | None = None,
) -> onnx.ModelProto:
    """A linear encoder: every 160 samples give a token of 4 values; ``pooled`` returns their mean."""
    nodes = [
        helper.make_node("Reshape", ["waveform", "frames"], ["framed"]),
        helper.make_node("MatMul", ["framed", "weights"], ["tokens"]),
    ]
    if pooled:
        nodes.append(helper.make_node("ReduceMean", ["tokens"], ["mean"], axes=[1], keepdims=0))
    inner = output or (("b", "d") if pooled else ("b", "t", "d"))
    graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("mean" if pooled else "tokens", TensorProto.FLOAT, list(inner))],
        [
            numpy_helper.from_array(WEIGHTS, "weights"),
            numpy_helper.from_array(np.array([0, -1, 160], np.int64), "frames"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Write a graph with metadata and return its file."""

    def written(graph: onnx.ModelProto, metadata: Mapping[str, str] | None = None, name: str = "encoder.onnx") -> Path:
        helper.set_model_props(graph, dict({"sample_rate": "16000"} if metadata is None else metadata))
        (tmp_path / name).write_bytes(graph.SerializeToString())
        return tmp_path / name

    return written
