"""Versions of the libraries that decode audio, for the fingerprints of decoded data."""

import av
import soundfile
import soxr

from ossicle.audio.info import DecoderChoice


def decoder_versions(decoder: DecoderChoice = "auto") -> dict[str, str]:
    """Return the versions of libsndfile, libsoxr and FFmpeg's libavcodec and libavformat, if ``decoder`` uses them.

    >>> sorted(decoder_versions("soundfile"))
    ['libsndfile', 'libsoxr']
    """
    sndfile = {"libsndfile": soundfile.__libsndfile_version__}
    ffmpeg = {name: ".".join(map(str, av.library_versions[name])) for name in ("libavcodec", "libavformat")}
    used = {"auto": {**sndfile, **ffmpeg}, "soundfile": sndfile, "av": ffmpeg}[decoder]
    return {**used, "libsoxr": soxr.__libsoxr_version__}
