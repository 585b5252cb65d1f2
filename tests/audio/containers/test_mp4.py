import struct

import numpy as np
import pytest

from ossicle.audio.decoding.decode import AudioSource
from ossicle.core.errors import AudioError

from ..audio_bytes import RATE, boxes, muxed, noise

SOUND = noise(5 * RATE)


def read(path, data, **crop):
    path.write_bytes(data)
    source = AudioSource(path)
    return np.concatenate(list(source.blocks(**crop)))[:, 0], source.report


@pytest.fixture(scope="module")
def lossless() -> bytes:
    return muxed(SOUND, "alac", "ipod")


def with_edits(data: bytes, edits: list[tuple[int, int]]) -> bytes:
    """An MP4 file, whose movie box is at its end, with other edits: length in ms of the movie, place in samples."""
    body = struct.pack(">II", 0, len(edits)) + b"".join(struct.pack(">iiI", *edit, 0x10000) for edit in edits)
    new = struct.pack(">I4sI4s", 16 + len(body), b"edts", 8 + len(body), b"elst") + body
    result = list(boxes(data))
    old = next(((start - 8, stop) for kind, start, stop in result if kind == b"edts"), None)
    track = next(start for kind, start, _ in result if kind == b"trak")
    at, end = old or (track, track)
    grown = len(new) - (end - at)
    out = bytearray(data[:at] + new + data[end:])
    for kind, start, _ in result:
        if kind in (b"moov", b"trak"):
            size = int.from_bytes(out[start - 8 : start - 4], "big") + grown
            out[start - 8 : start - 4] = size.to_bytes(4, "big")
    return bytes(out)


def test_a_plain_edit_list_hides_nothing(tmp_path, lossless):
    for edits in ([(5000, 0)], [(4990, 0)], [(4900, 1600)]):
        samples, report = read(tmp_path / "x.m4a", with_edits(lossless, edits))
        assert report.status == "ok"
        assert len(SOUND) - 1700 <= len(samples) <= len(SOUND)


@pytest.mark.parametrize(
    ("edits", "reason"),
    [
        ([(2000, 0)], "leaves out the sound from 2.000 s to 5.000 s"),
        ([(3000, 2 * RATE)], "leaves out the sound from 0.000 s to 2.000 s"),
        ([(1000, 0), (1000, 3 * RATE)], "leaves out the sound from 1.000 s to 3.000 s"),
        ([(1000, 2 * RATE), (1000, 0)], "leaves out the sound from 0.000 s to 2.000 s"),
        ([(5000, 0), (5000, 0)], "repeats the sound from 0.000 s to 5.000 s"),
        ([(-1, -1), (1000, RATE)], "leaves out the sound from 0.000 s to 1.000 s"),
    ],
)
def test_an_edit_list_that_hides_or_repeats_sound_is_named(tmp_path, lossless, edits, reason):
    if edits[0] == (-1, -1):
        edits = [(500, -1), *edits[1:]]
    _, report = read(tmp_path / "x.m4a", with_edits(lossless, edits))
    assert report.status == "partial"
    assert reason in report.reason


def test_an_edit_of_nothing_delays_no_sample(tmp_path, lossless):
    samples, report = read(tmp_path / "x.m4a", with_edits(lossless, [(500, -1), (5000, 0)]))
    assert (len(samples), report.status) == (len(SOUND), "ok")
    np.testing.assert_allclose(samples, SOUND, atol=1e-4)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 3.0])
@pytest.mark.parametrize("kind", [b"mdhd", b"mvhd", b"tkhd"])
def test_a_length_in_the_header_that_is_wrong_costs_no_sample(tmp_path, lossless, kind, share):
    data = bytearray(lossless)
    start = next(start for name, start, _ in boxes(data) if name == kind)
    at = start + (20 if kind == b"tkhd" else 16)
    length = int.from_bytes(data[at : at + 4], "big")
    data[at : at + 4] = int(share * length).to_bytes(4, "big")
    samples, report = read(tmp_path / "x.m4a", bytes(data))
    assert report.status == "ok" or (share > 1 and report.status == "partial")
    np.testing.assert_allclose(samples, SOUND, atol=1e-4)


def test_a_cut_file_with_its_index_in_front_says_how_much_is_missing(tmp_path, encode):
    whole = encode("whole.m4a", SOUND, RATE).read_bytes()
    _, report = read(tmp_path / "cut.m4a", whole[:-9000])
    assert report.status == "partial"
    with pytest.raises(AudioError, match="not audio"):
        read(tmp_path / "cut.m4a", whole[:200])


@pytest.mark.parametrize("pieces", [1, 4])
def test_fragments_are_read_to_their_end_and_a_cut_one_is_named(tmp_path, pieces):
    options = {"movflags": "frag_keyframe+empty_moov", "frag_duration": str(5_000_000 // pieces)}
    data = muxed(SOUND, "aac", "mp4", **options)
    samples, report = read(tmp_path / "x.m4a", data)
    assert report.status == "ok"
    assert len(SOUND) <= len(samples) < len(SOUND) + 3 * 1024
    _, report = read(tmp_path / "x.m4a", data[: int(0.7 * len(data))])
    assert report.status == "partial"


def test_a_second_track_of_sound_is_named(tmp_path, lossless):
    # The track once more, under another number: both play at the same time.
    result = list(boxes(lossless))
    movie = next(start for kind, start, _ in result if kind == b"moov")
    start, stop = next((start - 8, stop) for kind, start, stop in result if kind == b"trak")
    track = bytearray(lossless[start:stop])
    header = next(at for kind, at, _ in result if kind == b"tkhd") - start
    track[header + 12 : header + 16] = (7).to_bytes(4, "big")
    data = bytearray(lossless[:stop] + track + lossless[stop:])
    size = int.from_bytes(data[movie - 8 : movie - 4], "big") + len(track)
    data[movie - 8 : movie - 4] = size.to_bytes(4, "big")
    samples, report = read(tmp_path / "x.m4a", bytes(data))
    assert (len(samples), report.status) == (len(SOUND), "partial")
    assert "2 streams of sound" in report.reason


def fragments(data: bytes) -> list[tuple[int, int]]:
    """Start and end of each fragment's description."""
    return [(start - 8, stop) for kind, start, stop in boxes(data) if kind == b"moof"]


@pytest.fixture(scope="module")
def fragmented() -> bytes:
    return muxed(SOUND, "aac", "mp4", movflags="frag_keyframe+empty_moov", frag_duration="500000")


def test_fragments_are_whole(tmp_path, fragmented):
    assert len(fragments(fragmented)) > 5
    samples, report = read(tmp_path / "x.mp4", fragmented)
    assert (report.status, report.reason) == ("ok", "")
    assert abs(len(samples) - len(SOUND)) <= 2048


@pytest.mark.parametrize("which", [1, 4, -1])
@pytest.mark.parametrize(("offset", "n_bytes"), [(8, 8), (24, 8), (24, 40), (0, 40), (4, 30)])
def test_a_damaged_fragment_is_named(tmp_path, fragmented, which, offset, n_bytes):
    start = fragments(fragmented)[which][0] + offset
    data = fragmented[:start] + bytes(n_bytes) + fragmented[start + n_bytes :]
    samples, report = read(tmp_path / "x.mp4", data)
    assert len(samples) < len(SOUND) + 2048
    assert report.status == "partial"


def test_a_fragment_without_a_track_is_whole(tmp_path, fragmented):
    bare = (24).to_bytes(4, "big") + b"moof" + (16).to_bytes(4, "big") + b"mfhd" + bytes(8)
    samples, report = read(tmp_path / "x.mp4", fragmented + bare)
    assert (report.status, report.reason) == ("ok", "")
    assert abs(len(samples) - len(SOUND)) <= 2048


def test_zeros_that_hide_fragments_are_named_and_zeros_at_the_end_are_not(tmp_path, fragmented):
    _, report = read(tmp_path / "x.mp4", fragmented + bytes(5000))
    assert report.status == "ok"
    start = fragments(fragmented)[5][0]
    _, report = read(tmp_path / "x.mp4", fragmented[:start] + bytes(5000) + fragmented[start + 5000 :])
    assert report.status == "partial"
    assert f"from byte {start} on are not part of the movie" in report.reason
