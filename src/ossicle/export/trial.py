"""A trial export before training: a network that cannot be exported should fail in seconds, not after hours."""

import re

import numpy as np
from torch import nn

from ossicle.bundle.manifest import MODEL
from ossicle.core.errors import ArtefactError, OssicleError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.export.onnx_graph import model_graph
from ossicle.export.parity import check_parity

_OPERATOR = re.compile(r"(?:aten|prim|torchvision|quantized|timm)::\w+")


def try_export(network: nn.Module, plan: ChunkPlan, front: FrontEndSettings, architecture: str = "") -> None:
    """Export an untrained network and run it on a chunk of noise; raises ArtefactError if that fails.

    The message names the ``architecture`` (else the network's class) and the unsupported operator, or how far the
    graph's scores are from torch's. The network stays unchanged.
    """
    name = architecture or type(network).__name__
    try:
        graph = model_graph(network, plan, front)
    except Exception as error:  # the exporter fails with many kinds of errors, its own and torch's
        operators = sorted(set(_OPERATOR.findall(str(error))))
        failing_part = f"the operator {', '.join(operators)}" if operators else "the exporter"
        first_line = str(error).strip().split("\n", 1)[0]
        raise ArtefactError(
            f"{name} cannot be exported to ONNX, so it cannot become a bundle: {failing_part} fails "
            f"({type(error).__name__}: {first_line[:300]}); choose another network"
        ) from error
    noise = (0.1 * np.random.default_rng(0).standard_normal(plan.chunk_samples)).astype(np.float32)
    try:
        check_parity(network, {MODEL: graph}, plan, front, noise)
    except OssicleError as error:
        raise ArtefactError(
            f"{name} changes when it is exported to ONNX ({error}), so it cannot become a bundle; choose another "
            "network"
        ) from error
