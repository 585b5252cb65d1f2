import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ossicle.audio.recorder.audiomoth import read_comment
from ossicle.audio.recorder.guano import read_guano
from ossicle.audio.recorder.metadata import expansion_words, recorder_metadata, start_of, time_expansion_of
from ossicle.audio.recorder.wamd import read_wamd

from ..audio_bytes import chunk, noise, pcm, riff, wave_format

SOUND = pcm(noise(2000))
GUANO = (
    "GUANO|Version: 1.0\nTimestamp: 2026-06-08T22:00:00+02:00\nTE: 10\nSamplerate: 160000\nLoc Position: 46.5 -8.25\n"
    "Temperature Ext: 14.5\nStation: Wood 3\nMake: Pettersson\nModel: D500X\nSerial: 17\n"
)


def entry(number: int, value: bytes) -> bytes:
    return struct.pack("<HI", number, len(value)) + value


WAMD = (
    entry(0, b"\1\0")
    + entry(1, b"SM4BAT")
    + entry(2, b"S4U01234")
    + entry(4, b"MARSH")
    + entry(5, b"2020-05-01 21:00:00-05:00")
    + entry(6, b"WGS84,42.5,N,71.25,W,120")
    + entry(0x0F, b"\x08\0")
    + entry(0x15, b"18.5C")
)
COMMENT = (
    "Recorded at 19:17:30 08/06/2020 (UTC+10) by AudioMoth 24F31901603710B4 at medium gain setting while battery state "
    "was 4.1V and temperature was -3.5C."
)


def wav(*before: bytes, after: tuple[bytes, ...] = (), magic: bytes = b"RIFF") -> bytes:
    samples = chunk(b"data", SOUND)
    if magic != b"RIFF":
        before = (chunk(b"ds64", struct.pack("<QQQI", 0, len(SOUND), 0, 0)), *before)
        samples = chunk(b"data", SOUND, stated=0xFFFFFFFF)
    return riff(*before, chunk(b"fmt ", wave_format()), samples, *after, magic=magic)


@pytest.mark.parametrize("magic", [b"RIFF", b"RF64", b"BW64"])
@pytest.mark.parametrize("place", ["before", "after"])
def test_metadata_are_found_before_and_behind_the_samples(tmp_path, magic, place):
    path = tmp_path / "x.wav"
    guano = chunk(b"guan", GUANO.encode())
    path.write_bytes(wav(guano, magic=magic) if place == "before" else wav(after=(guano,), magic=magic))
    metadata = recorder_metadata(path)
    assert start_of(metadata.start) == "2026-06-08T22:00:00+02:00"
    assert (metadata.site, metadata.latitude, metadata.longitude, metadata.temperature_c) == (
        "Wood 3",
        46.5,
        -8.25,
        14.5,
    )
    assert (metadata.time_expansion, metadata.recorder) == (10.0, "Pettersson D500X 17")
    assert time_expansion_of(path) == 10.0


def test_wamd():
    wamd = read_wamd(WAMD)
    assert start_of(wamd.start) == "2020-05-01T21:00:00-05:00"
    assert (wamd.site, wamd.latitude, wamd.longitude, wamd.temperature_c) == ("MARSH", 42.5, -71.25, 18.5)
    assert (wamd.time_expansion, wamd.recorder) == (8.0, "SM4BAT S4U01234")


@pytest.mark.parametrize(
    ("comment", "start", "temperature_c"),
    [
        (COMMENT, "2020-06-08T19:17:30+10:00", -3.5),
        ("Recorded at 05:00:00 01/05/2020 (UTC) by AudioMoth 24F31901603710B4 at gain setting 2 while battery state "
         "was 3.6V", "2020-05-01T05:00:00+00:00", None),
        ("Recorded at 05:00:00.250 01/05/2020 (UTC-3:30) by HydroMoth 24F31901603710B4 during deployment "
         "A1B2C3D4E5F60718 at medium gain while battery was greater than 4.9V and temperature was 21.3C.",
         "2020-05-01T05:00:00-03:30", 21.3),
        ("Recorded at 25:00:00 01/05/2020 (UTC) by AudioMoth", "", None),
        ("a comment of somebody", "", None),
    ],
)  # fmt: skip
def test_comments_of_audiomoths(comment, start, temperature_c):
    metadata = read_comment(comment.encode())
    assert (start_of(metadata.start), metadata.temperature_c) == (start, temperature_c)


def test_a_comment_is_read_from_its_file_and_the_first_source_counts(tmp_path):
    path = tmp_path / "x.wav"
    info = chunk(b"LIST", b"INFO" + chunk(b"IART", b"AudioMoth 24F3") + chunk(b"ICMT", COMMENT.encode()))
    path.write_bytes(wav(info))
    metadata = recorder_metadata(path)
    assert start_of(metadata.start) == "2020-06-08T19:17:30+10:00"
    assert (metadata.temperature_c, metadata.recorder) == (-3.5, "AudioMoth 24F31901603710B4")
    path.write_bytes(wav(info, after=(chunk(b"wamd", WAMD), chunk(b"guan", b"GUANO|Version: 1.0\nTE: 1\n"))))
    metadata = recorder_metadata(path)
    assert (metadata.time_expansion, metadata.site, metadata.temperature_c) == (1.0, "MARSH", 18.5)
    # An expansion of one is none.
    assert time_expansion_of(path) is None


@pytest.mark.parametrize(
    "text", ["TE: ", "TE: 0", "TE: -5", "TE: ten", "TE: 1e9", "Timestamp: yesterday", "Loc Position: 95 10",
             "Loc Position: 46", "Temperature Ext: 400", "Station: \x00\x1b", "no colon", ""]
)  # fmt: skip
def test_what_cannot_be_understood_is_passed_over(text):
    assert read_guano(f"GUANO|Version: 1.0\n{text}\n".encode()).known == {}


def test_names_hold_no_control_characters_and_have_a_length():
    metadata = read_guano("Station: \x1b[31mWood\u202e 3\x07\nModel: ".encode() + b"m" * 5000)
    assert metadata.site == "[31mWood 3"
    assert len(metadata.recorder) == 100


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from([b"guan", b"wamd", b"LIST"]), content=st.binary(max_size=400), cut=st.integers(0, 60))
def test_any_bytes_are_read_or_passed_over(tmp_path, name, content, cut):
    path = tmp_path / "x.wav"
    body = b"INFO" + content if name == b"LIST" else content
    data = wav(after=(chunk(name, body),))
    path.write_bytes(data[: len(data) - cut])
    recorder_metadata(path)
    for read in (read_guano, read_wamd, read_comment):
        read(content)


def test_other_files_say_nothing(tmp_path):
    path = tmp_path / "x.flac"
    for content in (b"", b"fLaC" + bytes(100), b"RIFF\0\0\0\0AVI ", wav()):
        path.write_bytes(content)
        assert recorder_metadata(path).known == {}
    assert time_expansion_of(tmp_path / "gone.wav") is None


def test_the_words_of_an_expansion():
    assert expansion_words(10.0) == (
        "slowed down 10 times: its times are 10 times as long, and its frequencies 1/10 of those that were recorded"
    )
