import struct
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ossicle.audio.containers.mpeg import frame_at
from ossicle.audio.decoding.decode import AudioSource
from ossicle.core.errors import AudioError

from ..audio_bytes import RATE, encoded, muxed, noise

SOUND = noise(60000)


def read(path, data=None, **crop):
    if data is not None:
        path.write_bytes(data)
    source = AudioSource(path)
    return np.concatenate(list(source.blocks(**crop)))[:, 0], source.report


def header_at(data: bytes) -> int:
    return max(data.find(b"Xing"), data.find(b"Info"))


def without_header(data: bytes) -> bytes:
    return data[frame_at(data[:4]).n_bytes :]


def frame_starts(data: bytes) -> list[int]:
    starts, at = [], 0
    while at + 4 <= len(data):
        starts.append(at)
        at += frame_at(data[at : at + 4]).n_bytes
    return starts


def counting(data: bytes, n_frames: int | None = None, n_bytes: int | None = None) -> bytes:
    changed, at = bytearray(data), header_at(data)
    if n_frames is not None:
        struct.pack_into(">I", changed, at + 8, n_frames)
    if n_bytes is not None:
        struct.pack_into(">I", changed, at + 12, n_bytes)
    return bytes(changed)


@pytest.mark.parametrize("n_bytes", [None, 0, 1, 10_000_000])
@pytest.mark.parametrize("n_frames", [1, 17, 104])
def test_a_header_that_counts_too_little_is_read_on(tmp_path, n_frames, n_bytes):
    whole = encoded(SOUND, "mp3")
    path = tmp_path / "x.mp3"
    expected, _ = read(path, whole)
    samples, report = read(path, counting(whole, n_frames, n_bytes))
    assert (len(samples), report.status, report.reason) == (len(SOUND), "ok", "")
    np.testing.assert_allclose(samples, expected, atol=2e-6)


def test_a_header_that_counts_too_much_is_partial(tmp_path):
    whole = encoded(SOUND, "mp3")
    samples, report = read(tmp_path / "x.mp3", counting(whole, 1000))
    assert len(samples) >= len(SOUND)
    assert report.status == "partial"


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_an_mp3_without_a_header_is_read_to_its_end_whatever_its_first_frames_let_expect(tmp_path, mode):
    # Loud, then silent: by the bit rate of its first frames the file would be a fraction as long.
    sound = np.concatenate([SOUND, np.zeros(200_000, np.float32)])
    data = without_header(encoded(sound, "mp3", bitrate_mode=mode, compression_level=0.5))
    path = tmp_path / "x.mp3"
    samples, report = read(path, data)
    assert (AudioSource(path).info.n_samples, report.status) == (len(samples), "ok")
    assert len(sound) <= len(samples) < len(sound) + 4 * 1152
    for start in (1, 30000, 150_000, len(samples) - 100):
        crop, _ = read(path, start_sample=start, n_samples=1000)
        np.testing.assert_allclose(crop, samples[start : start + 1000], atol=2e-6)


@pytest.mark.parametrize("front", ["with", "without"])
@pytest.mark.parametrize("behind", ["with", "without"])
@pytest.mark.parametrize("between", [b"", b"ID3\3\0\0\0\0\0\x7f" + bytes(127), b"TAG" + bytes(125), bytes(3000)])
def test_mp3s_end_to_end_are_all_read(tmp_path, front, behind, between):
    first, second = encoded(SOUND, "mp3"), encoded(noise(40000, 1), "mp3")
    path = tmp_path / "x.mp3"
    parts = [one if how == "with" else without_header(one) for one, how in ((first, front), (second, behind))]
    lengths = [len(read(path, part)[0]) for part in parts]
    samples, report = read(path, parts[0] + between + parts[1])
    assert (report.status, report.reason) == ("ok", "")
    # Without tag or header between them the frames go on as those of one recording.
    assert len(samples) == sum(lengths)


@pytest.mark.parametrize("layer", ["mp3", "mp3 without a header", "mp2"])
@pytest.mark.parametrize("n_bytes", [1, 100, 200, 1500, 4001])
def test_a_stream_that_begins_within_a_frame_is_read_to_its_end(tmp_path, layer, n_bytes):
    whole = muxed(SOUND, "mp2", "mp2", rate=RATE) if layer == "mp2" else encoded(SOUND, "mp3")
    whole = without_header(whole) if layer == "mp3 without a header" else whole
    samples, report = read(tmp_path / "x.mp3", whole[n_bytes:])
    # The frame that was cut, one that only its predecessors could decode, and the padding of the encoder are missing.
    lost = len(SOUND) * n_bytes / len(whole)
    assert abs(len(samples) - (len(SOUND) - lost)) < 5 * 1152
    assert report.status == "ok"


@pytest.mark.parametrize(("front", "status"), [(bytes(3000), "ok"), (b"GET /live.mp3\r\n" * 300, "partial")])
def test_other_bytes_before_the_first_frame_hide_no_sound(tmp_path, front, status):
    whole = encoded(SOUND, "mp3")
    samples, report = read(tmp_path / "x.mp3", front + whole)
    assert (len(samples), report.status) == (len(SOUND), status)


def test_what_is_no_frame_between_frames_is_named(tmp_path):
    whole = without_header(encoded(SOUND, "mp3"))
    junk = np.random.default_rng(0).integers(0, 200, 5000, dtype=np.uint8).tobytes()
    middle = sum(frame_at(whole[:4]).n_bytes for _ in range(40))
    samples, report = read(tmp_path / "x.mp3", whole[:middle] + junk + whole[middle:])
    assert report.status == "partial"
    assert "are neither sound nor a tag" in report.reason
    assert len(samples) == len(read(tmp_path / "y.mp3", whole)[0])


def test_a_cut_mp3_without_a_header_is_partial(tmp_path):
    data = without_header(encoded(SOUND, "mp3"))
    assert read(tmp_path / "x.mp3", data)[1].status == "ok"
    assert "the last frame lacks" in read(tmp_path / "x.mp3", data[:-17])[1].reason


@pytest.mark.parametrize("n_frames", [5, 1000])
def test_a_vbri_header_is_not_believed(tmp_path, n_frames):
    data = bytearray(encoded(SOUND, "mp3"))
    first = frame_at(data[:4])
    data[4 : first.n_bytes] = bytes(first.n_bytes - 4)
    data[36:54] = b"VBRI" + struct.pack(">HHHII", 1, 0, 75, len(data), n_frames)
    samples, report = read(tmp_path / "x.mp3", bytes(data))
    assert len(SOUND) <= len(samples) < len(SOUND) + 3 * 1152
    assert report.status == ("ok" if n_frames == 5 else "partial")


def test_layer_2_and_other_rates(tmp_path):
    for codec, kind, rate in (
        ("mp2", "mp2", 16000),
        ("mp2", "mp2", 48000),
        ("libmp3lame", "mp3", 44100),
        ("libmp3lame", "mp3", 8000),
    ):
        sound = noise(3 * rate)
        for pipe in (False, True):
            samples, report = read(tmp_path / "x.mp3", muxed(sound, codec, kind, rate, pipe=pipe))
            assert len(sound) <= len(samples) <= len(sound) + 3 * 1152
            assert report.status == "ok"


@given(head=st.binary(min_size=4, max_size=4))
def test_any_four_bytes_are_a_frame_of_sound_length_or_none(head):
    frame = frame_at(b"\xff" + bytes([head[1] | 0xE0]) + head[2:])
    assert frame is None or (24 <= frame.n_bytes <= 2881 and frame.n_samples in (384, 576, 1152))


SCRIPT = """
import sys, threading
from ossicle.audio.decoding.decode import AudioSource
from ossicle.core.errors import AudioError
def decode(path):
    try:
        source = AudioSource(path)
        print(sum(map(len, source.blocks())), source.report.status, sum(map(len, source.blocks(start_sample=9000))))
    except AudioError as error:
        print(error)
workers = [threading.Thread(target=decode, args=(path,)) for path in sys.argv[1:]]
[worker.start() for worker in workers]
[worker.join() for worker in workers]
print("still here", file=sys.stderr)
"""


def test_messages_of_decoders_do_not_reach_the_terminal(tmp_path, encode):
    whole = encoded(SOUND, "mp3")
    changed = np.frombuffer(whole, np.uint8).copy()
    changed[np.random.default_rng(0).integers(500, len(whole), 60)] ^= 0x55
    files = {
        "whole.mp3": whole, "cut.mp3": whole[:-3000], "joined.mp3": whole + whole, "less.mp3": counting(whole, 20),
        "more.mp3": counting(whole, 2000), "junk.mp3": whole[:9000] + bytes(range(256)) * 20 + whole[9000:],
        "damaged.mp3": changed.tobytes(), "cut.flac": encoded(SOUND, "flac")[:-9000],
        "cut.m4a": encode("whole.m4a", SOUND, RATE).read_bytes()[:-3000], "text.mp3": b"ID3 is no tag" * 99,
        "cut.ogg": encoded(SOUND, "ogg")[:-3000], "cut.aac": muxed(SOUND, "aac", "adts")[:-300],
    }  # fmt: skip
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, (tmp_path / name for name in files))],
        capture_output=True,
        text=True,
        timeout=60,
    )
    # Python's own standard error still works.
    assert done.stderr == "still here\n"
    assert len(done.stdout.splitlines()) == len(files)


def test_a_recording_by_another_encoder_of_another_channel_count_is_named(tmp_path):
    path = tmp_path / "x.mp3"
    soundfile.write(path, np.stack([SOUND, SOUND], 1), RATE, format="MP3")
    samples, report = read(path, encoded(SOUND, "mp3") + path.read_bytes())
    assert (len(samples), report.status) == (len(SOUND), "partial")
    assert "16000 Hz and 2 channels follows" in report.reason


@pytest.mark.parametrize("kind", ["mp3", "mp2"])
@pytest.mark.parametrize("n_frames", [1, 7])
def test_whole_frames_of_zeros_are_named(tmp_path, kind, n_frames):
    data = muxed(
        SOUND,
        {"mp3": "libmp3lame"}.get(kind, kind),
        kind,
        **({"write_xing": "0", "id3v2_version": "0"} if kind == "mp3" else {}),
    )
    starts = frame_starts(data)
    low, high = starts[20], starts[20 + n_frames]
    samples, report = read(tmp_path / f"x.{kind}", data[:low] + bytes(high - low) + data[high:])
    assert len(samples) < len(SOUND) + 2304
    assert report.status == "partial"
    assert f"{high - low} bytes before byte {high} are zeros" in report.reason


@pytest.mark.parametrize("n_zeros", [4000, 30_000, 32_768, 65_536, 131_072])
@pytest.mark.parametrize("rate", [44100, 48000])
def test_zeros_between_two_recordings_and_behind_the_last_are_none_of_them(tmp_path, n_zeros, rate):
    data = muxed(SOUND, "mp2", "mp2", rate=rate)
    _, report = read(tmp_path / "x.mp2", data + bytes(n_zeros))
    assert report.status == "ok"
    samples, report = read(tmp_path / "x.mp2", data + bytes(n_zeros) + data)
    assert report.status == "ok"
    assert abs(len(samples) - 2 * len(SOUND)) <= 2304
    whole = encoded(SOUND, "mp3")
    samples, report = read(tmp_path / "x.mp3", whole + bytes(n_zeros) + whole)
    assert report.status == "ok"
    assert abs(len(samples) - 2 * len(SOUND)) <= 2304


@pytest.mark.parametrize("mark", [b"Info", b"VBRI"])
def test_a_file_cut_within_its_header_is_refused(tmp_path, mark):
    whole = bytearray(encoded(SOUND, "mp3"))
    at = header_at(bytes(whole)) if mark == b"Info" else 36
    whole[at : at + 4] = mark
    for n_bytes in range(4, at + 24):
        with pytest.raises(AudioError, match=r"x\.mp3"):
            read(tmp_path / "x.mp3", bytes(whole[:n_bytes]))
