"""The layout of an audio file: its streams, one after the other, and what of the file they do not hold."""

from pathlib import Path
from typing import BinaryIO

from ossicle.artefacts.filesystem.reading import open_regular
from ossicle.audio.containers.chunked.aiff import read_aiff
from ossicle.audio.containers.chunked.asf import HEADER_GUID, read_asf
from ossicle.audio.containers.chunked.au import MAGICS as AU_MAGICS
from ossicle.audio.containers.chunked.au import read_au
from ossicle.audio.containers.chunked.caf import read_caf
from ossicle.audio.containers.chunked.chunks import file_bytes
from ossicle.audio.containers.chunked.nist import MAGIC, read_nist
from ossicle.audio.containers.chunked.riff import read_riff
from ossicle.audio.containers.chunked.wave64 import read_wave64
from ossicle.audio.containers.flac import read_flac
from ossicle.audio.containers.framed import AMR_MAGIC, read_ac3, read_adts, read_amr, read_tta, read_wavpack
from ossicle.audio.containers.matroska import read_matroska
from ossicle.audio.containers.mp4 import is_mp4, read_mp4
from ossicle.audio.containers.mpeg import read_mpeg, resume_mpeg
from ossicle.audio.containers.ogg import read_ogg
from ossicle.audio.containers.part import Part
from ossicle.audio.containers.streams import Layout, Stream
from ossicle.audio.containers.tags import after_leading_tags, after_trailing_tags

# A file of more recordings than this is damaged.
_MOST_STREAMS = 1000
# How recordings begin that are told by their first bytes, and in how many bytes they are searched.
_MAGICS = (b"RIFF", b"RF64", b"FORM", b"fLaC", b"OggS")
_SEARCHED = 1 << 16


def layout_of(path: Path, *, thorough: bool = False) -> Layout:
    """Return the layout of a file.

    Parameters
    ----------
    path
        A regular file.
    thorough
        Read all of a FLAC or MP3 file to find sound that its header and its end do not show. Other formats show all of
        theirs.

    Returns
    -------
    A single stream of the whole file for formats that are not known here.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with open_regular(path) as file:
        size = file_bytes(file)
        streams: list[Stream] = []
        fault = ""
        offset: int | None = 0
        while offset is not None and len(streams) < _MOST_STREAMS:
            begin = after_leading_tags(file, offset, size) if not streams else after_trailing_tags(file, offset, size)
            if begin == size and (streams or begin == 0):
                break
            part = _part(file, begin, size, thorough=thorough)
            if part is None and not streams:
                part = _within_tags(file, begin, size, thorough=thorough)
                part = part or resume_mpeg(file, begin, size, thorough=thorough)
            if part is None:
                fault = fault or (f"what follows from byte {begin} on is not read" if streams else "")
                break
            streams.append(part.stream)
            fault = fault or part.fault
            offset = part.next_byte
    if not streams:
        return Layout()
    first = streams[0]
    # Decoders skip the tags in front of MP3, which nearly all of these files have.
    most_skipped = size if first.skips_tags else 0
    all_of_it = first.pcm is not None or (first.first_byte <= most_skipped and first.spans[-1][1] == size)
    # libsndfile 1.2 begins to read within chunks of CAF that it skips, if they hold more than about 60 kB.
    is_caf = first.pcm is not None and first.pcm.container == "CAF"
    as_it_is = len(streams) == 1 and not first.patches and all_of_it and not is_caf
    return Layout(tuple(streams), fault, as_it_is)


def _within_tags(file: BinaryIO, begin: int, size: int, *, thorough: bool) -> Part | None:
    """Return the recording that begins before the stated end of the tags in front of it, which is then too large.

    ``begin`` is that end, where nothing known begins.
    """
    if not begin:
        return None
    file.seek(0)
    window = file.read(min(begin, _SEARCHED))
    offsets = [offset for magic in _MAGICS if (offset := window.find(magic, 1)) > 0]
    part = _part(file, min(offsets), size, thorough=thorough) if offsets else None
    part = part or resume_mpeg(file, 1, size, thorough=thorough)
    return part if part is not None and part.stream.first_byte < begin else None


def _part(file: BinaryIO, start: int, size: int, *, thorough: bool) -> Part | None:
    """Return the stream that begins at byte ``start``; None if its format is unknown or too damaged to tell."""
    file.seek(start)
    head = file.read(32)
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return read_riff(file, start, size)
    if head[:4] == b"riff":
        return read_wave64(file, start, size)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return read_aiff(file, start, size)
    if head[:4] == b"caff":
        return read_caf(file, start, size)
    if head[:4] in AU_MAGICS:
        return read_au(file, start, size)
    if head.startswith(MAGIC):
        return read_nist(file, start, size)
    if head[:4] == b"fLaC":
        return read_flac(file, start, size, thorough=thorough)
    if head[:4] == b"OggS":
        return read_ogg(file, start, size)
    if is_mp4(head):
        return read_mp4(file, start, size)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return read_matroska(file, start, size)
    if head[:16] == HEADER_GUID:
        return read_asf(file, start, size)
    if head[:4] == b"wvpk":
        return read_wavpack(file, start, size)
    if head[:4] == b"TTA1":
        return read_tta(file, start, size)
    if head.startswith(AMR_MAGIC):
        return read_amr(file, start, size)
    if head[:2] == b"\x0b\x77":
        return read_ac3(file, start, size)
    return read_adts(file, start, size) or read_mpeg(file, start, size, thorough=thorough)
