"""An encoder and a head as a predictor: windows to embeddings to scores. No torch, unless the encoder needs it."""

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ossicle.audio.encoders.spec import Encoder
from ossicle.bundle.runtimes.graph import OUTPUT
from ossicle.bundle.runtimes.onnx_scan import require_safe_graph
from ossicle.bundle.runtimes.onnx_session import onnx_session
from ossicle.core.errors import BundleError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.encoder_windows import EncoderWindows

EMBEDDINGS = "embeddings"
_FLOAT = "tensor(float)"

Array = NDArray[np.float32]


class HeadGraph:
    """The head of a bundle: embeddings (tokens, dim) of one window to scores (n_labels,).

    Parameters
    ----------
    data
        The graph, as ONNX.
    source
        Where it comes from, for messages.
    n_labels
        Number of labels.
    dim
        Values of one token.
    threads
        Threads of one operator.

    Raises
    ------
    BundleError
        If the graph is unsafe, or does not fit the encoder and the labels.
    """

    def __init__(self, data: bytes, source: str, n_labels: int, dim: int, threads: int = 1) -> None:
        self._source, self._n_labels = source, n_labels
        require_safe_graph(data, self._source)
        self._session = onnx_session(data, self._source, threads)
        expected_ports: tuple[tuple[str, tuple[int | None, ...]], ...] = (
            (EMBEDDINGS, (None, dim)),
            (OUTPUT, (self._n_labels,)),
        )
        for ports, (name, inner) in zip(
            (self._session.get_inputs(), self._session.get_outputs()), expected_ports, strict=True
        ):
            described = [f"{port.name}: {port.type} {port.shape}" for port in ports]
            fits = len(ports) == 1 and ports[0].name == name and ports[0].type == _FLOAT
            if not fits or not _has_shape(ports[0].shape, inner):
                shape = ", ".join("tokens" if size is None else str(size) for size in inner)
                raise BundleError(
                    f"{self._source}: expected one {name!r} of floats (batch, {shape}), found {described}"
                )

    def scores(self, embeddings: Array) -> Array:
        """Return the scores, float32 (n_labels,), of one window's embeddings (tokens, dim)."""
        try:
            scores: Array = self._session.run([OUTPUT], {EMBEDDINGS: np.ascontiguousarray(embeddings[None])})[0]
        except Exception as error:  # onnxruntime has no public base class of errors
            raise BundleError(f"{self._source} fails on embeddings of shape {embeddings.shape}: {error}") from error
        if scores.shape != (1, self._n_labels):
            raise BundleError(f"{self._source} returned the shape {scores.shape}, not (1, {self._n_labels})")
        row: Array = scores[0]
        return row


class EncodedPredictor:
    """Scores of chunks by an encoder and a head: each frame's window is encoded, and the head scores its embeddings.

    Every window is computed by itself, so that its scores do not depend on its batch by a single bit.

    Parameters
    ----------
    labels, plan
        The labels and the chunk plan.
    encoder
        The encoder.
    score
        The head: embeddings (tokens, dim) of one window to scores (n_labels,).
    windows
        The windows in which the encoder reads that of a frame; None: at once.
    """

    def __init__(
        self,
        labels: tuple[str, ...],
        plan: ChunkPlan,
        encoder: Encoder,
        score: Callable[[Array], Array],
        windows: EncoderWindows | None = None,
    ) -> None:
        self.labels, self.plan = labels, plan
        self._encoder, self._score = encoder, score
        self._windows = windows or EncoderWindows(window_samples=plan.window_samples, hop_samples=plan.window_samples)

    def predict(self, chunks: Array) -> Array:
        """Return probabilities of the core frames of each chunk; see :class:`ossicle.inference.predictor.Predictor`."""
        plan = self.plan
        first = plan.context_frames * plan.hop_samples
        windows = sliding_window_view(chunks, plan.window_samples, axis=1)[:, first :: plan.hop_samples]
        scores = np.empty((len(chunks), plan.core_frames, len(self.labels)), dtype=np.float32)
        for chunk_scores, chunk_windows in zip(scores, windows, strict=True):
            for frame in range(plan.core_frames):
                tokens = self._encoder.encode(self._windows.of(chunk_windows[frame]))
                chunk_scores[frame] = self._score(tokens.reshape(-1, tokens.shape[2]))
        return scores


def _has_shape(shape: list[object], inner: tuple[int | None, ...]) -> bool:
    """Return whether a shape of a graph is (batch, *inner); sizes that the graph leaves free fit any."""
    if len(shape) != len(inner) + 1 or isinstance(shape[0], int):
        return False
    return all(
        not isinstance(got, int) or size is None or got == size for got, size in zip(shape[1:], inner, strict=True)
    )
