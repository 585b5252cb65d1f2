import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ossicle.audio.decoding.decode import AudioSource, read_blocks
from ossicle.core.errors import AudioError

LOSSLESS = {"wav", "flac", "aiff"}


def whole(path: Path, **crop: int) -> np.ndarray:
    return np.concatenate([np.zeros((0, AudioSource(path).info.channels), np.float32), *read_blocks(path, **crop)])


def report_of(path: Path):
    source = AudioSource(path)
    for _ in source.blocks():
        pass
    return source.report


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


@pytest.mark.parametrize(
    ("kind", "rate"),
    [(kind, rate) for kind in ("wav", "flac", "aiff", "ogg", "mp3", "m4a") for rate in (16000, 22050, 44100, 48000)]
    + [(kind, rate) for kind in ("opus", "webm") for rate in (16000, 48000)],
)
def test_a_click_at_one_second_is_found_there_decoded_whole_or_by_seeking(encode, clicks, kind, rate):
    path = encode(f"click.{kind}", clicks(rate), rate)
    own = AudioSource(path).info.rate
    allowed = 0 if kind in LOSSLESS else own // 1000
    decoded = whole(path)[:, 0]
    assert len(decoded) == 3 * own
    assert abs(int(np.argmax(decoded)) - own) <= allowed
    assert abs(int(np.argmin(decoded)) - 2 * own) <= allowed
    for start in (1, 100, own // 3, own - 1105, own - 1, own):
        crop = whole(path, start_sample=start, n_samples=own)[:, 0]
        assert len(crop) == own
        assert abs(start + int(np.argmax(crop)) - own) <= allowed
    tail = whole(path, start_sample=2 * own - 50)[:, 0]
    assert len(tail) == own + 50
    assert abs(int(np.argmin(tail)) - 50) <= allowed


@pytest.mark.parametrize("rate", [16000, 22050, 44100])
@pytest.mark.parametrize("kind", ["wav", "flac", "aiff", "ogg", "mp3"])
def test_a_crop_equals_the_crop_of_the_whole(encode, kind, rate):
    rng = np.random.default_rng(1)
    # 8.3 s: several Ogg pages, with an uneven end that Vorbis trims.
    path = encode(f"noise.{kind}", rng.normal(0, 0.1, int(8.3 * rate)).astype(np.float32), rate)
    reference = whole(path)
    for start in [*rng.integers(0, len(reference), 12).tolist(), len(reference) - 10]:
        np.testing.assert_allclose(
            whole(path, start_sample=start, n_samples=rate), reference[start : start + rate], atol=2e-6
        )


def test_aac_crops_lie_where_the_whole_has_them(encode):
    # AAC fills some bands with noise of its own (see ffmpeg.py), so a tone stands for equality.
    rate = 44100
    sweep = 0.5 * np.sin(2 * np.pi * 60 * np.linspace(0, 3, 3 * rate) ** 3)
    path = encode("sweep.m4a", sweep.astype(np.float32), rate)
    reference = whole(path)
    for start in (30000, 60001, 100000):
        np.testing.assert_allclose(whole(path, start_sample=start), reference[start:], atol=1e-4)


@pytest.mark.parametrize("kind", ["flac", "ogg", "mp3", "m4a"])
def test_block_size_changes_nothing(encode, clicks, kind):
    path = encode(f"click.{kind}", clicks(22050), 22050)
    reference = whole(path)
    for block_samples in (997, 4096, 1 << 20):
        blocks = list(read_blocks(path, block_samples=block_samples))
        assert max(map(len, blocks)) <= block_samples
        np.testing.assert_array_equal(np.concatenate(blocks), reference)


@pytest.mark.parametrize(
    ("kind", "share"),
    [(kind, share) for kind in ("wav", "flac", "aiff", "ogg", "mp3", "m4a") for share in (0.3, 0.6, 0.97)]
    + [("opus", 0.6)],
)
def test_a_truncated_file_gives_what_decodes_and_says_so(encode, kind, share):
    rate, seconds = 16000, 20
    samples = np.random.default_rng(2).normal(0, 0.1, seconds * rate).astype(np.float32)
    path = encode(f"tape.{kind}", samples, rate)
    reference = whole(path)
    decoded = whole(cut(path, share))
    report = report_of(path)
    assert report.status == "partial"
    assert report.reason
    assert report.n_samples == len(decoded)
    assert report.end_s == pytest.approx(len(decoded) / rate)
    # All codecs here spread bytes evenly over noise; Ogg pages hold up to a second or so.
    assert share * seconds - 2.5 < report.end_s < share * seconds + 1
    settled = len(decoded) - 2048
    np.testing.assert_allclose(decoded[:settled], reference[:settled], atol=1e-6)


@pytest.mark.parametrize("kind", ["wav", "flac", "aiff", "ogg", "opus", "mp3", "m4a", "webm"])
def test_a_whole_file_is_ok(encode, kind):
    path = encode(f"tape.{kind}", np.random.default_rng(3).normal(0, 0.1, 50001).astype(np.float32), 16000)
    report = report_of(path)
    assert (report.status, report.reason) == ("ok", "")


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_wav_without_its_length_is_read_to_its_end(encode, clicks, size):
    # Written to a pipe, or by a recorder that lost its power.
    path = encode("pipe.wav", clicks(16000), 16000)
    finished = whole(path)
    data = bytearray(path.read_bytes())
    data[40:44] = size.to_bytes(4, "little")
    path.write_bytes(data)
    assert report_of(path).status == "ok"
    np.testing.assert_array_equal(whole(path), finished)
    np.testing.assert_array_equal(whole(path, start_sample=15990, n_samples=20), finished[15990:16010])


def test_an_mp3_without_a_length_keeps_its_encoders_delay_but_is_not_called_partial(encode, clicks):
    path = encode("click.mp3", clicks(44100), 44100)
    data = path.read_bytes()
    header = data.index(b"Xing") if b"Xing" in data[:3000] else data.index(b"Info")
    start = data.index(b"\xff\xfb", header)
    path.write_bytes(data[start:])
    source = AudioSource(path)
    report = report_of(path)
    # Its frames are counted, since nothing else tells its length.
    assert (source.info.n_samples, source.info.estimated) == (report.n_samples, False)
    assert report.status == "ok"
    decoded = whole(path)[:, 0]
    for start in (1, 44100, 100_000):
        np.testing.assert_allclose(whole(path, start_sample=start)[:, 0], decoded[start:], atol=2e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_inf_are_refused_with_their_time(encode, value):
    samples = np.zeros(16000, np.float32)
    samples[8000] = value
    path = encode("bad.wav", samples, 16000, "FLOAT")
    with pytest.raises(AudioError, match=r"bad\.wav.*NaN or Inf.*0\.500000 s"):
        whole(path)


@pytest.mark.parametrize("value", [3e38, -1e20, 5e9, 6553.0])
@pytest.mark.parametrize("at", [0, 8000, 15999])
def test_one_absurd_sample_is_refused_with_its_time(encode, value, at):
    samples = (0.3 * np.sin(np.arange(16000) / 9)).astype(np.float32)
    samples[at] = value
    path = encode("wild.wav", samples, 16000, "FLOAT")
    with pytest.raises(
        AudioError, match=rf"wild\.wav: a value of .* times full scale in the samples at {at / 16000:.6f} s"
    ):
        whole(path)


@pytest.mark.parametrize(
    ("subtype", "step"), [("PCM_U8", 1 / 128), ("PCM_16", 1 / 32768), ("PCM_24", 2**-23), ("FLOAT", 0.0)]
)
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_sample_formats_and_channels(encode, subtype, step, channels):
    samples = np.random.default_rng(4).uniform(-0.9, 0.9, (1600, channels)).astype(np.float32)
    decoded = whole(encode("x.wav", samples, 16000, subtype))
    assert decoded.shape == (1600, channels)
    assert decoded.dtype == np.float32
    np.testing.assert_allclose(decoded, samples, atol=step + 1e-7)


def test_zeros_are_silent(encode):
    report = report_of(encode("zero.flac", np.zeros(16000, np.float32), 16000))
    assert (report.status, report.n_samples) == ("silent", 16000)


def test_an_empty_recording_is_refused(encode):
    with pytest.raises(AudioError, match="no samples"):
        whole(encode("none.wav", np.zeros(0, np.float32), 16000))


def test_beyond_the_end_there_is_nothing(encode):
    for kind in ("wav", "ogg", "mp3", "m4a"):
        path = encode(f"short.{kind}", np.full(16000, 0.1, np.float32), 16000)
        assert len(whole(path, start_sample=20000)) == 0
        assert len(whole(path, start_sample=15000, n_samples=5000)) == 1000
        assert len(whole(path, start_sample=100, n_samples=0)) == 0


def test_the_report_waits_for_the_end(encode):
    source = AudioSource(encode("x.wav", np.full(10, 0.1, np.float32), 16000))
    with pytest.raises(RuntimeError, match="exhausted"):
        _ = source.report


_MEASURE = """
import resource, sys
from ossicle.audio.decoding.mono import MonoStream
stream = MonoStream(sys.argv[1], 16000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
n = sum(len(block) for block in stream)
print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units elsewhere")
def test_memory_does_not_grow_with_the_recording(tmp_path):
    path = tmp_path / "ten minutes.wav"
    minute = np.random.default_rng(5).normal(0, 0.1, (60 * 44100, 2)).astype(np.float32)
    with soundfile.SoundFile(path, "w", 44100, 2, "PCM_16") as file:
        for _ in range(10):
            file.write(minute)
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, os.fspath(path)], check=True, capture_output=True, text=True, timeout=60
    )
    n_samples, grown_kib = map(int, done.stdout.split())
    assert n_samples == 600 * 16000
    # The whole would be 200 MiB as float32.
    assert grown_kib < 24 * 1024
