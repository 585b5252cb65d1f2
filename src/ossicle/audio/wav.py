"""Write samples as WAV: bytes for embedding in a page, and files."""

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from ossicle.artefacts.files import whole_file
from ossicle.artefacts.filesystem.changes import open_new

# The sizes of WAV have 32 bits; RF64 holds more.
_WAV_MAX_BYTES = 0xFFFF0000
_SAMPLE_BYTES = {"PCM_16": 2, "PCM_24": 3, "FLOAT": 4}


def wav_bytes(samples: NDArray[np.float32], rate: int) -> bytes:
    """Return a 16-bit WAV file of float samples (n,) at ``rate`` Hz; values beyond full scale are clipped.

    >>> wav_bytes(np.zeros(8, np.float32), 8000)[:4]
    b'RIFF'
    """
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def create_for_soundfile(path: Path) -> None:
    """Create an empty file that libsndfile writes to; it does not say itself why a place cannot be written to.

    Raises
    ------
    OSError
        The file cannot be created.
    """
    open_new(path).close()


def write_wav(path: Path, samples: NDArray[np.float32], rate: int, subtype: str = "PCM_16") -> None:
    """Write float samples (n,) or (n, channels) as a WAV file, atomically.

    ``subtype`` is libsndfile's name: PCM_16 and PCM_24 clip beyond full scale, FLOAT does not.
    """
    with whole_file(path) as part:
        create_for_soundfile(part)
        soundfile.write(part, samples, rate, format="WAV", subtype=subtype)


def write_wav_blocks(
    path: Path,
    blocks: Iterable[NDArray[np.float32]],
    rate: int,
    channels: int,
    *,
    most_samples: int,
    subtype: str = "PCM_24",
) -> int:
    """Write blocks of samples, each (n, channels), one after the other as a WAV file, atomically.

    Only a block is in memory. A file that may exceed 4 GiB is written as RF64, which is WAV with longer sizes.

    Parameters
    ----------
    path
        The file.
    blocks
        The samples.
    rate, channels
        Sample rate in Hz, and number of channels.
    most_samples
        The most samples per channel that the blocks can hold.
    subtype
        As in :func:`write_wav`.

    Returns
    -------
    The number of samples per channel.
    """
    long = most_samples * channels * _SAMPLE_BYTES[subtype] > _WAV_MAX_BYTES
    n_samples = 0
    with whole_file(path) as part:
        create_for_soundfile(part)
        with soundfile.SoundFile(part, "w", rate, channels, subtype, format="RF64" if long else "WAV") as file:
            for block in blocks:
                file.write(block)
                n_samples += len(block)
    return n_samples
