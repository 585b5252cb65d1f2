"""The graphs of an export, and predictors that run them before they are in a bundle."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.app.steps.release.export.request import ONNX, Row
from ossicle.audio.features.logmel import chunk_log_mel
from ossicle.bundle.runtimes.graph import ChunkGraph, graph_file
from ossicle.bundle.runtimes.onnx_runtime import onnx_predictor
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.export.folds import folds_graph, folds_waveform_graph
from ossicle.export.half import half_weights
from ossicle.export.int8 import quantised
from ossicle.export.onnx_graph import model_graph, waveform_graph
from ossicle.inference.predictor import Predictor
from ossicle.models.networks.registry import Network

Chunks = Callable[[], Iterable[NDArray[np.float32]]]


def in_precision(graph: bytes, precision: str, fed: Callable[[], Iterable[NDArray[np.float32]]]) -> bytes:
    """Convert a float32 graph to weights of ``precision``; ``fed`` yields the inputs that calibrate int8."""
    if precision == "fp32":
        return graph
    if precision == "int8":
        return quantised(graph, fed())
    return half_weights(graph, "fp16" if precision == "fp16" else "bf16")


def final_graphs(
    final: Network,
    folds: Sequence[Network],
    plan: ChunkPlan,
    front: FrontEndSettings,
    precisions: Sequence[str],
    waveform: bool,
    chunks: Chunks,
) -> Mapping[str, bytes]:
    """Return the graphs of an export in all precisions, by their names in a bundle.

    Parameters
    ----------
    final
        The final network.
    folds
        The networks of all folds, for a graph of their mean; empty for none.
    plan, front
        The chunk plan and the front end of the networks.
    precisions
        The precisions to convert to.
    waveform
        Whether to also make graphs that read waveforms.
    chunks
        Returns training sound, each chunk of shape (plan.chunk_samples,), to calibrate int8.
    """

    def spectrograms() -> Iterable[NDArray[np.float32]]:
        return (chunk_log_mel(chunk[None], plan, front) for chunk in chunks())

    def waves() -> Iterable[NDArray[np.float32]]:
        return (chunk[None] for chunk in chunks())

    plain = {"model": (model_graph(final, plan, front), spectrograms)}
    if waveform:
        plain["waveform"] = (waveform_graph(final, plan, front), waves)
    if folds:
        plain["folds"] = (folds_graph(folds, plan, front), spectrograms)
    if folds and waveform:
        plain["folds_waveform"] = (folds_waveform_graph(folds, plan, front), waves)
    return {
        graph_file(kind, precision): in_precision(graph, precision, fed)
        for kind, (graph, fed) in plain.items()
        for precision in precisions
    }


def stored_precision(row: Row) -> str:
    """Return the precision of the file that a row runs: OpenVINO makes bf16 from the float32 graph itself."""
    return "fp32" if row.runtime != ONNX and row.precision == "bf16" else row.precision


def predictor_of(graph: ChunkGraph, row: Row, threads: int) -> Predictor:
    """Return a predictor of a graph in a row's runtime."""
    if row.runtime == ONNX:
        return onnx_predictor(graph, threads)
    # OpenVINO is an optional extra: such a row exists only if it is installed.
    from ossicle.bundle.runtimes.openvino_runtime import openvino_predictor

    return openvino_predictor(graph, threads, row.precision)
