"""From audio files to blocks of float32 samples, in bounded memory, with codec delays removed.

Sample 0 is the first sample that was encoded: a click at 1.000 s is at 1.000 s, decoded whole or by seeking, to one
sample in lossless and to 1 ms in lossy codecs. A file that does not record its encoder's delay (raw AAC in ADTS, MP3
without a LAME or Xing header) keeps that delay.

A file that ends early gives the samples that decode, and its report says ``partial`` and why; NaN or Inf raises
AudioError.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from ossicle.audio.ending import cut_off, last_ogg_page_start
from ossicle.audio.ffmpeg import FfmpegReader
from ossicle.audio.probe import AudioInfo, DecoderChoice, probe
from ossicle.core.errors import AudioError

BLOCK_SAMPLES = 1 << 18

# Samples times channels per block, so that memory does not grow with the channels.
_BLOCK_VALUES = 1 << 20
# libsndfile drops all samples of a call in which decoding fails: short calls lose little.
_READ_SAMPLES = 4096
# MP3 frames depend on earlier ones (bit reservoir, overlap): decode some before the wanted sample.
_MP3_PREROLL = 16 * 1152


@dataclass(frozen=True, slots=True)
class DecodeReport:
    """How decoding ended: ``n_samples`` returned per channel at the file's rate, up to ``end_s`` in the recording.

    ``partial`` has a ``reason``; ``silent`` means that every sample was zero.
    """

    n_samples: int
    status: Literal["ok", "partial", "silent"]
    reason: str
    end_s: float


class AudioSource:
    """An audio file to decode: iterate ``blocks()``, then read ``report``. Raises AudioError if nothing decodes.

    ``info`` avoids reading the header again for every reader of the same file.
    """

    def __init__(
        self, path: str | os.PathLike[str], decoder: DecoderChoice = "auto", info: AudioInfo | None = None
    ) -> None:
        self.path = Path(path)
        self.info: AudioInfo = info or probe(self.path, decoder)
        self._report: DecodeReport | None = None

    @property
    def report(self) -> DecodeReport:
        """How decoding ended; known once the blocks are exhausted (RuntimeError before)."""
        if self._report is None:
            raise RuntimeError("the report is known once blocks() is exhausted")
        return self._report

    def blocks(
        self, *, start_sample: int = 0, n_samples: int | None = None, block_samples: int = BLOCK_SAMPLES
    ) -> Iterator[NDArray[np.float32]]:
        """Yield blocks of shape (n, channels), n <= ``block_samples``, of [start_sample, start_sample + n_samples).

        Parameters
        ----------
        start_sample
            First sample at the file's own rate.
        n_samples
            Number of samples; None reads to the end. A crop that reaches beyond the end is short, not an error.
        block_samples
            Largest length of a block.

        Raises
        ------
        AudioError
            On NaN or Inf, or if not one sample of a whole file decodes.
        """
        if start_sample < 0 or block_samples < 1 or (n_samples is not None and n_samples < 0):
            raise ValueError("start_sample and n_samples must be at least 0, block_samples at least 1")
        self._report = None
        reader: SndfileReader | FfmpegReader
        reader = (SndfileReader if self.info.decoder == "libsndfile" else FfmpegReader)(self.path, self.info)
        given, loud = 0, False
        block_samples = min(block_samples, max(1, _BLOCK_VALUES // self.info.channels))
        for block in reader.blocks(start_sample, n_samples, block_samples):
            _refuse_not_finite(block, start_sample + given, self.path, self.info.rate)
            given += len(block)
            loud = loud or bool(block.any())
            yield block
        end = start_sample + given
        reason = "" if given == n_samples else reader.failure or self._shortfall(end, start_sample)
        if given == 0 and start_sample == 0 and n_samples != 0:
            raise AudioError(f"{self.path}: no samples can be decoded ({reason or 'the file holds none'})")
        status: Literal["ok", "partial", "silent"] = "partial" if reason else "ok" if loud else "silent"
        self._report = DecodeReport(given, status, reason, end / self.info.rate)

    def _shortfall(self, end_sample: int, start_sample: int) -> str:
        """Return why decoding that ended at ``end_sample`` without an error still ended early, or ""."""
        promised = 0 if self.info.estimated else self.info.n_samples
        if start_sample < promised and end_sample < promised:
            return f"decoding ends at {end_sample / self.info.rate:.3f} s of {promised / self.info.rate:.3f} s"
        return cut_off(self.path)


class _Sequential(soundfile.SoundFile):  # type: ignore[misc]
    """A SoundFile that does not seek after each read, as python-soundfile otherwise does.

    Such a seek to the current position loses MP3's bit reservoir, and the end of damaged FLAC files.
    """

    def seekable(self) -> bool:
        """Return False; seeking works nevertheless."""
        return False


class SndfileReader:
    """Read through libsndfile; after reading, ``failure`` says why it ended early, if it did."""

    def __init__(self, path: Path, info: AudioInfo) -> None:
        self._path, self._info, self.failure = path, info, ""

    def blocks(self, start: int, n_samples: int | None, block_samples: int) -> Iterator[NDArray[np.float32]]:
        """Yield blocks of shape (n, channels) from sample ``start``."""
        with self._opened() as sound:
            if not self._seek(sound, start):
                return
            left = n_samples if n_samples is not None else 1 << 62
            while left > 0:
                block = self._read(sound, min(left, block_samples))
                if len(block):
                    yield block
                left -= len(block)
                if len(block) < min(left + len(block), block_samples):
                    return

    def _opened(self) -> soundfile.SoundFile:
        try:
            return _Sequential(os.fspath(self._path))
        except soundfile.LibsndfileError as error:
            raise AudioError(f"{self._path}: was removed or changed since it was checked") from error

    def _seek(self, sound: soundfile.SoundFile, start: int) -> bool:
        if start >= sound.frames:
            return start == 0
        near = self._near(sound, start)
        try:
            if near > 0:
                sound.seek(near)
            while near < start:
                skipped = len(sound.read(min(start - near, BLOCK_SAMPLES), dtype="float32"))
                if skipped == 0:
                    return False
                near += skipped
        except soundfile.LibsndfileError as error:
            self.failure = f"cannot seek to {start / self._info.rate:.3f} s ({error.error_string})"
            return False
        return True

    def _near(self, sound: soundfile.SoundFile, start: int) -> int:
        """Return the sample at or before ``start`` to seek to, so that the samples from ``start`` on are exact."""
        if sound.subtype.startswith("MPEG"):
            return max(0, start - _MP3_PREROLL)
        if sound.subtype == "VORBIS":
            # libsndfile 1.2 counts the last page's samples from its end, which Vorbis trims: seeks into it land late.
            return min(start, max(0, last_ogg_page_start(self._path) - 1))
        return start

    def _read(self, sound: soundfile.SoundFile, n_samples: int) -> NDArray[np.float32]:
        block = np.empty((n_samples, self._info.channels), dtype=np.float32)
        filled = 0
        while filled < n_samples:
            wanted = block[filled : filled + _READ_SAMPLES]
            try:
                got = len(sound.read(dtype="float32", always_2d=True, out=wanted))
            except soundfile.LibsndfileError as error:
                self.failure = f"decoding fails ({error.error_string or 'damaged data'})"
                break
            filled += got
            if got < len(wanted):
                break
        return block[:filled]


def _refuse_not_finite(block: NDArray[np.float32], first: int, path: Path, rate: int) -> None:
    # One sum is far cheaper than a mask; it may overflow for finite samples, so only the mask decides.
    if np.isfinite(np.sum(block, dtype=np.float64)):
        return
    bad = ~np.isfinite(block).all(axis=1)
    if bad.any():
        raise AudioError(f"{path}: NaN or Inf in the samples at {(first + int(np.argmax(bad))) / rate:.6f} s")


def read_blocks(
    path: str | os.PathLike[str],
    *,
    start_sample: int = 0,
    n_samples: int | None = None,
    block_samples: int = BLOCK_SAMPLES,
) -> Iterator[NDArray[np.float32]]:
    """Yield blocks of a file, float32 of shape (n, channels); see :meth:`AudioSource.blocks`, which also reports
    the end.
    """
    yield from AudioSource(path).blocks(start_sample=start_sample, n_samples=n_samples, block_samples=block_samples)
