import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ossicle.audio.containers import flac
from ossicle.audio.containers.flac import frame_end
from ossicle.audio.decoding.decode import AudioSource

from ..audio_bytes import RATE, encoded, muxed, noise

COUNT_AT = 8 + 13


def read(path, **crop):
    source = AudioSource(path)
    return np.concatenate(list(source.blocks(**crop)))[:, 0], source.report


def counting(data: bytes, n_samples: int) -> bytes:
    """A FLAC file whose STREAMINFO counts another number of samples."""
    old = int.from_bytes(data[COUNT_AT : COUNT_AT + 5], "big")
    return data[:COUNT_AT] + (old >> 36 << 36 | n_samples).to_bytes(5, "big") + data[COUNT_AT + 5 :]


@given(n_samples=st.integers(100, 20000), seed=st.integers(0, 9))
def test_the_last_frame_tells_the_length(n_samples, seed):
    data = encoded(noise(n_samples, seed), "flac")
    ends = [
        end
        for at in range(len(data) - 6)
        if data[at : at + 2] in (b"\xff\xf8", b"\xff\xf9")
        and (end := frame_end(data[at : at + 16], 4096, RATE, 1, 16)) is not None
    ]
    assert ends == [*range(4096, n_samples, 4096), n_samples]


@pytest.mark.parametrize("stated", [0, 1, 5000, 19999, 20000])
@pytest.mark.parametrize("behind", [b"", b"TAG" + bytes(125), bytes(100_000)])
def test_a_count_that_is_unknown_or_too_small_is_read_on(tmp_path, stated, behind):
    path, sound = tmp_path / "x.flac", noise(20000)
    path.write_bytes(counting(encoded(sound, "flac"), stated) + behind)
    samples, report = read(path)
    assert (report.status, report.reason, len(samples)) == ("ok", "", 20000)
    np.testing.assert_allclose(samples, sound, atol=1e-4)
    crop, _ = read(path, start_sample=15000, n_samples=3000)
    np.testing.assert_allclose(crop, sound[15000:18000], atol=1e-4)


def test_a_count_that_is_too_large_is_partial(tmp_path):
    path = tmp_path / "x.flac"
    path.write_bytes(counting(encoded(noise(20000), "flac"), 30000))
    samples, report = read(path)
    assert (len(samples), report.status) == (20000, "partial")
    assert report.reason == "decoding ends at 1.250 s of 1.875 s"


def test_flac_to_a_pipe_has_a_known_length(tmp_path):
    path = tmp_path / "x.flac"
    path.write_bytes(muxed(noise(30000), "flac", "flac", pipe=True))
    assert AudioSource(path).info.n_samples == 30000
    assert read(path)[1].status == "ok"


@pytest.mark.parametrize(("first", "second"), [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
def test_two_streams_of_one_length_are_seen_by_places_here_and_there(tmp_path, monkeypatch, first, second):
    monkeypatch.setattr(flac, "_SEARCHED_WHOLE", 0)
    monkeypatch.setattr(flac, "_WINDOW", 1 << 14)
    monkeypatch.setattr(flac, "_TAIL", 1 << 15)
    sound = [noise(400_000, seed) * scale for seed, scale in enumerate((first, second))]
    path = tmp_path / "x.flac"
    path.write_bytes(b"".join(encoded(one, "flac") for one in sound))
    assert AudioSource(path).info.n_samples == 800_000
    crop, _ = read(path, start_sample=399_000, n_samples=2000)
    np.testing.assert_allclose(crop, np.concatenate(sound)[399_000:401_000], atol=1e-4)


def test_a_stream_that_only_a_search_finds_is_read_on(tmp_path, monkeypatch):
    monkeypatch.setattr(flac, "_begins_anew", lambda *_: False)
    sound = [noise(30000, seed) for seed in (1, 2)]
    path = tmp_path / "x.flac"
    path.write_bytes(b"".join(encoded(one, "flac") for one in sound))
    source = AudioSource(path)
    assert source.info.n_samples == 30000
    samples = np.concatenate(list(source.blocks()))[:, 0]
    np.testing.assert_allclose(samples, np.concatenate(sound), atol=1e-4)
    assert (source.report.status, source.info.n_samples) == ("ok", 60000)


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
@pytest.mark.parametrize("rate", [8000, 11025, 48000, 250_000])
def test_frames_of_all_kinds_are_known(tmp_path, channels, subtype, rate):
    path = tmp_path / "x.flac"
    soundfile.write(path, np.repeat(noise(9000)[:, None], channels, axis=1), rate, format="FLAC", subtype=subtype)
    path.write_bytes(counting(path.read_bytes(), 0))
    assert AudioSource(path).info.n_samples == 9000
