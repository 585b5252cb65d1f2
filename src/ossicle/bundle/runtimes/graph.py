"""Common parts of a bundle's graphs for all runtimes: names, inputs, and checks.

A bundle may hold one network in several graphs. ``model.onnx`` reads log-mel spectrograms of chunks, computed by
``audio.features.logmel`` in NumPy; ``waveform.onnx`` reads samples. ``folds.onnx`` and ``folds_waveform.onnx`` hold the
networks of all folds behind one spectrogram and return the mean of their scores. If weights are not float32, their
precision is part of the name: ``model.bf16.onnx``, ``folds.int8.onnx``. Every input and output is float32 nevertheless.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.features.logmel import chunk_log_mel
from ossicle.bundle.manifest import Bundle
from ossicle.bundle.runtimes.onnx_scan import require_safe_graph
from ossicle.core.errors import BundleError
from ossicle.core.model_input.chunks import ChunkPlan, framing
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.value_checks import MOST_THREADS, count_fault

Array = NDArray[np.float32]
Runner = Callable[[Array], Array]
Graph = Literal["model", "waveform", "folds", "folds_waveform"]
PRECISIONS = ("fp32", "bf16", "fp16", "int8")
OUTPUT = "scores"


def graph_file(graph: str = "model", precision: str = "fp32") -> str:
    """Return the file name of a graph whose weights have this precision.

    >>> graph_file(), graph_file("folds", "int8")
    ('model.onnx', 'folds.int8.onnx')
    """
    return f"{graph}.onnx" if precision == "fp32" else f"{graph}.{precision}.onnx"


def require_threads(threads: int) -> None:
    """Raise ValueError if ``threads`` is not a whole number from 1 to ``MOST_THREADS``."""
    if fault := count_fault("threads", threads, 1, MOST_THREADS):
        raise ValueError(fault)


@dataclass(frozen=True, slots=True)
class ChunkGraph:
    """An ONNX graph as bytes, and how a recording is fed to it; ``source`` names it in messages."""

    data: bytes
    source: str
    labels: tuple[str, ...]
    plan: ChunkPlan
    front: FrontEndSettings
    reads: Literal["log_mel", "waveform"] = "log_mel"

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input for one chunk."""
        if self.reads == "waveform":
            return (self.plan.chunk_samples,)
        return (framing(self.plan, self.front).n_frames, self.front.n_mels)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the scores of one chunk."""
        return (self.plan.core_frames, len(self.labels))

    def require_one(self, name: str, port_names: Sequence[str]) -> None:
        """Raise BundleError unless the only input or output is the one called ``name``."""
        if list(port_names) != [name]:
            raise BundleError(f"{self.source}: expected one {name!r}, found {list(port_names)}")

    def require_shape(self, name: str, kind: str, shape: Sequence[object], inner: tuple[int, ...]) -> None:
        """Raise BundleError unless this is float32 of (batch, *inner); sizes in ``shape`` that are not integers
        are free.
        """
        fits = len(shape) == len(inner) + 1 and not isinstance(shape[0], int)
        fits = fits and all(not isinstance(got, int) or got == size for got, size in zip(shape[1:], inner, strict=True))
        if not fits or kind != "tensor(float)":
            raise BundleError(
                f"{self.source}: {name} is {kind} of shape {list(shape)}, but the bundle's plan, front end and "
                f"labels need tensor(float) of shape ['batch', {', '.join(map(str, inner))}]"
            )


def bundled_graph(bundle: Bundle, graph: Graph = "model", precision: str = "fp32") -> ChunkGraph:
    """Return a graph of a bundle after verifying its digest; raises BundleError if it is missing or refers to
    other files.
    """
    name = graph_file(graph, precision)
    source = str(bundle.folder / name)
    reads: Literal["log_mel", "waveform"] = "waveform" if graph.endswith("waveform") else "log_mel"
    data = bundle.read_bytes(name)
    require_safe_graph(data, source)
    return ChunkGraph(data, source, bundle.labels, bundle.plan, bundle.front, reads)


class GraphPredictor:
    """A graph as a predictor: float32 chunks (batch, chunk_samples) to scores (batch, core_frames, n_labels).

    ``run`` computes scores from the graph's input. The spectrogram in NumPy uses the same number of threads; its values
    do not depend on it.
    """

    def __init__(self, graph: ChunkGraph, run: Runner, threads: int) -> None:
        self.labels = graph.labels
        self.plan = graph.plan
        self._graph, self._run = graph, run
        self._pool = ThreadPoolExecutor(threads) if threads > 1 and graph.reads == "log_mel" else None
        # The windows of one chunk are already a batch; those of several would not fit in the caches.
        self._batch = None if framing(graph.plan, graph.front).frame_wise else 1

    def predict(self, chunks: Array) -> Array:
        """Return probabilities of the core frames of each chunk; see :class:`ossicle.inference.predictor.Predictor`."""
        wave = np.ascontiguousarray(chunks)
        step = self._batch or len(wave)
        parts = [self._scores(wave[first : first + step]) for first in range(0, len(wave), step)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _scores(self, wave: Array) -> Array:
        fed = wave
        if self._graph.reads == "log_mel":
            fed = chunk_log_mel(wave, self._graph.plan, self._graph.front, self._pool)
        try:
            return self._run(fed)
        except Exception as error:  # neither runtime has a public base class of errors
            raise BundleError(f"{self._graph.source} fails on chunks of shape {wave.shape}: {error}") from error
