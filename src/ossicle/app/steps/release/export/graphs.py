"""The graphs of an export, and predictors of them that are in no bundle yet."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.app.steps.release.export.request import ONNX, Row
from ossicle.audio.logmel import chunk_log_mel
from ossicle.bundle.graph import ChunkGraph, graph_file
from ossicle.bundle.onnx_runtime import onnx_predictor
from ossicle.core.chunks import ChunkPlan
from ossicle.core.frontend import FrontEndSettings
from ossicle.export.folds import folds_graph, folds_waveform_graph
from ossicle.export.half import half_weights
from ossicle.export.int8 import quantised
from ossicle.export.onnx_graph import model_graph, waveform_graph
from ossicle.inference.predictor import Predictor
from ossicle.models.networks.registry import Network

Chunks = Callable[[], Iterable[NDArray[np.float32]]]


def in_precision(graph: bytes, precision: str, fed: Callable[[], Iterable[NDArray[np.float32]]]) -> bytes:
    """A float32 graph with weights of ``precision``; ``fed`` gives what int8 takes its ranges from."""
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
    """The graphs by their names in a bundle: of the final network, of all ``folds`` where given, in all precisions.

    Graphs of waveforms only where asked for; ``chunks`` gives training sound (plan.chunk_samples,).
    """

    def spectrograms() -> Iterable[NDArray[np.float32]]:
        return (chunk_log_mel(one[None], plan, front) for one in chunks())

    def waves() -> Iterable[NDArray[np.float32]]:
        return (one[None] for one in chunks())

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
    """The precision of the file that a row runs: OpenVINO makes bf16 of the float32 graph itself."""
    return "fp32" if row.runtime != ONNX and row.precision == "bf16" else row.precision


def predictor_of(graph: ChunkGraph, row: Row, threads: int) -> Predictor:
    """A predictor of a graph in a row's runtime."""
    if row.runtime == ONNX:
        return onnx_predictor(graph, threads)
    # OpenVINO is an optional extra: only where it is installed is there such a row.
    from ossicle.bundle.openvino_runtime import openvino_predictor

    return openvino_predictor(graph, threads, row.precision)
