"""Run a bundle in OpenVINO (the extra ``openvino``): a predictor without torch, and the fastest on most processors.

It reads the bundle's own ONNX graphs; a log-mel graph gets its spectrogram from NumPy, as in onnxruntime. By default
OpenVINO computes in bfloat16 if the processor can, which is fast and differs from float32 in the third decimal, so the
precision is always set. Its throughput mode is off: it splits the threads over several streams, which helps only
parallel requests, and chunks come one after another.
"""

import io
from functools import cache

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino.frontend import FrontEndManager

from ossicle.bundle.manifest import Bundle
from ossicle.bundle.runtimes.graph import (
    OUTPUT,
    ChunkGraph,
    Graph,
    GraphPredictor,
    Runner,
    bundled_graph,
    require_threads,
)
from ossicle.core.errors import BundleError, UsageError
from ossicle.core.onednn import keep_from_amx

_DEVICE = "CPU"
keep_from_amx()


class OpenVinoPredictor(GraphPredictor):
    """A bundle's graph as a predictor: float32 chunks (batch, chunk_samples) to scores (batch, core_frames, n_labels).

    Parameters
    ----------
    bundle, threads, graph
        As in :class:`ossicle.bundle.runtimes.onnx_runtime.OnnxPredictor`.
    precision
        ``fp32`` and ``bf16`` compute in that precision, from ``model.onnx``; ``fp16`` and ``int8`` run the graphs that
        ``ossicle export`` adds, the former computed in float32.

    Raises
    ------
    BundleError
        If the graph is missing, unsafe, or does not fit the bundle's plan and labels.
    UsageError
        For bf16 on a processor without it.
    """

    def __init__(self, bundle: Bundle, threads: int = 1, graph: Graph = "model", precision: str = "fp32") -> None:
        # OpenVINO itself rounds the weights of the float32 graph: bf16 needs no other file.
        stored = "fp32" if precision == "bf16" else precision
        graph_bytes = bundled_graph(bundle, graph, stored)
        super().__init__(graph_bytes, _runner(graph_bytes, threads, precision), threads)


def openvino_predictor(graph: ChunkGraph, threads: int = 1, precision: str = "fp32") -> GraphPredictor:
    """Return a predictor for a graph that is not yet in a bundle; the graph is trusted, since the caller made it."""
    return GraphPredictor(graph, _runner(graph, threads, precision), threads)


def computes_bf16() -> bool:
    """Return whether this processor computes in bfloat16."""
    return "BF16" in _core().get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")


@cache
def _core() -> openvino.Core:
    """Return the one core of this process.

    Each core gives the thread that makes it another stack for signals, and takes it back when it ends. With two cores,
    of which the first ends first, or with one that ends on another thread, the stack that stays is no longer there, and
    the next signal (Ctrl-C, say) would end the process with a segmentation fault.
    """
    return openvino.Core()


def _runner(graph: ChunkGraph, threads: int, precision: str) -> Runner:
    require_threads(threads)
    if precision == "bf16" and not computes_bf16():
        raise UsageError("this processor does not compute in bfloat16; use the precision fp32")
    model = _model(graph)
    for ports, name, inner in (
        (model.inputs, graph.reads, graph.input_shape),
        (model.outputs, OUTPUT, graph.output_shape),
    ):
        graph.require_one(name, [port.get_any_name() for port in ports])
        shape = ["batch" if size.is_dynamic else size.get_length() for size in ports[0].get_partial_shape()]
        kind = ports[0].get_element_type()
        graph.require_shape(
            name, "tensor(float)" if kind == openvino.Type.f32 else f"tensor({kind.get_type_name()})", shape, inner
        )
    settings = {
        "INFERENCE_PRECISION_HINT": openvino.Type.bf16 if precision == "bf16" else openvino.Type.f32,
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads,
        # Two processes that pin their threads would pin them to the same cores.
        "ENABLE_CPU_PINNING": False,
    }
    try:
        request = _core().compile_model(model, _DEVICE, settings).create_infer_request()
    except RuntimeError as error:
        raise BundleError(f"{graph.source} cannot be compiled by OpenVINO: {_short(error)}") from error

    def run(fed: NDArray[np.float32]) -> NDArray[np.float32]:
        # A copy: the next chunk overwrites the memory of the request.
        return np.array(request.infer([fed], share_inputs=True, share_outputs=True)[0])

    return run


def _model(graph: ChunkGraph) -> openvino.Model:
    """Return the graph, read as ONNX only: OpenVINO would try other formats on unknown bytes."""
    try:
        reader = FrontEndManager().load_by_framework("onnx")
        return reader.convert(reader.load(io.BytesIO(graph.data)))
    except Exception as error:  # of reading and of converting, with no common base but RuntimeError's
        raise BundleError(f"{graph.source} cannot be loaded: {_short(error)}") from error


def _short(error: Exception) -> str:
    """Return OpenVINO's message without the positions in its own source files."""
    lines = [line.strip() for line in str(error).splitlines()]
    reasons = [line for line in lines if line and not line.startswith("Exception from") and ".cpp:" not in line]
    return " ".join(reasons)[:300] or "no reason given"
