"""Half precision and 8-bit graphs, piece by piece."""

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnx import TensorProto, helper, numpy_helper

from ossicle.audio.features.logmel import log_mel
from ossicle.core.errors import OssicleError
from ossicle.export.half import bfloat16_bytes, half_weights
from ossicle.export.int8 import quantised
from ossicle.export.onnx_graph import model_graph, simplified, waveform_graph

from .test_export import FRONT, PLAN, network, run, sounds


@pytest.fixture(scope="module")
def graph() -> bytes:
    return model_graph(network(), PLAN, FRONT)


@given(
    hnp.arrays(np.float32, hnp.array_shapes(max_dims=2, max_side=5), elements=st.floats(-(2**120), 2**120, width=32))
)
def test_bfloat16_is_rounded_as_torch_does(values: np.ndarray) -> None:
    expected = torch.from_numpy(values).bfloat16().view(torch.int16).numpy().astype("<i2").tobytes()
    assert bfloat16_bytes(values) == expected


@pytest.mark.parametrize(("kind", "stored"), [("fp16", TensorProto.FLOAT16), ("bf16", TensorProto.BFLOAT16)])
def test_large_weights_are_stored_in_half_and_the_borders_stay_float32(graph: bytes, kind: str, stored: int) -> None:
    made = onnx.load_from_string(half_weights(graph, kind))  # type: ignore[arg-type]
    kinds = {tensor.name: tensor.data_type for tensor in made.graph.initializer}
    assert stored in kinds.values()
    for tensor in made.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            assert np.prod(tensor.dims) < 256
    for border in (*made.graph.input, *made.graph.output):
        assert border.type.tensor_type.elem_type == TensorProto.FLOAT
    assert made.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_half_weights_are_the_rounded_weights(graph: bytes) -> None:
    """The obvious way: round every large weight of a float32 graph, and run that."""
    obvious = onnx.load_from_string(simplified(graph))
    for tensor in obvious.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and np.prod(tensor.dims) >= 256:
            rounded = numpy_helper.to_array(tensor).astype(np.float16).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(rounded, tensor.name))
    fed = log_mel(sounds()["noise"].astype(np.float32), FRONT)
    np.testing.assert_allclose(run(half_weights(graph, "fp16"), fed), run(obvious.SerializeToString(), fed), atol=1e-6)


def test_a_weight_beyond_float16_is_refused() -> None:
    weights = np.full((32, 16), 1e5, np.float32)
    made = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["scores"])],
        "large",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 32])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 16])],
        [numpy_helper.from_array(weights, "w")],
    )
    data = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
    with pytest.raises(OssicleError, match=r"beyond float16 .*: export bf16 instead"):
        half_weights(data, "fp16")
    half_weights(data, "bf16")


def test_the_spectrogram_of_a_waveform_graph_keeps_its_precision() -> None:
    graph = waveform_graph(network(), PLAN, FRONT)
    tensors = {one.name: one for one in onnx.load_from_string(simplified(graph)).graph.initializer}
    basis = max(tensors, key=lambda name: np.prod(tensors[name].dims))
    assert tensors[basis].dims[1:] == [1, FRONT.n_fft]
    chunks = sounds()["noise"].astype(np.float32)
    for made in (half_weights(graph, "fp16"), quantised(graph, [chunks[:1]])):
        kept = {one.name: one for one in onnx.load_from_string(made).graph.initializer}
        np.testing.assert_array_equal(numpy_helper.to_array(kept[basis]), numpy_helper.to_array(tensors[basis]))


def test_int8_stores_bytes_and_says_so_twice_alike(graph: bytes) -> None:
    fed = [one[None] for one in log_mel(sounds()["noise"].astype(np.float32), FRONT)]
    made = quantised(graph, fed)
    assert made == quantised(graph, fed)
    kinds = [tensor.data_type for tensor in onnx.load_from_string(made).graph.initializer]
    assert TensorProto.INT8 in kinds
    operators = {node.op_type for node in onnx.load_from_string(made).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear", "GRU"} <= operators


def test_int8_takes_its_ranges_from_the_sound_it_is_given(graph: bytes) -> None:
    """Ranges from silence are useless for noise: the scores tell."""
    noise = log_mel(sounds()["noise"].astype(np.float32), FRONT)
    silence = log_mel(sounds()["silent"].astype(np.float32), FRONT)
    exact = run(graph, noise)
    good = np.abs(run(quantised(graph, [one[None] for one in noise]), noise) - exact).mean()
    bad = np.abs(run(quantised(graph, [one[None] for one in silence]), noise) - exact).mean()
    assert good < bad / 3


def test_int8_without_sound_is_refused(graph: bytes) -> None:
    with pytest.raises(OssicleError, match="int8 needs sound for calibration"):
        quantised(graph, [])
