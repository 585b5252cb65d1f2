"""What readers must know about each container: whether its lengths, time stamps and ends are reliable."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal


@dataclass(frozen=True, slots=True)
class ContainerTraits:
    """One container that may be read.

    Parameters
    ----------
    name
        FFmpeg's name of the demuxer; several are separated by commas.
    sndfile_format
        libsndfile's name of the format, where one of the fields below depends on it.
    exact_length
        Whether a stated length is exact; elsewhere it is rounded or estimated.
    exact_seek
        Whether FFmpeg seeks to the sample, and the stream ends at the stated length.
    stamped
        Whether time stamps say where in the recording a frame lies; elsewhere FFmpeg only counts frames.
    first_stamp
        Stamp of the first frame: ``start``, the start time that the stream states; ``zero``, if it states a length;
        ``any``, as in a part of a broadcast.
    least_step_s
        Steps in the stamps below this are rounding, or the jitter of the clock of whoever wrote them.
    skips_damage
        Whether FFmpeg skips damaged parts without an error, so that only the stated length shows that the end is lost.
    length_from_zero
        Whether the stated length is counted from time 0, and not from the first frame.
    searched
        Whether only a search of the whole file shows all of its sound (libsndfile).
    resumed
        Whether FFmpeg goes on where libsndfile fails.
    """

    name: str
    sndfile_format: str = ""
    exact_length: bool = False
    exact_seek: bool = False
    stamped: bool = False
    first_stamp: Literal["start", "zero", "any"] = "any"
    least_step_s: Fraction = Fraction(0)
    skips_damage: bool = False
    length_from_zero: bool = False
    searched: bool = False
    resumed: bool = False


_ROWS = (
    ContainerTraits("aac"),
    ContainerTraits("ac3"),
    ContainerTraits("aiff"),
    ContainerTraits("amr"),
    ContainerTraits("amrnb"),
    ContainerTraits("amrwb"),
    ContainerTraits("ape"),
    ContainerTraits("asf"),
    ContainerTraits("au"),
    ContainerTraits("caf", exact_length=True),
    ContainerTraits("flac", "FLAC", stamped=True, first_stamp="zero", searched=True, resumed=True),
    # Matroska counts milliseconds, and browsers stamp by a clock of their own.
    ContainerTraits(
        "matroska,webm", stamped=True, least_step_s=Fraction(1, 20), skips_damage=True, length_from_zero=True
    ),
    ContainerTraits("mov,mp4,m4a,3gp,3g2,mj2", exact_length=True, exact_seek=True, stamped=True, first_stamp="start"),
    ContainerTraits("mp3", "MP3", skips_damage=True, searched=True),
    ContainerTraits("ogg", stamped=True),
    ContainerTraits("tta", stamped=True, first_stamp="zero"),
    ContainerTraits("w64"),
    ContainerTraits("wav"),
    ContainerTraits("wv", stamped=True, first_stamp="zero"),
)
_OF_FFMPEG: Mapping[str, ContainerTraits] = {name: row for row in _ROWS for name in row.name.split(",")}
_PLAIN = ContainerTraits("")
_OF_SNDFILE: Mapping[str, ContainerTraits] = {row.sndfile_format: row for row in _ROWS if row.sndfile_format}

DEMUXERS = ",".join(_OF_FFMPEG)
"""FFmpeg's names of all containers that may be read, separated by commas."""

_CHECKED: Mapping[str, str] = {"err_detect": "crccheck+explode"}
DECODER_OPTIONS: Mapping[str, Mapping[str, str]] = {"flac": _CHECKED, "tta": _CHECKED, "wavpack": _CHECKED}
"""Options of FFmpeg's decoders by codec. These codecs state checksums, which are compared on request only."""


def traits_of_demuxer(name: str) -> ContainerTraits:
    """Return the row of an open container by FFmpeg's name of its format.

    Parameters
    ----------
    name
        As FFmpeg gives it, for example ``matroska,webm``.

    Returns
    -------
    ContainerTraits

    Raises
    ------
    KeyError
        FFmpeg may not read this container (``DEMUXERS``).
    """
    known = next((part for part in name.split(",") if part in _OF_FFMPEG), name)
    return _OF_FFMPEG[known]


def traits_of_codec(codec: str) -> ContainerTraits:
    """Return the row of a recording that libsndfile reads.

    Parameters
    ----------
    codec
        As :class:`~ossicle.audio.info.AudioInfo` names it: libsndfile's format and subtype, as ``FLAC/PCM_16``, or
        FFmpeg's codec.

    Returns
    -------
    ContainerTraits
        A row without traits for other formats of libsndfile and for all codecs of FFmpeg.
    """
    return _OF_SNDFILE.get(codec.partition("/")[0], _PLAIN)
