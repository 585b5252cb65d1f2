"""A bundle with an encoder as a predictor: windows to embeddings to scores. No torch, unless the encoder needs it."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ossicle.audio.encoders.spec import Encoder
from ossicle.bundle.encoders.table import require_same
from ossicle.bundle.entries.encoder import HEAD
from ossicle.bundle.manifest import Bundle
from ossicle.bundle.runtimes.graph import OUTPUT, require_threads
from ossicle.bundle.runtimes.onnx_scan import refuse_reaching_out
from ossicle.bundle.runtimes.onnx_session import onnx_session
from ossicle.core.errors import BundleError

EMBEDDINGS = "embeddings"
_FLOAT = "tensor(float)"

Array = NDArray[np.float32]


class HeadGraph:
    """The head of a bundle: embeddings (tokens, dim) of one window to scores (n_labels,).

    Raises
    ------
    BundleError
        If the graph is missing, unsafe, or does not fit the encoder and the labels.
    """

    def __init__(self, bundle: Bundle, dim: int, threads: int = 1) -> None:
        self._source, self._n_labels = str(bundle.folder / HEAD), len(bundle.labels)
        data = bundle.read_bytes(HEAD)
        refuse_reaching_out(data, self._source)
        self._session = onnx_session(data, self._source, threads)
        wanted: tuple[tuple[str, tuple[int | None, ...]], ...] = (
            (EMBEDDINGS, (None, dim)),
            (OUTPUT, (self._n_labels,)),
        )
        for ports, (name, inner) in zip((self._session.get_inputs(), self._session.get_outputs()), wanted, strict=True):
            found = [f"{one.name}: {one.type} {one.shape}" for one in ports]
            fits = len(ports) == 1 and ports[0].name == name and ports[0].type == _FLOAT
            if not fits or not _fits(ports[0].shape, inner):
                shape = ", ".join("tokens" if size is None else str(size) for size in inner)
                raise BundleError(f"{self._source}: expected one {name!r} of floats (batch, {shape}), found {found}")

    def scores(self, embeddings: Array) -> Array:
        """Return the scores, float32 (n_labels,), of one window's embeddings (tokens, dim)."""
        try:
            found: Array = self._session.run([OUTPUT], {EMBEDDINGS: np.ascontiguousarray(embeddings[None])})[0]
        except Exception as error:  # onnxruntime has no public base class of errors
            raise BundleError(f"{self._source} fails on embeddings of shape {embeddings.shape}: {error}") from error
        if found.shape != (1, self._n_labels):
            raise BundleError(f"{self._source} returned the shape {found.shape}, not (1, {self._n_labels})")
        row: Array = found[0]
        return row


class EncodedPredictor:
    """Scores of a bundle's chunks: each frame's window is encoded, and the head scores its embeddings.

    Every window is computed by itself, so that its scores do not depend on its batch by a single bit.

    Parameters
    ----------
    bundle
        A bundle with an encoder.
    encoder
        The encoder that the bundle names.
    threads
        Threads of one operator of the head.

    Raises
    ------
    BundleError
        If the bundle has no encoder, the encoder is another one, or the head does not fit.
    """

    def __init__(self, bundle: Bundle, encoder: Encoder, threads: int = 1) -> None:
        require_threads(threads)
        if bundle.encoder is None:
            raise BundleError(f"{bundle.folder}: the model of this bundle reads no embeddings")
        require_same(bundle.encoder, encoder.spec, f"the encoder {encoder.spec.name}")
        self.labels, self.plan = bundle.labels, bundle.plan
        self._encoder = encoder
        self._head = HeadGraph(bundle, encoder.spec.dim, threads)

    def predict(self, chunks: Array) -> Array:
        """Return probabilities of the core frames of each chunk; see :class:`ossicle.inference.predictor.Predictor`."""
        plan = self.plan
        first = plan.context_frames * plan.hop_samples
        windows = sliding_window_view(chunks, plan.window_samples, axis=1)[:, first :: plan.hop_samples]
        scores = np.empty((len(chunks), plan.core_frames, len(self.labels)), dtype=np.float32)
        for out, own in zip(scores, windows, strict=True):
            for frame in range(plan.core_frames):
                out[frame] = self._head.scores(self._encoder.encode(np.ascontiguousarray(own[frame][None]))[0])
        return scores


def _fits(shape: list[object], inner: tuple[int | None, ...]) -> bool:
    """Return whether a shape of a graph is (batch, *inner); sizes that the graph leaves free fit any."""
    if len(shape) != len(inner) + 1 or isinstance(shape[0], int):
        return False
    return all(
        not isinstance(got, int) or size is None or got == size for got, size in zip(shape[1:], inner, strict=True)
    )
