"""The captured samples as WAV files, so that a session can be repeated from them."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.filesystem.changes import writable_folders
from ossicle.artefacts.filesystem.links import refuse_link_in
from ossicle.audio.wav_recording import MOST_SAMPLES, WavRecording
from ossicle.core.errors import OssicleError, UsageError
from ossicle.core.time import to_seconds


class Recording:
    """Keep the samples that the engine gets, one file for each stretch without a gap.

    The first file has the given name, the next ones ``NAME.2.wav``, ``NAME.3.wav`` and so on; names that are
    taken (also meanwhile, by another session) are skipped. A new one begins after each gap, and where a WAV file is
    full (four GiB).

    Parameters
    ----------
    path
        The first file.
    rate
        Sample rate in Hz.
    failed
        Called with the reason, and with what is kept, when a file cannot be written; the session goes on without it.

    Raises
    ------
    UsageError
        The first file exists already, or its path leads through a symbolic link.
    OSError
        Its folder cannot be made or written to.
    """

    def __init__(self, path: Path, rate: int, failed: Callable[[str], None]) -> None:
        refuse_link_in(path)
        if path.exists():
            raise UsageError(f"{path} exists already; give another name, so that no recording is lost")
        # Now, so that an unwritable place is an error of the command.
        with writable_folders([path.parent]):
            pass
        self._path, self._rate, self._failed = path, rate, failed
        self._part: WavRecording | None = None
        self._parts = 0
        self._broken = False
        self.files: list[Path] = []
        """The finished files."""

    def write(self, samples: NDArray[np.float32]) -> None:
        """Add mono samples (n,)."""
        if self._broken:
            return
        try:
            if self._part is None or self._part.n_samples + len(samples) > MOST_SAMPLES:
                self.end_part()
                self._part = WavRecording(self._path, self._rate)
            self._part.write(samples)
        except (OSError, OssicleError) as error:
            self._give_up(error)

    def end_part(self) -> None:
        """Finish the present file."""
        part, self._part = self._part, None
        if part is None:
            return
        try:
            self._finish(part)
        except (OSError, OssicleError) as error:
            self._give_up(error)

    def _finish(self, part: WavRecording) -> None:
        """Give a complete file the next free name."""
        while True:
            self._parts += 1
            path = self._path if self._parts == 1 else self._numbered()
            with suppress(FileExistsError):
                part.finish(path)
                self.files.append(path)
                return

    def _numbered(self) -> Path:
        return self._path.with_name(f"{self._path.stem}.{self._parts}{self._path.suffix}")

    def _give_up(self, error: OSError | OssicleError) -> None:
        self._broken = True
        part, self._part = self._part, None
        reason = str(error) if isinstance(error, OssicleError) else _error_in_words(error, self._path)
        kept_s = 0.0 if part is None else self._keep(part)
        self._failed(f"{reason}; the {kept_s:.1f} s before are kept" if kept_s else reason)

    def _keep(self, part: WavRecording) -> float:
        """Finish a file that cannot grow, and return how many seconds are kept; an empty one is removed."""
        if not part.n_samples:
            part.discard()
            return 0.0
        try:
            self._finish(part)
        except (OSError, OssicleError):
            # It was removed, and the error before is the one to report.
            return 0.0
        return to_seconds(part.n_samples, self._rate)


def _error_in_words(error: OSError, path: Path) -> str:
    return f"{error.filename or path}: {error.strerror or error}"
