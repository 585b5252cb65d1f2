"""What computes the scores of a bundle: a table of runtimes by name, with the functions that open a bundle in them."""

from collections.abc import Callable
from dataclasses import dataclass

from ossicle.app.steps.engine.encoders import any_encoder_of_spec
from ossicle.bundle.entries.encoder import ENCODER_FILES
from ossicle.bundle.format import WEIGHTS
from ossicle.bundle.manifest import Bundle
from ossicle.bundle.runtimes.bundled_encoded import bundled_encoded_predictor
from ossicle.bundle.runtimes.graph import PRECISIONS, Graph, require_threads
from ossicle.bundle.runtimes.onnx_runtime import OnnxPredictor
from ossicle.core.errors import UsageError
from ossicle.core.model_input.encoder_spec import EncoderSpec
from ossicle.inference.ensembles.ensemble import bundled_ensemble
from ossicle.inference.predictor import Predictor


@dataclass(frozen=True, slots=True)
class Engine:
    """What computes the scores: ``runtime`` and ``precision`` by name, and whether to average the networks of all
    folds.

    ``threads`` is a recorded setting, because sums depend on it. ``device`` is for torch; other runtimes use the CPU.
    """

    runtime: str = "onnx"
    threads: int = 1
    precision: str = "fp32"
    folds: bool = False
    device: str = "auto"

    @property
    def graph(self) -> Graph:
        """The graph that reads log-mel."""
        return "folds" if self.folds else "model"

    @property
    def library(self) -> str:
        """The package of the runtime; scores may differ in their last digits between its versions."""
        return LIBRARIES[self.runtime]


def open_predictor(bundle: Bundle, engine: Engine) -> Predictor:
    """Open a bundle for prediction.

    Parameters
    ----------
    bundle
        The bundle.
    engine
        The runtime, its precision, threads and device.

    Raises
    ------
    UsageError
        There is no such runtime or precision, or the runtime cannot use the device.
    BundleError
        The bundle has no graph for the engine.
    ValueError
        The number of threads is not a whole number from 1 to 1024.
    """
    require_threads(engine.threads)
    if engine.runtime not in RUNTIMES:
        raise UsageError(f"the runtime {engine.runtime!r} is not one of: {', '.join(RUNTIMES)}")
    if engine.precision not in PRECISIONS:
        raise UsageError(f"the precision {engine.precision!r} is not one of: {', '.join(PRECISIONS)}")
    if engine.runtime != "torch" and engine.device not in ("auto", "cpu"):
        raise UsageError(
            f"the runtime {engine.runtime} runs on the CPU only, not on {engine.device!r}; use the runtime torch there"
        )
    if bundle.ensemble is not None:
        return bundled_ensemble(bundle, lambda bundle: open_predictor(bundle, engine))
    if bundle.encoder is not None:
        return _encoded(bundle, bundle.encoder, engine)
    return RUNTIMES[engine.runtime](bundle, engine)


def _encoded(bundle: Bundle, spec: EncoderSpec, engine: Engine) -> Predictor:
    """Open a bundle with an encoder, which has one head in one precision."""
    if engine.runtime != "onnx" or engine.precision != "fp32" or engine.folds:
        raise UsageError(
            f"{bundle.folder}: a bundle with an encoder has neither other runtimes and precisions nor folds: leave out "
            "--runtime, --precision and --folds"
        )
    file = ENCODER_FILES.get(spec.name, "")
    packed_encoder = bundle.checked_path(file) if file in bundle.files else None
    return bundled_encoded_predictor(bundle, any_encoder_of_spec(spec, packed_encoder, engine.threads), engine.threads)


def _onnx(bundle: Bundle, engine: Engine) -> Predictor:
    return OnnxPredictor(bundle, engine.threads, engine.graph, engine.precision)


def _openvino(bundle: Bundle, engine: Engine) -> Predictor:
    # OpenVINO is an optional extra: import it only on request.
    from ossicle.bundle.runtimes.openvino_runtime import OpenVinoPredictor

    return OpenVinoPredictor(bundle, engine.threads, engine.graph, engine.precision)


def _torch(bundle: Bundle, engine: Engine) -> Predictor:
    if engine.precision != "fp32" or engine.folds:
        raise UsageError("the runtime torch supports neither precision nor folds: leave them out")
    # Torch is an optional extra: import it only on request.
    from ossicle.models.bundled import bundled_predictor
    from ossicle.models.devices import device
    from ossicle.models.predictor import use_threads

    use_threads(engine.threads)
    weights, device_name = bundle.checked_path(WEIGHTS), device(engine.device)
    return bundled_predictor(weights, bundle.model, bundle.labels, bundle.plan, bundle.front, device_name)


RUNTIMES: dict[str, Callable[[Bundle, Engine], Predictor]] = {"onnx": _onnx, "openvino": _openvino, "torch": _torch}

LIBRARIES: dict[str, str] = {"onnx": "onnxruntime", "openvino": "openvino", "torch": "torch"}
