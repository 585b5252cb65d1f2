"""Any ONNX encoder: waveforms (batch, samples) to embeddings (batch, tokens, dim) or (batch, dim).

The graph has one input, float32 of two axes. Of its outputs the first with two or three axes is read. What the graph
does not say in its shapes it can say in its metadata (``metadata_props``): ``sample_rate`` in Hz, ``hop_s`` and
``origin_s`` of its tokens in seconds, ``licence``. Like every graph, it is loaded from bytes whose digest is known,
without custom operators, and is rejected if it refers to other files.
"""

from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ossicle.artefacts.filesystem.reading import read_regular
from ossicle.audio.encoders.settings import ONNX
from ossicle.audio.encoders.spec import EncoderSpec, refuse_waveforms
from ossicle.bundle.encoders.weights import weights_digest
from ossicle.bundle.runtimes.onnx_scan import require_safe_graph
from ossicle.bundle.runtimes.onnx_session import onnx_session
from ossicle.core.errors import BundleError, UsageError

MOST_BYTES = 2 << 30
"""The largest graph that is read: a message of protocol buffers cannot be larger."""
_FLOAT = "tensor(float)"

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Ports:
    """Names of the input and of the output that is read, fixed number of samples (0: any), fixed batch (0: any)."""

    reads: str
    gives: str
    n_samples: int
    batch: int


class OnnxEncoder:
    """An ONNX graph as an encoder.

    Parameters
    ----------
    path
        The file.
    threads
        Threads of one operator.
    rate
        Sample rate that the graph reads in Hz; 0: as its metadata say.

    Raises
    ------
    UsageError
        The file cannot be read, or its sample rate is not known.
    BundleError
        The graph is unsafe, cannot be loaded, or is not an encoder.
    """

    def __init__(self, path: Path, threads: int = 1, rate: int = 0) -> None:
        self._source = str(path)
        digest = weights_digest(path)
        try:
            data = read_regular(path, MOST_BYTES)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror or error}; give the file of an ONNX encoder") from error
        require_safe_graph(data, self._source, may_hold_infinity=True)
        self._session = onnx_session(data, self._source, threads)
        self._ports = _ports(self._session, self._source)
        stated = dict(self._session.get_modelmeta().custom_metadata_map)
        self.spec = self._described(stated, digest, rate)

    def encode(self, waveforms: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the embeddings (batch, tokens, dim) of waveforms (batch, n_samples).

        Raises
        ------
        ValueError
            The waveforms have a length that the graph does not accept.
        BundleError
            The graph fails or returns something else.
        """
        refuse_waveforms(waveforms, self.spec)
        embeddings = self._run(waveforms)
        if embeddings.shape[2] != self.spec.dim:
            raise BundleError(
                f"{self._source} returned embeddings of {embeddings.shape[2]} values, not {self.spec.dim}"
            )
        return embeddings

    def _described(self, stated: dict[str, str], digest: str, rate: int) -> EncoderSpec:
        """Return the spec, from the metadata and from what the graph returns for silence."""
        rate = rate or _whole_number(stated.get("sample_rate", ""))
        if rate < 1:
            raise UsageError(
                f"{self._source} does not say which sample rate it reads (metadata key sample_rate): set "
                "[encoder] rate, or --rate"
            )
        fixed = self._ports.n_samples
        length = fixed or rate
        silence_embedding = self._run(np.zeros((1, length), np.float32))
        hop_s, origin_s = _seconds(stated, "hop_s", self._source), _seconds(stated, "origin_s", self._source)
        if hop_s is None:
            hop_s = self._measured_hop_s(silence_embedding.shape[1], length, rate)
        if origin_s is None:
            origin_s = hop_s / 2
        return EncoderSpec(
            ONNX,
            rate,
            silence_embedding.shape[2],
            window_samples=fixed,
            hop_s=hop_s,
            origin_s=origin_s,
            sha256=digest,
            licence=stated.get("licence", stated.get("license", "")),
        )

    def _measured_hop_s(self, tokens: int, length: int, rate: int) -> float:
        """Return the distance between tokens: 0 if there is one, else from how many a waveform has."""
        if self._ports.n_samples:
            return 0.0 if tokens == 1 else length / rate / tokens
        more = self._run(np.zeros((1, 3 * length), np.float32)).shape[1]
        return 2 * length / rate / (more - tokens) if more > tokens else 0.0

    def _run(self, waveforms: Array) -> Array:
        wave = np.ascontiguousarray(waveforms, dtype=np.float32)
        step = self._ports.batch or len(wave)
        parts = [self._embeddings(wave[first : first + step]) for first in range(0, len(wave), max(step, 1))]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _embeddings(self, wave: Array) -> Array:
        missing = max(0, self._ports.batch - len(wave))
        fed = np.pad(wave, ((0, missing), (0, 0)))
        try:
            embeddings: NDArray[np.float32] = self._session.run([self._ports.gives], {self._ports.reads: fed})[0]
        except Exception as error:  # onnxruntime has no public base class of errors
            raise BundleError(f"{self._source} fails on waveforms of shape {fed.shape}: {error}") from error
        if embeddings.ndim == 2:
            embeddings = embeddings[:, None, :]
        if embeddings.ndim != 3 or len(embeddings) != len(fed) or 0 in embeddings.shape:
            raise BundleError(
                f"{self._source} returned the shape {embeddings.shape} for {len(fed)} waveforms, "
                "not (waveforms, tokens, dim)"
            )
        kept_embeddings = embeddings[: len(wave)]
        if not np.isfinite(kept_embeddings).all():
            raise BundleError(f"{self._source} returned NaN or Inf: this graph cannot encode these waveforms")
        return np.ascontiguousarray(kept_embeddings)


def _ports(session: onnxruntime.InferenceSession, source: str) -> _Ports:
    """Return which input and output to use; raises BundleError if the graph is not an encoder."""
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type != _FLOAT or len(inputs[0].shape) != 2:
        described = [f"{port.name}: {port.type} {port.shape}" for port in inputs]
        raise BundleError(
            f"{source} is not an encoder: it needs one input of floats (batch, samples), and has {described}"
        )
    outputs = [port for port in session.get_outputs() if port.type == _FLOAT and len(port.shape) in (2, 3)]
    if not outputs:
        described = [f"{port.name}: {port.type} {port.shape}" for port in session.get_outputs()]
        raise BundleError(
            f"{source} is not an encoder: no output has floats of (batch, tokens, dim) or (batch, dim); it has "
            f"{described}"
        )
    batch, n_samples = (size if isinstance(size, int) else 0 for size in inputs[0].shape)
    return _Ports(inputs[0].name, outputs[0].name, n_samples, batch)


def _whole_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 7 else 0


def _seconds(stated: dict[str, str], key: str, source: str) -> float | None:
    if key not in stated:
        return None
    try:
        value = float(stated[key])
    except ValueError:
        value = -1.0
    if not isfinite(value) or value < 0:
        raise BundleError(f"{source}: its metadata say {key} = {stated[key]!r}, which is not a number of seconds")
    return value
