"""Weights in half precision; inputs, outputs and sums in float32.

Each large tensor of weights is stored as float16 or bfloat16 and cast back where it is read. The file is half as large,
the only error is the rounding of the weights, and every runtime can run it: onnxruntime casts once at loading (it has
no half-precision convolutions for processors), OpenVINO recognises the pattern as compressed weights. The exporter
folds batch normalisation into the preceding convolutions, so it is rounded with them. The spectrogram of a waveform
graph stays unchanged: decibels of rounded transforms are wrong far below full scale.
"""

from typing import Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ossicle.core.errors import OssicleError
from ossicle.export.onnx_graph import simplified
from ossicle.export.parts import front_end_constants

Half = Literal["fp16", "bf16"]
# Smaller tensors are biases, scales and shapes: rounding them saves nothing.
_LEAST_VALUES = 256
_LARGEST_FP16 = 65504.0
_SUFFIX = "__half"


def half_weights(graph: bytes, kind: Half) -> bytes:
    """Return ``graph`` with its weights in ``kind``; raises OssicleError if a weight is beyond the range of float16."""
    model = onnx.load_from_string(simplified(graph))
    kept_names = front_end_constants(model)
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or tensor.name in kept_names:
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < _LEAST_VALUES:
            continue
        name = tensor.name
        tensor.CopyFrom(_rounded(values, name + _SUFFIX, kind))
        casts.append(helper.make_node("Cast", [name + _SUFFIX], [name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _rounded(values: NDArray[np.float32], name: str, kind: Half) -> TensorProto:
    if kind == "bf16":
        return helper.make_tensor(name, TensorProto.BFLOAT16, values.shape, bfloat16_bytes(values), raw=True)
    if np.abs(values).max() > _LARGEST_FP16:
        raise OssicleError(f"a weight of {np.abs(values).max():.3g} is beyond float16 ({name}): export bf16 instead")
    return numpy_helper.from_array(values.astype(np.float16), name)


def bfloat16_bytes(values: NDArray[np.float32]) -> bytes:
    """Round finite float32 values to the nearest bfloat16, ties to even, little-endian.

    >>> [hex(one) for one in np.frombuffer(bfloat16_bytes(np.float32([1.0, -2.0])), "<u2")]
    ['0x3f80', '0xc000']
    """
    bits = np.ascontiguousarray(values, dtype="<f4").view("<u4").astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return rounded.astype("<u2").tobytes()
