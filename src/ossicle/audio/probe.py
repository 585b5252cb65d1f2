"""Read the header and the structure of an audio file: rate, channels, length, codec, streams.

libsndfile reads WAV, FLAC, Ogg (Vorbis and Opus), AIFF and MP3, all with the encoder's delay removed; FFmpeg (through
PyAV) reads the rest. The content decides, not the suffix. FFmpeg may open only plain containers and local files: a
playlist named ``x.wav`` must not lead it to other files.
"""

import os
import stat
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import soundfile

from ossicle.artefacts.filesystem.reading import open_regular
from ossicle.audio.containers.layout import layout_of
from ossicle.audio.containers.streams import Pcm, Stream
from ossicle.audio.info import AudioInfo, DecoderChoice, StreamInfo
from ossicle.audio.readers.container_traits import traits_of_demuxer
from ossicle.audio.readers.ffmpeg import open_ffmpeg, words
from ossicle.audio.readers.frame_samples import frame_samples
from ossicle.audio.readers.sndfile import Sound, open_sound
from ossicle.core.errors import AudioError

# fmt: off
SUFFIXES = frozenset({
    ".3gp", ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".amr", ".au", ".bw64", ".caf", ".flac", ".m4a", ".m4b", ".mka",
    ".mkv", ".mov", ".mp2", ".mp3", ".mp4", ".oga", ".ogg", ".opus", ".rf64", ".snd", ".tta", ".w64", ".wav", ".wave",
    ".webm", ".wma", ".wv",
})
LATER_SUFFIXES = frozenset({".3gp", ".ac3", ".bw64", ".mkv", ".mov", ".snd", ".tta", ".wv"})
OTHER_SUFFIXES = frozenset({
    ".ape", ".dff", ".ds2", ".dsf", ".dss", ".iff", ".mpc", ".msv", ".nist", ".ra", ".sf", ".shn", ".sph", ".spx",
    ".sud", ".svx", ".voc", ".vox", ".w4v", ".wac",
})
# fmt: on
"""``SUFFIXES``: of the files that are read when a folder is indexed, lower-case with their dot. ``LATER_SUFFIXES``: of
those that were added later; beside a recording of the same name, such a file is skipped, so that folders are read as
before (:mod:`ossicle.corpus.naming.audio_listing`). ``OTHER_SUFFIXES``: of recordings in formats whose structure is not
known here; in a folder they are reported, and not read."""

_RATE_MIN, _RATE_MAX = 100, 50_000_000
_CHANNELS_MAX = 1 << 16

# Bits a sample of integer PCM; FLAC's subtypes carry the same names. Lossy and float codecs are absent.
_PCM_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}


def probe(path: str | os.PathLike[str], decoder: DecoderChoice = "auto", *, thorough: bool = False) -> AudioInfo:
    """Read the header and the structure of an audio file.

    Parameters
    ----------
    path
        The audio file.
    decoder
        With ``auto`` the library that can decode the file is chosen, otherwise the requested one.
    thorough
        See :func:`~ossicle.audio.containers.layout.layout_of`.

    Raises
    ------
    AudioError
        Naming the file and the reason, if it cannot be read.
    """
    file = Path(path)
    check_readable(file)
    try:
        layout = layout_of(file, thorough=thorough)
    except OSError as error:
        raise AudioError(f"{file}: {error.strerror or error}") from error
    first = layout.streams[0]
    info = _stream_info(file, first, decoder, as_it_is=layout.as_it_is)
    fault = info.fault or layout.fault
    if first.whole_file and not fault:
        fault = (
            f"it may be cut off: the structure of {info.codec.partition('/')[0]} is not known here; convert it to WAV"
        )
    streams = list(info.streams)
    for stream in layout.streams[1:]:
        try:
            following = _stream_info(file, stream, decoder, as_it_is=False)
        except AudioError as error:
            reason = str(error).removeprefix(f"{file}: ")
            fault = f"what follows from byte {stream.first_byte} on cannot be read ({reason})"
            break
        if (following.rate, following.channels) != (info.rate, info.channels):
            format_text = f"{following.rate} Hz and {following.channels} channels"
            fault = f"a recording of {format_text} follows at byte {stream.first_byte}, and is not read"
            break
        streams += following.streams
    return replace(
        info,
        streams=tuple(streams),
        n_samples=sum(stream_info.n_samples for stream_info in streams),
        estimated=any(stream_info.estimated for stream_info in streams),
        fault=fault,
    )


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
            os.scandir(file).close()
            raise AudioError(f"{file}: is a folder, not a file")
        if not stat.S_ISREG(kind):
            # Opening a pipe would wait for its writer.
            raise AudioError(f"{file}: is not a regular file")
        with open_regular(file) as stream:
            if not stream.read(1):
                raise AudioError(f"{file}: empty file (0 bytes)")
    except OSError as error:
        raise AudioError(f"{file}: {error.strerror or error}") from error


def _stream_info(file: Path, stream: Stream, decoder: DecoderChoice, *, as_it_is: bool) -> AudioInfo:
    """Return what is known about one stream as if it were the file."""
    if decoder == "av" or (stream.container and decoder == "auto"):
        # FFmpeg reads plain samples by the header of their file only.
        return _probe_ffmpeg(file, stream, as_it_is=as_it_is or stream.pcm is not None)
    try:
        info = _probe_sndfile(file, stream, as_it_is=as_it_is)
    except (soundfile.LibsndfileError, TypeError) as first:
        if decoder == "soundfile":
            raise AudioError(f"{file}: libsndfile cannot read it ({words(first)})") from first
        try:
            return _probe_ffmpeg(file, stream, as_it_is=as_it_is)
        except AudioError as second:
            raise AudioError(f"{file}: not audio that libsndfile ({words(first)}) or FFmpeg can read") from second
    known = info.n_samples or info.estimated or stream.pcm is not None or decoder == "soundfile"
    return info if known else _unfinished(file, stream, info)


def _probe_sndfile(file: Path, stream: Stream, *, as_it_is: bool) -> AudioInfo:
    """Read a header through libsndfile; samples whose place is known are read without it if it is wrong."""
    info: AudioInfo | None = None
    try:
        with open_sound(file, stream, as_it_is=as_it_is) as sound:
            info = _sound_info(sound, file, stream, as_it_is=as_it_is)
    except soundfile.LibsndfileError:
        if stream.pcm is None or not as_it_is:
            raise
    pcm = stream.pcm
    if info is not None and (pcm is None or (as_it_is and _agrees(info, stream, pcm))):
        return info
    assert pcm is not None
    _refuse_absurd(file, pcm.rate, pcm.channels)
    if info is None or as_it_is:
        with open_sound(file, stream, as_it_is=False) as sound:
            info = _sound_info(sound, file, stream, as_it_is=False)
    return replace(info, codec=f"{pcm.container}/{pcm.encoding}")


def _agrees(info: AudioInfo, stream: Stream, pcm: Pcm) -> bool:
    """Return whether libsndfile reads from the header what the structure of the file says."""
    return (info.rate, info.channels, info.n_samples) == (pcm.rate, pcm.channels, stream.n_samples)


def _sound_info(sound: Sound, file: Path, stream: Stream, *, as_it_is: bool) -> AudioInfo:
    _refuse_absurd(file, sound.samplerate, sound.channels)
    # libsndfile returns 2**63 - 1 if it does not know.
    n_samples = sound.frames if 0 <= sound.frames < 1 << 62 else 0
    estimated = n_samples != sound.frames
    return AudioInfo(
        rate=sound.samplerate,
        channels=sound.channels,
        n_samples=n_samples,
        codec=f"{sound.format}/{sound.subtype}",
        decoder="libsndfile",
        bits=_PCM_BITS.get(sound.subtype, 0),
        estimated=estimated,
        streams=(StreamInfo(stream, "libsndfile", n_samples, estimated, as_it_is),),
    )


def _unfinished(file: Path, stream: Stream, info: AudioInfo) -> AudioInfo:
    """Return the length of a file whose recorder lost power and left a length of 0: FFmpeg reads it to the end."""
    try:
        return _probe_ffmpeg(file, stream, as_it_is=True)
    except AudioError:
        return info


def _refuse_absurd(file: Path, rate: int, channels: int) -> None:
    """Reject rates in damaged headers that would need terabytes once resampled."""
    if not (_RATE_MIN <= rate <= _RATE_MAX and 1 <= channels <= _CHANNELS_MAX):
        raise AudioError(f"{file}: the header is damaged: it says {rate} Hz and {channels} channels")


def _probe_ffmpeg(file: Path, stream: Stream, *, as_it_is: bool) -> AudioInfo:
    with open_ffmpeg(file, stream, as_it_is=as_it_is) as container:
        sound = container.streams.audio[0]
        try:
            # The header of HE-AAC may give half the rate: only a decoded frame shows the true one.
            frame = next(iter(container.decode(sound)), None)
        except av.FFmpegError as error:
            raise AudioError(f"{file}: FFmpeg cannot decode it ({words(error)})") from error
        if frame is None:
            raise AudioError(f"{file}: contains no samples")
        try:
            frame_samples(frame)
        except ValueError as error:
            raise AudioError(f"{file}: its samples have a form that is not supported ({words(error)})") from error
        rate, channels = frame.sample_rate, frame.layout.nb_channels
        _refuse_absurd(file, rate, channels)
        n_samples = round(_stated_seconds(container, sound) * rate) if stream.n_samples is None else stream.n_samples
        estimated = stream.n_samples is None and not traits_of_demuxer(container.format.name).exact_length
        others = len(container.streams.audio) - 1
        fault = f"it holds {others + 1} streams of sound, and only the first is read" if others else ""
        parts = (StreamInfo(stream, "ffmpeg", n_samples, estimated, as_it_is),)
        codec = sound.codec_context.name
        return AudioInfo(rate, channels, n_samples, codec, "ffmpeg", estimated=estimated, streams=parts, fault=fault)


def _stated_seconds(container: av.container.InputContainer, stream: av.audio.AudioStream) -> Fraction:
    """Return the length that a container states for a stream, or else for itself; 0 if it states none."""
    if stream.duration is not None and stream.time_base is not None:
        return stream.duration * stream.time_base
    return Fraction(container.duration or 0, av.time_base)
