"""Check that an exported graph gives the scores of its network."""

import copy
from collections.abc import Mapping

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import nn

from ossicle.audio.features.logmel import chunk_log_mel
from ossicle.core.errors import OssicleError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.models.frontend import ChunkLogMel, LogMel
from ossicle.models.networks.detector import CoreScores

TOLERANCE = 1e-4
_BATCH = 8


def check_parity(
    network: nn.Module,
    graphs: Mapping[str, bytes],
    plan: ChunkPlan,
    front: FrontEndSettings,
    samples: NDArray[np.float32],
) -> dict[str, float]:
    """Return the largest difference in score of every graph from torch, on the chunks of ``samples`` (mono, plan.rate).

    A graph with the input ``log_mel`` is fed by the NumPy front end, one with the input ``waveform`` by the samples.
    Raises OssicleError beyond 1e-4, because such a bundle would decide differently elsewhere.
    """
    chunks = _chunks(samples, plan)
    with torch.inference_mode():
        core = CoreScores(copy.deepcopy(network).cpu(), plan).eval()
        expected = core(ChunkLogMel(LogMel(front), plan, front)(torch.from_numpy(chunks))).numpy()
    differences: dict[str, float] = {}
    for name, graph in sorted(graphs.items()):
        session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        input_name = session.get_inputs()[0].name
        fed = {"log_mel": chunk_log_mel(chunks, plan, front), "waveform": chunks}[input_name]
        scores = session.run(["scores"], {input_name: fed})[0]
        differences[name] = float(np.abs(scores - expected).max())
        if not differences[name] <= TOLERANCE:
            raise OssicleError(
                f"{name}: its scores differ from torch's by up to {differences[name]:.2e}, more than {TOLERANCE:g}"
            )
    return differences


def _chunks(samples: NDArray[np.float32], plan: ChunkPlan) -> NDArray[np.float32]:
    """Return at most eight chunks from the beginning, with zeros before sample 0 and after the end."""
    count = max(1, min(_BATCH, plan.n_chunks(len(samples))))
    padded = np.zeros((count - 1) * plan.core_samples + plan.chunk_samples, dtype=np.float32)
    # The lead is negative if windows are shorter than hops: then the first samples belong to no chunk.
    lead, skipped = max(plan.lead_samples, 0), max(-plan.lead_samples, 0)
    kept_samples = samples[skipped : skipped + len(padded) - lead]
    padded[lead : lead + len(kept_samples)] = kept_samples
    starts = range(0, count * plan.core_samples, plan.core_samples)
    return np.stack([padded[start : start + plan.chunk_samples] for start in starts])
