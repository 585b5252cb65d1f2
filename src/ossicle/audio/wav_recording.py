"""A WAV file of samples that arrive bit by bit; it appears when it is finished, or not at all."""

import errno
import os
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from ossicle.artefacts.files import naming, whole_file

MOST_SAMPLES = (0xFFFF0000 - 4096) // 4
"""The most samples that a WAV file of 32-bit samples holds: its sizes have 32 bits."""


class WavRecording:
    """Write mono float32 samples to a WAV file, without a change of their values.

    Parameters
    ----------
    path
        The file; it replaces an earlier one when it is finished.
    rate
        Sample rate in Hz.

    Raises
    ------
    OSError
        It cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> recording = WavRecording(Path(tempfile.mkdtemp()) / "heard.wav", 8000)
    >>> recording.write(np.zeros(100, dtype=np.float32))
    >>> recording.path.exists(), recording.finish(), recording.path.exists()
    (False, None, True)
    """

    def __init__(self, path: Path, rate: int) -> None:
        self.path, self.n_samples = path, 0
        self._stack = ExitStack()
        with ExitStack() as stack:
            part = stack.enter_context(whole_file(path))
            with naming(path):
                self._file = stack.enter_context(soundfile.SoundFile(part, "w", rate, 1, "FLOAT", format="WAV"))
            self._stack = stack.pop_all()

    def write(self, samples: NDArray[np.float32]) -> None:
        """Add samples (n,); raises OSError if they cannot be written."""
        try:
            with naming(self.path):
                self._file.write(samples)
        except (AssertionError, soundfile.SoundFileError) as error:
            # soundfile asserts that all samples were written, and does not say why not.
            raise OSError(errno.EIO, os.strerror(errno.EIO), os.fspath(self.path)) from error
        self.n_samples += len(samples)

    def finish(self) -> None:
        """Complete the file and give it its name."""
        self._stack.close()

    def discard(self) -> None:
        """Remove what was written."""
        # The error that led here is the one to report.
        with suppress(_Discarded, OSError):
            self._stack.__exit__(_Discarded, _Discarded(), None)


class _Discarded(Exception):
    """Ends the block of a file that must not appear."""
