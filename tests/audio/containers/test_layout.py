"""Files that hold more, or less, than their headers say, in every format: read on, or called partial; never `ok`."""

import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ossicle.audio.containers.layout import layout_of
from ossicle.audio.decoding.decode import AudioSource
from ossicle.core.errors import AudioError

from ..audio_bytes import FORMATS, LOSSY, encoded, muxed, noise

TAGS = {
    "ID3v1": b"TAG" + bytes(125),
    "APE": b"APETAGEX" + struct.pack("<IIII", 2000, 40, 1, 0xA0000000) + bytes(16) + b"APETAGEX"
    + struct.pack("<IIII", 2000, 40, 1, 0x80000000) + bytes(8),
}  # fmt: skip
ID3V2 = b"ID3\3\0\0\0\0\0\x7f" + bytes(127)

# FFmpeg's codec and container, and the rate.
MUXED = {
    "m4a": ("aac", "ipod", 16000), "alac.m4a": ("alac", "ipod", 16000), "aac": ("aac", "adts", 16000),
    "webm": ("libopus", "webm", 48000), "wv": ("wavpack", "wv", 16000), "tta": ("tta", "tta", 16000),
    "ac3": ("ac3", "ac3", 48000), "mp2": ("mp2", "mp2", 16000), "amr": ("libopencore_amrnb", "amr", 8000),
}  # fmt: skip
# Their index is at their end, or their first block is longer than what is left.
WHOLE_OR_NONE = ("m4a", "alac.m4a")


def read(path, **crop):
    source = AudioSource(path)
    blocks = [np.zeros((0, source.info.channels), np.float32), *source.blocks(**crop)]
    return np.concatenate(blocks)[:, 0], source.report


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    kind=st.sampled_from(sorted(FORMATS)),
    lengths=st.lists(st.integers(1500, 12000), min_size=1, max_size=3),
    same=st.booleans(),
    silent=st.booleans(),
    front=st.sampled_from([b"", ID3V2]),
    behind=st.sampled_from([b"", bytes(1), bytes(5000), *TAGS.values()]),
)
def test_recordings_joined_end_to_end_are_all_read(tmp_path, kind, lengths, same, silent, front, behind):
    lengths = lengths[:1] * len(lengths) if same else lengths
    pieces = [noise(n, seed) * (seed == 0 or not silent) for seed, n in enumerate(lengths)]
    path = tmp_path / "joined"
    path.write_bytes(front + b"".join(encoded(piece, kind) for piece in pieces) + behind)
    samples, report = read(path)
    assert (len(samples), report.status, report.reason) == (sum(lengths), "ok", "")
    assert AudioSource(path).info.n_samples == sum(lengths)
    if kind not in LOSSY:
        np.testing.assert_allclose(samples, np.concatenate(pieces), atol=0.03 if kind == "ulaw.wav" else 1e-4)
    start, n_samples = sum(lengths) // 3, sum(lengths) // 2
    crop, _ = read(path, start_sample=start, n_samples=n_samples)
    np.testing.assert_allclose(crop, samples[start : start + n_samples], atol=2e-6)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    kind=st.sampled_from(sorted(FORMATS)),
    n_before=st.sampled_from([0, 0, 3000]),
    n_samples=st.integers(50000, 80000),
    share=st.floats(0.5, 0.98),
)
def test_a_file_that_is_cut_is_partial(tmp_path, kind, n_before, n_samples, share):
    data = encoded(noise(n_samples, 1), kind)
    before = encoded(noise(n_before), kind) if n_before else b""
    path = tmp_path / "cut"
    path.write_bytes(before + data[: int(share * len(data))])
    samples, report = read(path)
    assert report.status == "partial"
    assert report.reason
    assert n_before <= len(samples) < n_before + n_samples + 700


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(kind=st.sampled_from(sorted(FORMATS)), seed=st.integers(0, 1000), n_bytes=st.integers(16, 30000))
def test_what_follows_a_recording_changes_none_of_its_samples(tmp_path, kind, seed, n_bytes):
    path = tmp_path / "followed"
    whole = encoded(noise(8000), kind)
    path.write_bytes(whole)
    expected, _ = read(path)
    path.write_bytes(whole + np.random.default_rng(seed).bytes(n_bytes))
    samples, report = read(path)
    np.testing.assert_array_equal(samples, expected)
    # Frames of FLAC and MP3 are counted, so that it is certain that no sound follows.
    assert report.status == ("ok" if kind in ("flac", "mp3") else "partial")


@pytest.mark.parametrize("kind", MUXED)
def test_formats_of_ffmpeg_are_read_on_too(tmp_path, kind):
    codec, container, rate = MUXED[kind]
    files = [muxed(noise(n, seed), codec, container, rate) for seed, n in enumerate((5 * rate, 3 * rate))]
    path = tmp_path / f"x.{kind}"
    path.write_bytes(files[0])
    first, report = read(path)
    assert (report.status, report.reason) == ("ok", "")
    path.write_bytes(files[1])
    second, _ = read(path)
    for behind in (bytes(9000), TAGS["ID3v1"]):
        path.write_bytes(files[0] + behind)
        samples, report = read(path)
        assert (len(samples), report.status) == (len(first), "ok")
    path.write_bytes(files[0] + files[1])
    samples, report = read(path)
    assert (len(samples), report.status, report.reason) == (len(first) + len(second), "ok", "")
    path.write_bytes(files[0] + np.random.default_rng(0).bytes(9000))
    samples, report = read(path)
    assert len(samples) == len(first)
    assert report.status == "partial"
    path.write_bytes(files[0][: len(files[0]) - 700])
    if kind in WHOLE_OR_NONE:
        with pytest.raises(AudioError, match="not audio"):
            read(path)
    else:
        assert read(path)[1].status == "partial"


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "ogg", "aiff"])
def test_a_recording_of_another_rate_behind_is_named_and_not_read(tmp_path, kind):
    path = tmp_path / "mixed"
    path.write_bytes(encoded(noise(6000), kind) + encoded(noise(6000), kind, 22050))
    samples, report = read(path)
    assert (len(samples), report.status) == (6000, "partial")
    assert "a recording of 22050 Hz and 1 channels follows at byte" in report.reason


def test_a_file_of_an_unknown_format_is_one_stream(tmp_path):
    path = tmp_path / "text.wav"
    path.write_text("No sound.\n" * 100)
    layout = layout_of(path)
    assert (len(layout.streams), layout.fault, layout.as_it_is) == (1, "", True)


@pytest.mark.parametrize(
    "magic", [b"RIFF\xff\xff\xff\x7fWAVE", b"FORM\0\1\0\0AIFF", b"caff\0\1\0\0", b"\0\0\0\x08free"]
)
def test_millions_of_empty_chunks_take_no_time(tmp_path, magic):
    path = tmp_path / "hostile.wav"
    path.write_bytes(magic + (b"\0\0\0\x08free" if magic[4:] == b"free" else b"abcd\0\0\0\0") * 1_000_000)
    assert len(layout_of(path).streams) == 1


@pytest.mark.parametrize("stated", [3000, 300_000])
@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "aiff", "mp3"])
def test_a_tag_that_states_too_much_hides_no_sound(tmp_path, kind, stated):
    sound = noise(16000)
    data = encoded(sound, kind)
    (tmp_path / "whole").write_bytes(data)
    expected, _ = read(tmp_path / "whole")
    length = bytes([0, stated >> 14 & 0x7F, stated >> 7 & 0x7F, stated & 0x7F])
    (tmp_path / "x").write_bytes(b"ID3\3\0\0" + length + bytes(50) + data)
    samples, report = read(tmp_path / "x")
    assert (len(samples), report.status, report.reason) == (len(sound), "ok", "")
    np.testing.assert_allclose(samples, expected, atol=1e-6)
