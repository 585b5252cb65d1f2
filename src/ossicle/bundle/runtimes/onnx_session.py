"""Load an ONNX graph from bytes, with the settings that every session of Ossicle has."""

import onnxruntime

from ossicle.core.errors import BundleError
from ossicle.core.value_checks import MOST_THREADS, count_fault

_ERRORS_ONLY = 3


def onnx_session(data: bytes, source: str, threads: int) -> onnxruntime.InferenceSession:
    """Return a session on the CPU whose operators run one after the other.

    Parameters
    ----------
    data
        The graph. A graph from elsewhere is scanned first (:mod:`ossicle.bundle.runtimes.onnx_scan`).
    source
        Its name in messages.
    threads
        Threads of one operator.

    Raises
    ------
    ValueError
        ``threads`` is not a possible number of threads.
    BundleError
        The graph cannot be loaded.
    """
    if fault := count_fault("threads", threads, 1, MOST_THREADS):
        raise ValueError(fault)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Without this onnxruntime also takes its own format, which the scan of the model does not know.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    options.log_severity_level = _ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no public base class of errors
        raise BundleError(f"{source} cannot be loaded: {error}") from error
