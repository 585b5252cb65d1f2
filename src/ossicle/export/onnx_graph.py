"""Torch to ONNX: fixed chunk length (a bidirectional GRU needs one), any batch size, nothing external."""

import copy
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import onnx
import torch
from torch import nn

from ossicle.core.chunks import ChunkPlan, framing
from ossicle.core.frontend import FrontEndSettings
from ossicle.models.detector import CoreScores, WaveformScores


def model_graph(network: nn.Module, plan: ChunkPlan, front: FrontEndSettings) -> bytes:
    """The graph of our own runtime: ``log_mel`` (batch, n_frames, n_mels) -> ``scores`` (batch, core_frames, n)."""
    example = torch.zeros(2, framing(plan, front).n_frames, front.n_mels)
    return _export(CoreScores(network, plan), example, "log_mel")


def waveform_graph(network: nn.Module, plan: ChunkPlan, front: FrontEndSettings) -> bytes:
    """The graph for everybody else: ``waveform`` (batch, chunk_samples) -> ``scores`` (batch, core_frames, n)."""
    return _export(WaveformScores(network, plan, front), torch.zeros(2, plan.chunk_samples), "waveform")


def _export(module: nn.Module, example: torch.Tensor, name: str) -> bytes:
    file = io.BytesIO()
    with _quiet(), torch.no_grad():
        # The dynamo exporter unrolls a GRU into one cell a frame (82 s and no GRU operator for 50 frames, against 1 s
        # here: docs/decisions/0007), so recurrent networks go through the TorchScript exporter.
        torch.onnx.export(
            # A copy, so that the caller's network stays in its mode and on its device.
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
    # Names of the exporting machine's source files have no place in a bundle.
    for node in graph.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(graph)
    return bytes(graph.SerializeToString())


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter narrates; what matters to us is the parity check afterwards."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
