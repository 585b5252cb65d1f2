"""Static quantisation: weights and activations of convolutions and matrix products as 8-bit integers.

The ranges of activations come from calibration sound (Jacob et al. 2018); weights have one scale per output channel.
Scales are stored in the graph as pairs of QuantizeLinear and DequantizeLinear, which onnxruntime and OpenVINO fuse.
Recurrent layers, normalisations and the spectrogram stay in float32.

References
----------
B. Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only inference", CVPR
2018.
"""

import logging
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from ossicle.core.errors import OssicleError
from ossicle.export.onnx_graph import simplified
from ossicle.export.parts import front_end_nodes

_OPERATORS = ["Conv", "Gemm", "MatMul"]


def quantised(graph: bytes, calibration: Iterable[NDArray[np.float32]]) -> bytes:
    """Return ``graph`` with 8-bit weights and activations; ``calibration`` holds inputs (batch, ...) of the graph.

    Equal graphs and inputs give equal bytes. Raises OssicleError without calibration sound.
    """
    model = onnx.load_from_string(simplified(graph))
    inputs = iter(calibration)
    first = next(inputs, None)
    if first is None:
        raise OssicleError("int8 needs sound for calibration, but the training recordings contain none")
    reader = _Reader(model.graph.input[0].name, chain([first], inputs))
    with tempfile.TemporaryDirectory() as scratch, _quiet():
        target = Path(scratch) / "int8.onnx"
        quantize_static(
            model,
            target,
            reader,
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_OPERATORS,
            nodes_to_exclude=front_end_nodes(model),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        quantised_model = onnx.load(target)
    for node in quantised_model.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(quantised_model)
    return bytes(quantised_model.SerializeToString())


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """Iterate over the calibration inputs."""

    def __init__(self, name: str, inputs: Iterator[NDArray[np.float32]]) -> None:
        self._name, self._inputs = name, inputs

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Return the next input, None after the last."""
        fed = next(self._inputs, None)
        return None if fed is None else {self._name: fed}


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the quantiser's advice on its root logger; the parity check and the metric are what counts."""
    logger = logging.getLogger()
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
