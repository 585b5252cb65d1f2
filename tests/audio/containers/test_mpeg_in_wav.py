"""MP3 within a WAV, as some recorders write it: the header of the first recording does not end the chunk."""

import struct

import numpy as np
import pytest
import soundfile

from ossicle.audio.decoding.decode import AudioSource

from ..audio_bytes import RATE, chunk, encoded, muxed, noise, riff

SOUND = noise(16000)


def wav(data, stated=None, tail=b""):
    fmt = struct.pack("<HHIIHH", 0x55, 1, RATE, 4000, 1, 0) + struct.pack("<HHIHHH", 12, 1, 2, 417, 1, 1393)
    fact = chunk(b"fact", struct.pack("<I", len(SOUND)))
    return riff(chunk(b"fmt ", fmt), fact, chunk(b"data", data, stated=stated), tail)


def read(path, data):
    path.write_bytes(data)
    source = AudioSource(path)
    return np.concatenate(list(source.blocks()))[:, 0], source.report


@pytest.mark.parametrize(
    ("stated", "tail"), [(None, b""), (None, chunk(b"LIST", b"INFOabcd" * 500)), (0, b""), (0xFFFFFFFF, b"")]
)
def test_it_is_read_as_the_decoder_reads_the_wav(tmp_path, stated, tail):
    path = tmp_path / "x.wav"
    path.write_bytes(wav(encoded(SOUND, "mp3")))
    expected = soundfile.read(path, dtype="float32")[0]
    samples, report = read(path, wav(encoded(SOUND, "mp3"), stated, tail))
    np.testing.assert_allclose(samples, expected, atol=1e-6)
    assert (report.status, report.reason) == ("ok", "")


def test_two_recordings_in_one_chunk_are_both_read(tmp_path):
    samples, report = read(tmp_path / "x.wav", wav(2 * encoded(SOUND, "mp3")))
    assert (len(samples), report.status) == (2 * len(SOUND), "ok")
    np.testing.assert_allclose(samples[: len(SOUND)], samples[len(SOUND) :], atol=1e-6)


def test_a_count_of_bytes_that_is_too_small_or_too_large_is_partial(tmp_path):
    for stated in (1000, 100_000):
        samples, report = read(tmp_path / "x.wav", wav(encoded(SOUND, "mp3"), stated))
        assert (len(samples), report.status) == (len(SOUND), "partial")


def test_a_cut_one_is_partial(tmp_path):
    data = wav(encoded(SOUND, "mp3"))
    samples, report = read(tmp_path / "x.wav", data[: len(data) // 2])
    assert 0 < len(samples) < len(SOUND)
    assert report.status == "partial"


def test_one_without_a_header_is_read_in_all_its_frames(tmp_path):
    data = muxed(SOUND, "libmp3lame", "mp3", write_xing="0")
    samples, report = read(tmp_path / "x.wav", wav(2 * data))
    assert len(samples) >= 2 * len(SOUND)
    assert report.status == "ok"
