"""Versions of the libraries that turn bytes into samples: part of the fingerprint of what was decoded."""

import av
import soundfile
import soxr


def decoder_versions() -> dict[str, str]:
    """Library name to version: libsndfile, libsoxr and FFmpeg's libavcodec, libavformat."""
    ffmpeg = {name: ".".join(map(str, av.library_versions[name])) for name in ("libavcodec", "libavformat")}
    return {"libsndfile": soundfile.__libsndfile_version__, "libsoxr": soxr.__libsoxr_version__, **ffmpeg}
