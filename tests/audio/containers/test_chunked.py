"""WAV and its relatives: sizes that pipes and dying recorders leave behind, odd orders of chunks, counts that wrap."""

import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ossicle.audio.containers.layout import layout_of
from ossicle.audio.decoding.decode import AudioSource
from ossicle.core.errors import AudioError

from ..audio_bytes import RATE, chunk, encoded, muxed, noise, pcm, riff, wave_format

SOUND = noise(8000)
OPEN = (0, 0x7FFFF000, 0x7FFFFF00, 0x7FFFFFFF - 36, 0x7FFFFFFF, 0x80000000, 0xFFFFFF00, 0xFFFFFFFF - 36, 0xFFFFFFFF)


def read(path, data=None):
    if data is not None:
        path.write_bytes(data)
    source = AudioSource(path)
    samples = np.concatenate(list(source.blocks()))[:, 0]
    return samples, source.report


def assert_whole(path, data, expected=SOUND):
    samples, report = read(path, data)
    assert (len(samples), report.status, report.reason) == (len(expected), "ok", "")
    np.testing.assert_allclose(samples, expected, atol=1e-4)


def wave(data_size=None, order="<", magic=b"RIFF", head=b"", tail=b"", size=None):
    parts = chunk(b"fmt ", wave_format(order=order), order), chunk(b"data", pcm(SOUND, order), order, data_size)
    return riff(head, *parts, tail, magic=magic, order=order, size=size)


@pytest.mark.parametrize("size", OPEN)
@pytest.mark.parametrize("magic", [b"RIFF", b"RIFX"])
def test_a_wav_of_a_pipe_is_read_to_its_end(tmp_path, size, magic):
    order = ">" if magic == b"RIFX" else "<"
    assert_whole(tmp_path / "pipe.wav", wave(size, order, magic, size=min(size + 36, 0xFFFFFFFF)))


@pytest.mark.parametrize(
    ("name", "size", "data"),
    [
        ("arecord", 0x7FFFFF00 + 44 + 64000, 0x7FFFFF00),
        ("sox", 0x7FFFFFFF + 33 + 64000, 0x7FFFFFFF),
        ("ffmpeg", 0xFFFFFFFF + 45 + 64000, 0xFFFFFFFF),
        ("wrapped", 2**32 + 44 + 80000, 80000),
    ],
)
def test_a_wav_longer_than_its_header_can_say_is_read_to_its_end(tmp_path, name, size, data):
    # Sparse: 700 Hz in the first and the last half second, with 8 channels of 32 bits so that it is quick.
    path, channels = tmp_path / f"{name}.wav", 8
    size -= (size - 44) % (4 * channels)
    tone = np.repeat((2**29 * np.sin(2 * np.pi * 700 * np.arange(RATE // 2) / RATE)).astype("<i4"), channels).tobytes()
    head = riff(chunk(b"fmt ", wave_format(1, channels, RATE, 4)), b"data" + struct.pack("<I", data))
    with open(path, "wb") as file:
        file.write(head + tone)
        file.seek(size - len(tone))
        file.write(tone)
    n_samples = (size - 44) // (4 * channels)
    source = AudioSource(path)
    assert (source.info.n_samples, source.info.fault) == (n_samples, "")
    last = np.concatenate(list(source.blocks(start_sample=n_samples - RATE)))
    assert (len(last), source.report.status) == (RATE, "ok")
    assert not last[: RATE // 2].any()
    assert np.abs(last[RATE // 2 :]).max() == pytest.approx(0.25, abs=1e-3)


def ds64(riff_size, data_size, n_samples):
    return chunk(b"ds64", struct.pack("<QQQI", riff_size, data_size, n_samples, 0))


@pytest.mark.parametrize("magic", [b"RF64", b"BW64"])
def test_rf64_and_bw64_with_right_and_with_open_sizes(tmp_path, magic):
    n_bytes = 2 * len(SOUND)
    path = tmp_path / "x.wav"
    full = 0xFFFFFFFF
    for stated in (n_bytes, 0, 2**64 - 1, 2**63 - 1, 2**64 - 1 - 80):
        assert_whole(path, wave(full, magic=magic, head=ds64(72 + n_bytes, stated, 0), size=full))
    # FFmpeg to a pipe leaves all of ds64 at 0, and a recorder may never turn JUNK into it.
    assert_whole(path, wave(0, magic=magic, head=ds64(0, 0, 0), size=full))
    assert_whole(path, wave(full, head=chunk(b"JUNK", bytes(28)), size=full))
    assert_whole(path, wave(n_bytes, magic=magic, head=ds64(72 + n_bytes, 0, 0), size=full))
    guano = chunk(b"guan", b"GUANO|Version: 1.0\n")
    assert_whole(path, wave(full, magic=magic, head=ds64(0, n_bytes, 0), tail=guano, size=full))


@pytest.mark.parametrize("magic", [b"RF64", b"BW64"])
def test_a_cut_rf64_or_bw64_is_partial(tmp_path, magic):
    data = wave(0xFFFFFFFF, magic=magic, head=ds64(0, 3 * len(SOUND), 0), size=0xFFFFFFFF)
    samples, report = read(tmp_path / "cut.wav", data)
    assert (len(samples), report.status) == (len(SOUND), "partial")
    assert "8000 of 24000 bytes" in report.reason


def test_files_that_ffmpeg_writes_to_a_pipe(tmp_path):
    for options in ({}, {"rf64": "always"}, {"rf64": "auto"}):
        assert_whole(tmp_path / "x.wav", muxed(SOUND, "pcm_s16le", "wav", pipe=True, **options))
    for codec, container in (("pcm_s16le", "w64"), ("pcm_s16be", "aiff"), ("pcm_s16le", "caf"), ("pcm_s16be", "au")):
        assert_whole(tmp_path / "x", muxed(SOUND, codec, container, pipe=True))
    samples, report = read(tmp_path / "x.wav", muxed(SOUND, "adpcm_ms", "wav", pipe=True))
    assert len(samples) >= len(SOUND)
    assert report.status == "ok"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    order=st.permutations(["fmt ", "fact", "data", "LIST", "bext", "JUNK", "guan"]),
    odd=st.integers(0, 1),
    padded=st.booleans(),
)
def test_chunks_may_come_in_any_order_and_with_their_padding_left_out(tmp_path, order, odd, padded):
    contents = {"fmt ": wave_format(), "data": pcm(SOUND), "fact": struct.pack("<I", 17), "LIST": b"INFO"}
    parts = []
    for name in order:
        content = contents.get(name, b"x" * (40 + odd))
        part = chunk(name.encode(), content)
        parts.append(part if padded or not len(content) % 2 else part[:-1])
    assert_whole(tmp_path / "x.wav", riff(*parts))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(share=st.floats(0.01, 0.99), tail=st.sampled_from([b"", chunk(b"LIST", b"INFOabcd")]))
def test_a_wav_with_a_stale_count_is_partial(tmp_path, share, tail):
    stated = int(share * len(SOUND)) * 2
    samples, report = read(tmp_path / "stale.wav", wave(stated, tail=tail))
    assert (len(samples), report.status) == (stated // 2, "partial")
    assert f"the header states {stated} bytes of samples" in report.reason


def test_silence_behind_the_stated_end_hides_no_sound(tmp_path):
    # Ten seconds of zeros, then sound: more than any padding.
    behind = bytes(320_000) + pcm(SOUND)
    samples, report = read(tmp_path / "x.wav", wave(2 * len(SOUND)) + behind)
    assert (len(samples), report.status) == (len(SOUND), "partial")


def test_a_second_chunk_of_samples_is_not_passed_over(tmp_path):
    samples, report = read(tmp_path / "two.wav", wave(tail=chunk(b"data", pcm(noise(4000, 1)))))
    assert (len(samples), report.status) == (len(SOUND), "partial")


def test_an_empty_wav_is_refused_and_not_read_for_its_tags(tmp_path):
    path = tmp_path / "empty.wav"
    path.write_bytes(riff(chunk(b"fmt ", wave_format()), chunk(b"data", b""), chunk(b"LIST", b"INFO" + b"ab" * 50)))
    with pytest.raises(AudioError, match="no samples"):
        read(path)


@pytest.mark.parametrize("stated", [0, 8, 0x7FFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize("counted", [0, 8000, 0xFFFFFFFF])
def test_aiff_without_its_sizes(tmp_path, stated, counted):
    data = bytearray(encoded(SOUND, "aiff"))
    at = data.index(b"SSND")
    data[at + 4 : at + 8] = struct.pack(">I", stated)
    common = data.index(b"COMM")
    data[common + 10 : common + 14] = struct.pack(">I", counted)
    samples, report = read(tmp_path / "x.aiff", bytes(data))
    assert len(samples) == len(SOUND)
    np.testing.assert_allclose(samples, SOUND, atol=1e-4)
    assert report.status == ("partial" if counted > len(SOUND) else "ok")


@pytest.mark.parametrize(
    ("kind", "mark", "skipped", "form", "sizes"),
    [
        ("caf", b"data", 4, ">Q", (2**64 - 1, 0, 4)),
        ("au", b".snd", 8, ">I", (0xFFFFFFFF, 0)),
        ("w64", b"data", 16, "<Q", (0, 24, 2**64 - 1, 2**63 - 1)),
    ],
)
def test_other_formats_without_their_sizes(tmp_path, kind, mark, skipped, form, sizes):
    for size in sizes:
        data = bytearray(encoded(SOUND, kind))
        at = data.index(mark) + skipped
        data[at : at + struct.calcsize(form)] = struct.pack(form, size)
        assert_whole(tmp_path / f"x.{kind}", bytes(data))


@pytest.mark.parametrize(
    ("kind", "mark", "skipped", "form"),
    [("caf", b"data", 4, ">Q"), ("au", b".snd", 8, ">I"), ("w64", b"data", 16, "<Q"), ("aiff", b"SSND", 4, ">I")],
)
def test_other_formats_with_a_stale_count_are_partial(tmp_path, kind, mark, skipped, form):
    data = bytearray(encoded(SOUND, kind))
    at = data.index(mark) + skipped
    data[at : at + struct.calcsize(form)] = struct.pack(form, 4000)
    samples, report = read(tmp_path / f"x.{kind}", bytes(data))
    assert report.status == "partial"
    np.testing.assert_allclose(samples, SOUND[: len(samples)], atol=1e-4)


@pytest.mark.parametrize(
    ("tag", "kind"), [(1, "u1"), (1, "i2"), (1, "i3"), (1, "i4"), (3, "f4"), (3, "f8"), (6, "u1"), (7, "u1")]
)
def test_all_encodings_of_plain_samples_are_read_alike_with_and_without_a_length(tmp_path, tag, kind):
    values = np.random.default_rng(0).integers(0, 100, 2400)
    content = values.astype("u1" if kind == "i3" else kind).tobytes()
    fmt = chunk(b"fmt ", wave_format(tag, 2, RATE, int(kind[1])))
    path = tmp_path / "x.wav"
    whole, report = read(path, riff(fmt, chunk(b"data", content)))
    assert report.status == "ok"
    opened, report = read(path, riff(fmt, chunk(b"data", content, stated=0)))
    np.testing.assert_array_equal(opened, whole)
    assert (report.status, len(whole)) == ("ok", len(content) // 2 // int(kind[1]))


def test_integers_of_64_bits_are_refused(tmp_path):
    fmt = chunk(b"fmt ", wave_format(1, 2, RATE, 8))
    with pytest.raises(AudioError, match=r"not audio that libsndfile .* or FFmpeg can read"):
        read(tmp_path / "x.wav", riff(fmt, chunk(b"data", bytes(range(160)))))


def test_an_unusual_wav_is_opened_as_it_is(tmp_path):
    path = tmp_path / "x.wav"
    path.write_bytes(encoded(SOUND, "wavex"))
    assert layout_of(path).as_it_is
    assert all(stream.as_it_is for stream in AudioSource(path).info.streams)


@pytest.mark.parametrize("n_bytes", [100, 60_000, 1_000_000])
@pytest.mark.parametrize("name", [b"free", b"uuid", b"ovvw"])
def test_large_chunks_before_the_samples_of_caf_hide_no_sound(tmp_path, name, n_bytes):
    data = encoded(SOUND, "caf")
    at = data.index(b"free")
    more = name + struct.pack(">Q", n_bytes) + bytes(n_bytes)
    assert_whole(tmp_path / "x.caf", data[:at] + more + data[at:])


def test_little_endian_au_is_read_like_the_other(tmp_path):
    head = b"dns." + struct.pack("<IIIII", 24, 2 * len(SOUND), 3, RATE, 1)
    assert_whole(tmp_path / "x.au", head + pcm(SOUND))
    samples, report = read(tmp_path / "x.au", head + pcm(SOUND)[:-1000])
    assert (len(samples), report.status) == (len(SOUND) - 500, "partial")
