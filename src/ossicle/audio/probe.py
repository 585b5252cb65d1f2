"""Read the header of an audio file: rate, channels, length, codec.

libsndfile reads WAV, FLAC, Ogg (Vorbis and Opus), AIFF and MP3, all with the encoder's delay removed; FFmpeg (through
PyAV) reads the rest. The content decides, not the suffix. FFmpeg may open only plain containers and local files: a
playlist named ``x.wav`` must not lead it to other files.
"""

import os
import stat
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import soundfile

from ossicle.audio.ending import mp3_states_length
from ossicle.core.errors import AudioError

# fmt: off
SUFFIXES = frozenset({
    ".aac", ".aif", ".aifc", ".aiff", ".amr", ".au", ".caf", ".flac", ".m4a", ".m4b", ".mka", ".mp2",
    ".mp3", ".mp4", ".oga", ".ogg", ".opus", ".rf64", ".w64", ".wav", ".wave", ".webm", ".wma",
})
# fmt: on
"""Suffixes, lower-case with their dot, of the files that are read when a folder is indexed."""

_DEMUXERS = "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,caf,flac,matroska,webm,mov,mp3,ogg,tta,w64,wav,wv"
_DEMUXER_OPTIONS = {"format_whitelist": f"{_DEMUXERS},mp4,m4a,3gp,3g2,mj2", "protocol_whitelist": "file"}

EXACT_CONTAINERS = frozenset({"mov,mp4,m4a,3gp,3g2,mj2"})
"""FFmpeg's containers with sample-exact lengths and time stamps; in others they are rounded or estimated."""

_RATE_MIN, _RATE_MAX = 100, 50_000_000

# Bits a sample of integer PCM; FLAC's subtypes carry the same names. Lossy and float codecs are absent.
_PCM_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}

Decoder = Literal["libsndfile", "ffmpeg"]
DecoderChoice = Literal["auto", "soundfile", "av"]
"""The decoding library: libsndfile, with FFmpeg for files that it cannot read, or one of them for everything."""


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """The header of an audio file.

    ``rate`` in Hz. ``n_samples`` per channel according to the header (only decoding gives the true number), with
    ``estimated`` if the container guesses, and 0 if it is unknown. ``bits`` of integer PCM, 0 for float and lossy
    codecs. ``codec`` as named by its decoder.
    """

    rate: int
    channels: int
    n_samples: int
    codec: str
    decoder: Decoder
    bits: int = 0
    estimated: bool = False

    @property
    def duration_s(self) -> float:
        """Length in seconds according to the header."""
        return self.n_samples / self.rate


def probe(path: str | os.PathLike[str], decoder: DecoderChoice = "auto") -> AudioInfo:
    """Read the header of an audio file.

    Parameters
    ----------
    path
        The audio file.
    decoder
        With ``auto`` the library that can decode the file is chosen, otherwise the requested one.

    Raises
    ------
    AudioError
        Naming the file and the reason, if it cannot be read.
    """
    file = Path(path)
    check_readable(file)
    if decoder == "av":
        return _probe_ffmpeg(file)
    try:
        with soundfile.SoundFile(os.fspath(file)) as sound:
            info = _sound_info(sound, file)
        return info if info.n_samples or info.estimated or decoder == "soundfile" else _unfinished(file, info)
    except (soundfile.LibsndfileError, TypeError) as first:
        # TypeError: soundfile requires a rate for suffixes of headerless formats (.raw).
        if decoder == "soundfile":
            raise AudioError(f"{file}: libsndfile cannot read it ({_words(first)})") from first
        try:
            return _probe_ffmpeg(file)
        except AudioError as second:
            raise AudioError(f"{file}: not audio that libsndfile ({_words(first)}) or FFmpeg can read") from second


def check_readable(file: Path) -> None:
    """Raise AudioError, with the reason, unless this is a readable file with at least one byte."""
    try:
        os.fspath(file).encode()
    except UnicodeEncodeError as error:
        raise AudioError(f"{str(file)!a}: the name is not UTF-8; rename the file") from error
    if file.is_symlink() and not file.exists():
        raise AudioError(f"{file}: broken link to {os.readlink(file)}")
    try:
        kind = file.stat().st_mode
        if stat.S_ISDIR(kind):
            raise AudioError(f"{file}: is a folder, not a file")
        if not stat.S_ISREG(kind):
            # Opening a pipe would wait for its writer.
            raise AudioError(f"{file}: is not a regular file")
        with open(file, "rb") as stream:
            if not stream.read(1):
                raise AudioError(f"{file}: empty file (0 bytes)")
    except OSError as error:
        raise AudioError(f"{file}: {error.strerror or error}") from error


def _sound_info(sound: soundfile.SoundFile, file: Path) -> AudioInfo:
    _refuse_absurd(file, sound.samplerate, sound.channels)
    # libsndfile returns 2**63 - 1 if it does not know.
    n_samples = sound.frames if 0 <= sound.frames < 1 << 62 else 0
    return AudioInfo(
        rate=sound.samplerate,
        channels=sound.channels,
        n_samples=n_samples,
        codec=f"{sound.format}/{sound.subtype}",
        decoder="libsndfile",
        bits=_PCM_BITS.get(sound.subtype, 0),
        estimated=n_samples != sound.frames or (sound.format == "MP3" and not mp3_states_length(file)),
    )


def _unfinished(file: Path, info: AudioInfo) -> AudioInfo:
    """Return the length of a file whose recorder lost power and left a length of 0: FFmpeg reads it to the end."""
    try:
        return _probe_ffmpeg(file)
    except AudioError:
        return info


def _refuse_absurd(file: Path, rate: int, channels: int) -> None:
    """Reject rates in damaged headers that would need terabytes once resampled."""
    if not (_RATE_MIN <= rate <= _RATE_MAX and channels >= 1):
        raise AudioError(f"{file}: the header is damaged: it says {rate} Hz and {channels} channels")


def open_ffmpeg(file: Path) -> av.container.InputContainer:
    """Open a file through FFmpeg with plain containers only; raises AudioError."""
    try:
        container = av.open(os.path.abspath(file), "r", container_options=_DEMUXER_OPTIONS, metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise AudioError(f"{file}: FFmpeg cannot open it ({_words(error)})") from error
    if not container.streams.audio:
        container.close()
        raise AudioError(f"{file}: contains no audio")
    return container


def _probe_ffmpeg(file: Path) -> AudioInfo:
    with open_ffmpeg(file) as container:
        stream = container.streams.audio[0]
        try:
            # The header of HE-AAC may give half the rate: only a decoded frame shows the true one.
            frame = next(iter(container.decode(stream)), None)
        except av.FFmpegError as error:
            raise AudioError(f"{file}: FFmpeg cannot decode it ({_words(error)})") from error
        if frame is None:
            raise AudioError(f"{file}: contains no samples")
        rate, channels = frame.sample_rate, frame.layout.nb_channels
        _refuse_absurd(file, rate, channels)
        seconds = _stated_seconds(container, stream)
        estimated = container.format.name not in EXACT_CONTAINERS
        codec = stream.codec_context.name
        return AudioInfo(rate, channels, round(seconds * rate), codec, "ffmpeg", estimated=estimated)


def _stated_seconds(container: av.container.InputContainer, stream: av.audio.AudioStream) -> Fraction:
    """Return the length that a container states for a stream, or else for itself; 0 if it states none."""
    if stream.duration is not None and stream.time_base is not None:
        return stream.duration * stream.time_base
    return Fraction(container.duration or 0, av.time_base)


def _words(error: BaseException) -> str:
    text = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return str(text).strip().rstrip(".")
