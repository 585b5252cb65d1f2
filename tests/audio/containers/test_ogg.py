import io
import struct

import numpy as np
import pytest

from ossicle.audio.containers.ogg import pages
from ossicle.audio.decoding.decode import AudioSource

from ..audio_bytes import RATE, encoded, noise

SOUND = noise(5 * RATE)


def read(path, data, **crop):
    path.write_bytes(data)
    source = AudioSource(path)
    return np.concatenate(list(source.blocks(**crop)))[:, 0], source.report


def with_checksum(page: bytes) -> bytes:
    """Return a page with its checksum, bit by bit as RFC 3533 defines it."""
    value = 0
    for byte in page[:22] + bytes(4) + page[26:]:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value >> 31 else 0)) & 0xFFFFFFFF
    return page[:22] + struct.pack("<I", value) + page[26:]


def walked(data: bytes) -> list:
    return list(pages(io.BytesIO(data), 0, len(data)))


@pytest.mark.parametrize("kind", ["ogg", "opus"])
def test_pages_lie_end_to_end(kind):
    data = encoded(SOUND, kind)
    result = walked(data)
    assert [page.start for page in result] == [0, *(page.end for page in result[:-1])]
    assert result[-1].end == len(data)
    assert (result[0].flags & 2, result[-1].flags & 4) == (2, 4)
    assert max(page.granule for page in result) >= len(SOUND)


@pytest.mark.parametrize("kind", ["ogg", "opus"])
def test_a_chain_of_the_same_stream_is_read_in_all_its_links(tmp_path, kind):
    data = encoded(SOUND, kind)
    once, _ = read(tmp_path / "x", data)
    samples, report = read(tmp_path / "x", data * 3)
    assert (report.status, report.reason) == ("ok", "")
    np.testing.assert_array_equal(samples, np.tile(once, 3))
    crop, _ = read(tmp_path / "x", data * 3, start_sample=len(once) - 500, n_samples=len(once) + 1000)
    np.testing.assert_allclose(crop, np.tile(once, 3)[len(once) - 500 : 2 * len(once) + 500], atol=2e-6)


@pytest.mark.parametrize("kind", ["ogg", "opus"])
def test_a_link_without_its_last_page_is_named_and_the_next_one_read(tmp_path, kind):
    data = encoded(SOUND, kind)
    cut = data[: walked(data)[-2].end]
    samples, report = read(tmp_path / "x", cut + data)
    assert report.status == "partial"
    assert "the last Ogg page is missing" in report.reason
    assert len(samples) > len(SOUND) + RATE


@pytest.mark.parametrize("kind", ["ogg", "opus"])
def test_another_stream_of_sound_at_the_same_time_is_named(tmp_path, kind):
    data, other = encoded(SOUND, kind), encoded(noise(RATE, 1), kind)
    heads = [data[page.start : page.end] for page in walked(data)[:1]]
    first = bytearray(other[: walked(other)[0].end])
    first[14:18] = struct.pack("<I", 12345)
    samples, report = read(tmp_path / "x", heads[0] + with_checksum(bytes(first)) + data[len(heads[0]) :])
    assert report.status == "partial"
    assert "2 streams of sound at the same time" in report.reason
    assert len(samples) <= len(SOUND)


@pytest.mark.parametrize("kind", ["ogg", "opus"])
def test_checksums_of_pages_are_those_of_the_standard(kind):
    data = encoded(SOUND[:RATE], kind)
    for page in walked(data):
        assert page.whole
        assert with_checksum(data[page.start : page.end]) == data[page.start : page.end]
    changed = bytearray(data)
    changed[walked(data)[2].end - 1] ^= 1
    assert [page.whole for page in walked(bytes(changed))].count(False) == 1


@pytest.mark.parametrize("kind", ["ogg", "opus"])
def test_a_missing_page_is_named_and_what_follows_keeps_its_time(tmp_path, kind):
    # FFmpeg decodes Opus at 48 kHz only.
    data = encoded(noise(5 * 48000), kind, 48000)
    whole, _ = read(tmp_path / "x", data)
    lost = walked(data)[3]
    samples, report = read(tmp_path / "x", data[: lost.start] + data[lost.end :])
    assert report.status == "partial"
    assert f"an Ogg page at byte {lost.start} or before it is damaged or missing" in report.reason
    n_common = min(len(samples), len(whole)) - 4096
    np.testing.assert_allclose(samples[n_common - 20000 : n_common], whole[n_common - 20000 : n_common], atol=2e-3)


def changed_page(data: bytes, number: int, form: str, at: int, value: int) -> bytes:
    """Return a file in which a field of a page is another number."""
    page = walked(data)[number]
    changed = bytearray(data[page.start : page.end])
    struct.pack_into(form, changed, at, value)
    return data[: page.start] + with_checksum(bytes(changed)) + data[page.end :]


def test_opus_of_an_unknown_rate_keeps_its_band(tmp_path):
    tone = np.sin(2 * np.pi * 9000 * np.arange(48000) / 48000).astype(np.float32)
    data = encoded(tone, "opus", 48000)
    head = data.index(b"OpusHead")
    samples, report = read(tmp_path / "x", changed_page(data, 0, "<I", head + 12, 0))
    assert (report.status, len(samples)) == ("ok", len(tone))
    assert np.abs(samples[10000:38000]).max() > 0.5


def test_a_last_page_that_does_not_say_where_it_ends_is_read(tmp_path):
    data = encoded(SOUND, "ogg")
    samples, report = read(tmp_path / "x", changed_page(data, -1, "<q", 6, -1))
    assert report.status == "ok"
    assert len(samples) >= len(SOUND)
