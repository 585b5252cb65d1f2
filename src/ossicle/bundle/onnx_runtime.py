"""Running a bundle in onnxruntime: a predictor without torch.

``graph="model"`` computes the log-mel spectrogram in NumPy and runs ``model.onnx`` (the fast way); ``"waveform"`` runs
``waveform.onnx`` on samples, as other programs do. Graphs are loaded from bytes whose digest was just compared, with no
custom operators, and refused where they refer to other files.
"""

from typing import Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ossicle.audio.logmel import chunk_log_mel
from ossicle.bundle.manifest import MODEL, WAVEFORM, Bundle
from ossicle.bundle.onnx_scan import refuse_reaching_out
from ossicle.core.chunks import framing
from ossicle.core.errors import BundleError

Graph = Literal["model", "waveform"]
_OUTPUT = "scores"
_ERRORS_ONLY = 3


class OnnxPredictor:
    """A bundle's graph as a predictor: float32 chunks (batch, chunk_samples) to scores (batch, core_frames, n_labels).

    ``threads`` are those of one operator; operators run one after another, so equal inputs, versions and threads give
    equal scores. Raises BundleError where the graph is absent, unsafe or does not fit the bundle's plan and labels.
    """

    def __init__(self, bundle: Bundle, threads: int = 1, graph: Graph = "model") -> None:
        if threads < 1:
            raise ValueError(f"threads = {threads} must be at least 1")
        self.labels = bundle.labels
        self.plan = bundle.plan
        self._front = bundle.front
        self._input = "log_mel" if graph == "model" else "waveform"
        name = MODEL if graph == "model" else WAVEFORM
        self._source = str(bundle.folder / name)
        self._session = _session(bundle.read_bytes(name), self._source, threads)
        plan = bundle.plan
        # The windows of one chunk are a batch already; those of many would only leave the caches.
        self._batch = None if framing(plan, bundle.front).frame_wise else 1
        inner = (
            (framing(plan, bundle.front).n_frames, bundle.front.n_mels) if graph == "model" else (plan.chunk_samples,)
        )
        self._check(self._session.get_inputs(), self._input, inner)
        self._check(self._session.get_outputs(), _OUTPUT, (plan.core_frames, len(bundle.labels)))

    def predict(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities of the core frames of each chunk; see :class:`ossicle.inference.predictor.Predictor`."""
        wave = np.ascontiguousarray(chunks)
        fed = chunk_log_mel(wave, self.plan, self._front) if self._input == "log_mel" else wave
        try:
            step = self._batch or len(fed)
            parts = [
                self._session.run([_OUTPUT], {self._input: fed[at : at + step]})[0] for at in range(0, len(fed), step)
            ]
        except Exception as error:  # onnxruntime has no public base class of errors
            raise BundleError(f"{self._source} fails on chunks of shape {chunks.shape}: {error}") from error
        scores: NDArray[np.float32] = np.concatenate(parts)
        return scores

    def _check(self, found: list[onnxruntime.NodeArg], name: str, inner: tuple[int, ...]) -> None:
        """Refuse a graph whose only input or output is not ``name``, float32, (batch, *inner); names are free sizes."""
        if [one.name for one in found] != [name]:
            raise BundleError(f"{self._source}: expected one {name!r}, found {[one.name for one in found]}")
        shape = found[0].shape
        fits = len(shape) == len(inner) + 1 and not isinstance(shape[0], int)
        fits = fits and all(not isinstance(got, int) or got == size for got, size in zip(shape[1:], inner, strict=True))
        if not fits or found[0].type != "tensor(float)":
            raise BundleError(
                f"{self._source}: {name} is {found[0].type} of shape {shape}, but the bundle's plan, front end and "
                f"labels ask for tensor(float) of shape ['batch', {', '.join(map(str, inner))}]"
            )


def _session(data: bytes, source: str, threads: int) -> onnxruntime.InferenceSession:
    refuse_reaching_out(data, source)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = _ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no public base class of errors
        raise BundleError(f"{source} cannot be loaded: {error}") from error
