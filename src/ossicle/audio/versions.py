"""Versions of the libraries that turn bytes into samples: part of the fingerprint of what was decoded."""

import av
import soundfile
import soxr

from ossicle.audio.probe import DecoderChoice


def decoder_versions(decoder: DecoderChoice = "auto") -> dict[str, str]:
    """Library name to version: libsndfile, libsoxr and FFmpeg's libavcodec, libavformat; those that ``decoder`` uses.

    >>> sorted(decoder_versions("soundfile"))
    ['libsndfile', 'libsoxr']
    """
    sndfile = {"libsndfile": soundfile.__libsndfile_version__}
    ffmpeg = {name: ".".join(map(str, av.library_versions[name])) for name in ("libavcodec", "libavformat")}
    used = {"auto": {**sndfile, **ffmpeg}, "soundfile": sndfile, "av": ffmpeg}[decoder]
    return {**used, "libsoxr": soxr.__libsoxr_version__}
