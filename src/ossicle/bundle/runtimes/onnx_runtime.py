"""Run a bundle in onnxruntime: a predictor without torch.

``graph="model"`` computes the log-mel spectrogram in NumPy and runs ``model.onnx`` (the fast way); ``"waveform"`` runs
``waveform.onnx`` on samples, like other programs. Graphs are loaded from bytes whose digest has just been verified,
without custom operators, and are rejected if they refer to other files.
"""

import numpy as np
from numpy.typing import NDArray

from ossicle.bundle.manifest import Bundle
from ossicle.bundle.runtimes.graph import OUTPUT, ChunkGraph, Graph, GraphPredictor, Runner, bundled_graph
from ossicle.bundle.runtimes.onnx_session import onnx_session


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
        graph_bytes = bundled_graph(bundle, graph, precision)
        super().__init__(graph_bytes, _runner(graph_bytes, threads), threads)


def onnx_predictor(graph: ChunkGraph, threads: int = 1) -> GraphPredictor:
    """Return a predictor for a graph that is not yet in a bundle; the graph is trusted, since the caller made it."""
    return GraphPredictor(graph, _runner(graph, threads), threads)


def _runner(graph: ChunkGraph, threads: int) -> Runner:
    session = onnx_session(graph.data, graph.source, threads)
    for ports, name, inner in (
        (session.get_inputs(), graph.reads, graph.input_shape),
        (session.get_outputs(), OUTPUT, graph.output_shape),
    ):
        graph.require_one(name, [port.name for port in ports])
        graph.require_shape(name, ports[0].type, ports[0].shape, inner)

    def run(fed: NDArray[np.float32]) -> NDArray[np.float32]:
        scores: NDArray[np.float32] = session.run([OUTPUT], {graph.reads: fed})[0]
        return scores

    return run
