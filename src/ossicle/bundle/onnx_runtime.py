"""Run a bundle in onnxruntime: a predictor without torch.

``graph="model"`` computes the log-mel spectrogram in NumPy and runs ``model.onnx`` (the fast way); ``"waveform"`` runs
``waveform.onnx`` on samples, like other programs. Graphs are loaded from bytes whose digest has just been verified,
without custom operators, and are rejected if they refer to other files.
"""

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ossicle.bundle.graph import OUTPUT, ChunkGraph, Graph, GraphPredictor, Runner, bundled_graph, require_threads
from ossicle.bundle.manifest import Bundle
from ossicle.core.errors import BundleError

_ERRORS_ONLY = 3


class OnnxPredictor(GraphPredictor):
    """A bundle's graph as a predictor: float32 chunks (batch, chunk_samples) to scores (batch, core_frames, n_labels).

    Parameters
    ----------
    bundle
        The bundle.
    threads
        Threads of one operator. Operators run one after another, so equal inputs, versions and threads give equal
        scores.
    graph
        Which of the bundle's graphs to run.
    precision
        Precision of the weights, as added by ``ossicle export``; onnxruntime computes half precision in float32.

    Raises
    ------
    BundleError
        If the graph is missing, unsafe, or does not fit the bundle's plan and labels.
    """

    def __init__(self, bundle: Bundle, threads: int = 1, graph: Graph = "model", precision: str = "fp32") -> None:
        made = bundled_graph(bundle, graph, precision)
        super().__init__(made, _runner(made, threads), threads)


def onnx_predictor(graph: ChunkGraph, threads: int = 1) -> GraphPredictor:
    """Return a predictor for a graph that is not yet in a bundle; the graph is trusted, since the caller made it."""
    return GraphPredictor(graph, _runner(graph, threads), threads)


def _runner(graph: ChunkGraph, threads: int) -> Runner:
    session = _session(graph, threads)
    for found, name, inner in (
        (session.get_inputs(), graph.reads, graph.input_shape),
        (session.get_outputs(), OUTPUT, graph.output_shape),
    ):
        graph.require_one(name, [one.name for one in found])
        graph.require_shape(name, found[0].type, found[0].shape, inner)

    def run(fed: NDArray[np.float32]) -> NDArray[np.float32]:
        scores: NDArray[np.float32] = session.run([OUTPUT], {graph.reads: fed})[0]
        return scores

    return run


def _session(graph: ChunkGraph, threads: int) -> onnxruntime.InferenceSession:
    require_threads(threads)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Without this onnxruntime also takes its own format, which the scan of the model does not know.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    options.log_severity_level = _ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(graph.data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no public base class of errors
        raise BundleError(f"{graph.source} cannot be loaded: {error}") from error
