"""Write samples as WAV: bytes for embedding in a page, and files."""

import io
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from ossicle.artefacts.files import whole_file


def wav_bytes(samples: NDArray[np.float32], rate: int) -> bytes:
    """Return a 16-bit WAV file of float samples (n,) at ``rate`` Hz; values beyond full scale are clipped.

    >>> wav_bytes(np.zeros(8, np.float32), 8000)[:4]
    b'RIFF'
    """
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def write_wav(path: Path, samples: NDArray[np.float32], rate: int, subtype: str = "PCM_16") -> None:
    """Write float samples (n,) or (n, channels) as a WAV file, atomically.

    ``subtype`` is libsndfile's name: PCM_16 and PCM_24 clip beyond full scale, FLOAT does not.
    """
    with whole_file(path) as part:
        soundfile.write(part, samples, rate, format="WAV", subtype=subtype)
