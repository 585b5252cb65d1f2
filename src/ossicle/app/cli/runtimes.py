"""Runtimes by name: a literal table from ``--runtime`` to what opens a bundle."""

from collections.abc import Callable

from ossicle.bundle.format import WEIGHTS
from ossicle.bundle.manifest import Bundle
from ossicle.bundle.onnx_runtime import OnnxPredictor
from ossicle.core.errors import UsageError
from ossicle.inference.predictor import Predictor


def open_predictor(bundle: Bundle, runtime: str, threads: int) -> Predictor:
    """A predictor of a bundle; raises UsageError for an unknown runtime."""
    if runtime not in RUNTIMES:
        raise UsageError(f"--runtime {runtime}: there is {', '.join(RUNTIMES)}")
    return RUNTIMES[runtime](bundle, threads)


def _onnx(bundle: Bundle, threads: int) -> Predictor:
    return OnnxPredictor(bundle, threads)


def _torch(bundle: Bundle, threads: int) -> Predictor:
    # Torch is an optional extra: only who asks for it imports it.
    from ossicle.models.bundled import bundled_predictor
    from ossicle.models.predictor import use_threads

    use_threads(threads)
    return bundled_predictor(bundle.checked_path(WEIGHTS), bundle.model, bundle.labels, bundle.plan, bundle.front)


RUNTIMES: dict[str, Callable[[Bundle, int], Predictor]] = {"onnx": _onnx, "torch": _torch}

LIBRARIES: dict[str, str] = {"onnx": "onnxruntime", "torch": "torch"}
"""The package behind each runtime; scores may differ in their last digits between its versions."""
