"""Export from torch to ONNX: fixed chunk length (required by a bidirectional GRU), any batch size, no external data."""

import copy
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
import onnxruntime
import torch
from torch import nn

from ossicle.core.model_input.chunks import ChunkPlan, framing
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.models.networks.detector import CoreScores, WaveformScores

_ERRORS_ONLY = 3


def model_graph(network: nn.Module, plan: ChunkPlan, front: FrontEndSettings) -> bytes:
    """Return the graph for Ossicle's runtime: ``log_mel`` (batch, n_frames, n_mels) -> ``scores`` (batch,
    core_frames, n).
    """
    return export_module(CoreScores(network, plan), model_example(plan, front), "log_mel")


def waveform_graph(network: nn.Module, plan: ChunkPlan, front: FrontEndSettings) -> bytes:
    """Return the graph for other programs: ``waveform`` (batch, chunk_samples) -> ``scores`` (batch, core_frames,
    n).
    """
    return export_module(WaveformScores(network, plan, front), waveform_example(plan), "waveform")


def model_example(plan: ChunkPlan, front: FrontEndSettings) -> torch.Tensor:
    """Return example spectrograms of two chunks for the exporter."""
    return torch.zeros(2, framing(plan, front).n_frames, front.n_mels)


def waveform_example(plan: ChunkPlan) -> torch.Tensor:
    """Return example samples of two chunks for the exporter."""
    return torch.zeros(2, plan.chunk_samples)


def export_module(module: nn.Module, example: torch.Tensor, name: str) -> bytes:
    """Return the graph of ``module`` from the input ``name`` to ``scores``, for any batch size, checked and
    self-contained.
    """
    file = io.BytesIO()
    with _quiet(), torch.no_grad():
        # The dynamo exporter unrolls a GRU into one cell a frame (82 s and no GRU operator for 50 frames, against 1 s
        # here: docs/decisions/0007), so recurrent networks go through the TorchScript exporter.
        torch.onnx.export(
            # A copy, so that the caller's network keeps its mode and device.
            copy.deepcopy(module).cpu().eval(),
            (example,),
            file,  # type: ignore[arg-type]  # the TorchScript exporter writes to any binary file
            input_names=[name],
            output_names=["scores"],
            dynamic_axes={name: {0: "batch"}, "scores": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )
    graph = onnx.load_from_string(file.getvalue())
    # Names of source files on the exporting machine must not be in a bundle.
    for node in graph.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(graph)
    return bytes(graph.SerializeToString())


def simplified(graph: bytes) -> bytes:
    """Return ``graph`` with everything that depends on no input computed by onnxruntime, in standard operators.

    Every weight is then a plain tensor, also in networks that normalise their weights at run time.
    """
    with tempfile.TemporaryDirectory() as scratch:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(Path(scratch) / "simplified.onnx")
        options.log_severity_level = _ERRORS_ONLY
        onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        model = onnx.load(options.optimized_model_filepath)
    # onnxruntime lists every operator library that it knows, and needs none of them here.
    used = {node.domain for node in model.graph.node}
    used_opsets = [opset for opset in model.opset_import if opset.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(used_opsets)
    return bytes(model.SerializeToString())


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the exporter's messages; the parity check afterwards is what counts."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
