"""One row for each container: what FFmpeg may open is what is described."""

import av
import pytest

from ossicle.audio.readers.container_traits import DEMUXERS, traits_of_codec, traits_of_demuxer

# What FFmpeg has no demuxer of under this name: it is another name of the one before it in the row.
OTHER_NAMES = {"mp4", "m4a", "3gp", "3g2", "mj2", "webm"}


def test_every_row_names_a_demuxer_of_ffmpeg():
    names = set(DEMUXERS.split(","))
    assert names >= OTHER_NAMES
    assert names - OTHER_NAMES <= av.formats_available
    assert "concat" not in names
    assert "hls" not in names


def test_a_container_is_found_by_any_of_its_names():
    # FFmpeg joins names differently from version to version.
    assert traits_of_demuxer("mov,mp4,m4a,3gp,3g2,mj2").exact_seek
    assert traits_of_demuxer("psp,m4a").exact_seek
    assert traits_of_demuxer("matroska,webm").skips_damage
    with pytest.raises(KeyError):
        traits_of_demuxer("hls")


@pytest.mark.parametrize(
    ("codec", "searched", "resumed"),
    [
        ("FLAC/PCM_16", True, True),
        ("MP3/MPEG_LAYER_III", True, False),
        ("WAV/PCM_16", False, False),
        ("flac", False, False),
    ],
)
def test_only_what_libsndfile_reads_is_searched(codec, searched, resumed):
    traits = traits_of_codec(codec)
    assert (traits.searched, traits.resumed) == (searched, resumed)
