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
    samples, report = read(tmp_path / "x", heads[0] + bytes(first) + data[len(heads[0]) :])
    assert report.status == "partial"
    assert "2 streams of sound at the same time" in report.reason
    assert len(samples) <= len(SOUND)
