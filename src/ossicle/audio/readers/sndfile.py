"""Decode through libsndfile: WAV, FLAC, Ogg (Vorbis and Opus), AIFF, CAF, AU and MP3."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from ossicle.audio.containers.spliced_file import SplicedFile
from ossicle.audio.containers.streams import Stream
from ossicle.audio.info import AudioInfo, StreamInfo
from ossicle.audio.readers.c_messages import no_c_messages
from ossicle.core.errors import AudioError

# libsndfile drops all samples of a call in which decoding fails. Short calls lose little, and calls that end at
# multiples of this number lose the same whatever was asked for.
_READ_SAMPLES = 4096
_SKIP_SAMPLES = 1 << 16
# MP3 frames depend on earlier ones (bit reservoir, overlap): decode some before the wanted sample.
_MP3_PREROLL = 16 * 1152


class Sound(soundfile.SoundFile):  # type: ignore[misc]
    """A SoundFile that does not seek after each read, as python-soundfile otherwise does.

    Such a seek to the current position loses MP3's bit reservoir, and the end of damaged FLAC files.
    """

    def seekable(self) -> bool:
        """Return False; seeking works nevertheless."""
        return False


def open_sound(path: Path, stream: Stream, *, as_it_is: bool) -> Sound:
    """Open a stream of a file, or the whole file ``as_it_is``.

    Raises
    ------
    soundfile.LibsndfileError, TypeError
        It is nothing that libsndfile can read. (TypeError: soundfile requires a rate for suffixes such as .raw.)
    """
    with no_c_messages():
        if as_it_is:
            return Sound(os.fspath(path))
        view = SplicedFile(path, stream)
        try:
            if stream.pcm is None:
                return Sound(view)
            pcm = stream.pcm
            return Sound(
                view,
                format="RAW",
                subtype=pcm.encoding,
                endian=pcm.order,
                samplerate=pcm.rate,
                channels=pcm.channels,
            )
        except BaseException:
            view.close()
            raise


class SndfileReader:
    """Read a stream; after reading, ``failure`` says why it ended early, if it did."""

    def __init__(self, path: Path, info: AudioInfo, stream: StreamInfo) -> None:
        self._path, self._info, self._stream, self.failure = path, info, stream, ""

    def blocks(self, start: int, n_samples: int | None, block_samples: int) -> Iterator[NDArray[np.float32]]:
        """Yield blocks of shape (n, channels) from sample ``start``."""
        with self._opened_at(start) as sound:
            if sound is None:
                return
            left = n_samples if n_samples is not None else 1 << 62
            if not self._stream.estimated:
                # What follows the last sample, such as a tag, is not to be decoded: the call would lose what is before.
                left = min(left, self._stream.n_samples - start)
            position = start
            while left > 0:
                n_wanted = min(left, block_samples)
                block = self._read(sound, position, n_wanted)
                if len(block):
                    yield block
                left -= len(block)
                position += len(block)
                if len(block) < n_wanted:
                    return

    def _opened(self) -> Sound:
        try:
            return open_sound(self._path, self._stream.stream, as_it_is=self._stream.as_it_is)
        except (soundfile.LibsndfileError, OSError) as error:
            raise AudioError(f"{self._path}: was removed or changed since it was checked") from error

    @contextmanager
    def _opened_at(self, start: int) -> Iterator[Sound | None]:
        """Open the stream at sample ``start``; None if it ends before, or cannot be read so far (``failure``)."""
        sound = self._opened()
        try:
            if start >= sound.frames:
                yield sound if start == 0 else None
                return
            near = self._seek_sample(sound, start)
            try:
                with no_c_messages():
                    if near > 0:
                        sound.seek(near)
            except soundfile.LibsndfileError:
                # In a file that is cut off the way through all samples still leads to those before the cut.
                sound.close()
                sound, near = self._opened(), 0
            yield sound if self._skip(sound, near, start) else None
        finally:
            sound.close()

    def _skip(self, sound: Sound, position: int, start: int) -> bool:
        while position < start:
            skipped = len(self._read(sound, position, min(start - position, _SKIP_SAMPLES)))
            if skipped == 0:
                return False
            position += skipped
        return True

    def _seek_sample(self, sound: Sound, start: int) -> int:
        """Return the sample at or before ``start`` to seek to, so that the samples from ``start`` on are exact."""
        if sound.subtype.startswith("MPEG"):
            return max(0, start - _MP3_PREROLL)
        if sound.subtype == "VORBIS":
            return min(start, max(0, self._stream.stream.seek_limit - 1))
        return start

    def _read(self, sound: Sound, position: int, n_samples: int) -> NDArray[np.float32]:
        """Return the next samples of a sound that is at sample ``position``, fewer where it ends or fails."""
        block = np.empty((n_samples, self._info.channels), dtype=np.float32)
        filled = 0
        with no_c_messages():
            while filled < n_samples:
                n_wanted = min(n_samples - filled, _READ_SAMPLES - (position + filled) % _READ_SAMPLES)
                target = block[filled : filled + n_wanted]
                try:
                    got = len(sound.read(dtype="float32", always_2d=True, out=target))
                except soundfile.LibsndfileError as error:
                    self.failure = f"decoding fails ({error.error_string or 'damaged data'})"
                    break
                filled += got
                if got < len(target):
                    break
        return block[:filled]
