"""A WAV file of samples that arrive bit by bit; it appears when it is finished, or not at all."""

import errno
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from ossicle.artefacts.files import naming, part_path, publish
from ossicle.artefacts.filesystem.changes import make_folder, open_new, remove_file
from ossicle.audio.wav import create_for_soundfile

MOST_SAMPLES = (0xFFFF0000 - 4096) // 4
"""The most samples that a WAV file of 32-bit samples holds: its sizes have 32 bits."""


class WavRecording:
    """Write mono float32 samples to a WAV file, without a change of their values.

    Parameters
    ----------
    beside
        A file in the same folder; nothing is written to it.
    rate
        Sample rate in Hz.

    Raises
    ------
    OSError
        Nothing can be written there.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "heard.wav"
    >>> recording = WavRecording(path, 8000)
    >>> recording.write(np.zeros(100, dtype=np.float32))
    >>> path.exists(), recording.finish(path), path.exists()
    (False, None, True)
    """

    def __init__(self, beside: Path, rate: int) -> None:
        self.n_samples = 0
        self._path, self._part = beside, part_path(beside)
        make_folder(beside.parent)
        try:
            with naming(beside):
                create_for_soundfile(self._part)
                self._file = soundfile.SoundFile(self._part, "w", rate, 1, "FLOAT", format="WAV")
        except BaseException:
            self._remove_part()
            raise

    def write(self, samples: NDArray[np.float32]) -> None:
        """Add samples (n,); raises OSError if they cannot be written."""
        try:
            with naming(self._path):
                self._file.write(samples)
        except (AssertionError, soundfile.SoundFileError) as error:
            # soundfile asserts that all samples were written, and does not say why not.
            raise OSError(errno.EIO, os.strerror(errno.EIO), os.fspath(self._path)) from error
        self.n_samples += len(samples)

    def finish(self, path: Path) -> None:
        """Complete the file and name it ``path``, in the folder of the start.

        Raises
        ------
        FileExistsError
            The name is taken, perhaps since the start and by another process; another one can be tried.
        OSError
            The file cannot be completed, and is removed.
        """
        # An empty file takes the name, so that no other process can.
        open_new(path).close()
        try:
            with naming(path):
                self._file.close()
                publish(self._part, path)
        except BaseException:
            self._remove_part()
            with suppress(OSError):
                remove_file(path)
            raise

    def discard(self) -> None:
        """Remove what was written."""
        with suppress(OSError, soundfile.SoundFileError):
            self._file.close()
        self._remove_part()

    def _remove_part(self) -> None:
        # The error that led here is the one to report.
        with suppress(OSError):
            remove_file(self._part)
