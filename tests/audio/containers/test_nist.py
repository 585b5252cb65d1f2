"""NIST SPHERE, and formats of libsndfile whose structure is not known here."""

import numpy as np
import pytest
import soundfile

from ossicle.audio.containers.layout import layout_of
from ossicle.audio.decoding.decode import AudioSource

from ..audio_bytes import RATE, noise

SOUND = noise(8000)


def read(path):
    source = AudioSource(path)
    return np.concatenate(list(source.blocks()))[:, 0], source.report


def write(path, kind, subtype="PCM_16", **options):
    soundfile.write(path, SOUND, RATE, format=kind, subtype=subtype, **options)
    return path.read_bytes()


@pytest.mark.parametrize("endian", ["LITTLE", "BIG"])
@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24", "PCM_32", "ULAW", "ALAW"])
def test_sphere_is_read_as_libsndfile_reads_it(tmp_path, subtype, endian):
    path = tmp_path / "sa1.wav"
    write(path, "NIST", subtype, endian=endian)
    samples, report = read(path)
    np.testing.assert_array_equal(samples, soundfile.read(path, dtype="float32")[0])
    assert (report.status, len(layout_of(path).streams[0].spans)) == ("ok", 1)


def test_sphere_joined_end_to_end_is_all_read(tmp_path):
    path = tmp_path / "sa1.wav"
    path.write_bytes(2 * write(path, "NIST"))
    samples, report = read(path)
    np.testing.assert_allclose(samples, np.tile(SOUND, 2), atol=1e-4)
    assert report.status == "ok"


@pytest.mark.parametrize(
    ("count", "kept", "n_samples", "words"),
    [
        (b"8000", 1.0, 8000, ""),
        (b"8000", 0.5, 3744, "cut off"),
        (b"4000", 1.0, 4000, "8000 more follow"),
        (b"9000", 1.0, 8000, "cut off: 2000 of 18000"),
    ],
)
def test_the_count_of_sphere_is_compared_with_the_file(tmp_path, count, kept, n_samples, words):
    path = tmp_path / "sa1.wav"
    data = write(path, "NIST").replace(b"sample_count -i 8000", b"sample_count -i " + count)
    path.write_bytes(data[: int(kept * len(data))])
    samples, report = read(path)
    assert (len(samples), report.status) == (n_samples, "partial" if words else "ok")
    assert words in report.reason


@pytest.mark.parametrize("header", [b"NIST_1A\n", b"NIST_1A\n  99999999\n", b"NIST_1A\n   1024\nx -i 1\nend_head"])
def test_a_damaged_header_of_sphere_is_no_layout(tmp_path, header):
    (tmp_path / "x.wav").write_bytes(header)
    assert layout_of(tmp_path / "x.wav").streams[0].whole_file


@pytest.mark.parametrize("kind", ["VOC", "IRCAM", "PAF", "AVR", "MAT5", "PVF"])
@pytest.mark.parametrize("kept", [1.0, 0.5])
def test_what_may_be_cut_without_a_sign_is_never_ok(tmp_path, kind, kept):
    path = tmp_path / "x.wav"
    data = write(path, kind)
    path.write_bytes(data[: int(kept * len(data))])
    samples, report = read(path)
    assert len(samples) > 3400
    assert report.status == "partial"
    assert f"it may be cut off: the structure of {kind} is not known here; convert it to WAV" in report.reason
