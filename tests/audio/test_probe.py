import errno
import os

import numpy as np
import pytest

from ossicle.audio.decoding.decode import read_blocks
from ossicle.audio.probe import SUFFIXES, probe
from ossicle.core.errors import AudioError

TONE = (0.5 * np.sin(np.arange(16000) / 10)).astype(np.float32)


def test_suffixes_are_lower_case_with_a_dot():
    assert {".wav", ".flac", ".ogg", ".mp3", ".m4a", ".aiff", ".aif", ".opus"} <= SUFFIXES
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in SUFFIXES)


@pytest.mark.parametrize(
    ("name", "decoder", "bits"),
    [
        ("x.wav", "libsndfile", 16),
        ("x.flac", "libsndfile", 16),
        ("x.aif", "libsndfile", 16),
        ("x.ogg", "libsndfile", 0),
        ("x.mp3", "libsndfile", 0),
        ("x.opus", "libsndfile", 0),
        ("x.m4a", "ffmpeg", 0),
    ],
)
def test_headers(encode, name, decoder, bits):
    info = probe(encode(name, np.stack([TONE, TONE], axis=1), 16000))
    assert (info.rate, info.channels, info.n_samples) == (16000, 2, 16000)
    assert (info.decoder, info.bits, info.estimated) == (decoder, bits, False)
    assert info.duration_s == 1.0


def test_webm_only_estimates_its_length(encode):
    info = probe(encode("x.webm", TONE, 16000))
    assert info.estimated
    assert info.duration_s == pytest.approx(1, abs=0.1)


def test_the_content_decides_not_the_suffix(encode, tmp_path):
    flac = encode("x.flac", TONE, 16000)
    assert probe(flac.rename(tmp_path / "x.wav")).codec.startswith("FLAC")


@pytest.mark.parametrize(
    "name",
    [
        "Ölmühle – Zürich 東京.wav",
        "a.b.c..wav",
        " leading space and (brackets) [1] 100%.wav",
        "x" * 251 + ".wav",
        "-v.wav",
        "file:x.wav",
        "no suffix",
    ],
)
def test_names_mean_nothing(encode, tmp_path, name):
    path = encode("plain.wav", TONE, 16000).rename(tmp_path / name)
    assert probe(path).n_samples == 16000
    assert sum(map(len, read_blocks(path))) == 16000
    aac = encode("plain.m4a", TONE, 16000).rename(tmp_path / name)
    assert probe(aac).n_samples == 16000
    assert sum(map(len, read_blocks(aac))) == 16000


def test_reasons(tmp_path):
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("This is no sound.\n" * 100)
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "link.wav").symlink_to(tmp_path / "gone.wav")
    (tmp_path / "loop.wav").symlink_to(tmp_path / "loop.wav")
    (tmp_path / "short.wav").write_bytes(b"RIFF")
    for name, reason in {
        "empty.wav": "empty file",
        "text.wav": "not audio",
        "folder.wav": "folder",
        "link.wav": "broken link",
        "loop.wav": "broken link",
        "short.wav": "not audio",
        "absent.wav": "No such file",
    }.items():
        with pytest.raises(AudioError, match=reason) as caught:
            probe(tmp_path / name)
        assert name in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(AudioError, match="not a regular file"):
        probe(tmp_path / "pipe.wav")


def test_a_name_that_is_not_utf8(tmp_path):
    with pytest.raises(AudioError, match=r"not UTF-8; rename") as caught:
        probe(tmp_path / os.fsdecode(b"\xff.wav"))
    str(caught.value).encode()


@pytest.mark.parametrize("rate", [1, 99, 2**31 - 1])
def test_an_absurd_rate(encode, rate):
    path = encode("x.wav", TONE, 16000)
    data = bytearray(path.read_bytes())
    data[24:28] = rate.to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(AudioError, match="header is damaged"):
        probe(path)


def test_no_permission(encode, monkeypatch):
    # Tests may run as root, who may read everything.
    def refuse(*_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    path = encode("x.wav", TONE, 16000)
    monkeypatch.setattr("ossicle.audio.probe.open_regular", refuse)
    with pytest.raises(AudioError, match="Permission denied"):
        probe(path)


@pytest.mark.parametrize("playlist", ["#EXTM3U\n#EXTINF:1,\n{0}\n", "ffconcat version 1.0\nfile '{0}'\n"])
def test_a_playlist_does_not_lead_to_other_files(encode, tmp_path, playlist):
    target = encode("secret.m4a", TONE, 16000)
    trap = tmp_path / "trap.wav"
    trap.write_text(playlist.format(target))
    with pytest.raises(AudioError, match="not audio"):
        probe(trap)


def test_a_fast_recorder(encode):
    ultrasonic = np.random.default_rng(0).normal(0, 0.1, 38400).astype(np.float32)
    info = probe(encode("bat.wav", ultrasonic, 384000))
    assert (info.rate, info.duration_s) == (384000, 0.1)
