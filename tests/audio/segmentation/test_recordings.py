"""Segments of files: whole samples at the file's own rate, the same in every format, partial and unreadable files."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ossicle.audio.segmentation.recordings import segment_recording
from ossicle.audio.segmentation.settings import SegmentSettings
from ossicle.core.errors import AudioError


def speech(rate: int) -> np.ndarray:
    """Return 3 s of a tone, 1 s of silence and 4 s of a tone."""
    times = np.arange(8 * rate) / rate
    tone = 0.3 * np.sin(2 * np.pi * 300 * times)
    tone[3 * rate : 4 * rate] = 0
    return tone.astype(np.float32)


@pytest.mark.parametrize(("name", "rate"), [("a.wav", 16000), ("a.flac", 44100), ("a.ogg", 22050), ("a.mp3", 48000)])
def test_segments_are_whole_samples_of_any_format(tmp_path: Path, name: str, rate: int) -> None:
    soundfile.write(tmp_path / name, speech(rate), rate)
    recording = segment_recording(tmp_path / name, SegmentSettings())
    assert [segment.start_s for segment in recording.segments] == pytest.approx([0.0, 3.9], abs=0.04)
    assert [segment.end_s for segment in recording.segments] == pytest.approx([3.1, 8.0], abs=0.08)
    assert recording.segments[-1].end_s == recording.duration_s
    for segment in recording.segments:
        for time_s in (segment.start_s, segment.end_s):
            assert time_s * rate == pytest.approx(round(time_s * rate), abs=1e-6)
        assert segment.peak_db == pytest.approx(-13.5, abs=0.3)
    assert recording.threshold_db == pytest.approx(recording.loudest_db - 40, abs=0.01)


def test_a_truncated_file_is_used_as_far_as_it_decodes(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", speech(16000), 16000)
    whole = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(whole[: 5 * 32000])
    recording = segment_recording(tmp_path / "a.wav", SegmentSettings())
    assert recording.partial
    assert recording.segments[-1].end_s == recording.duration_s == pytest.approx(5, abs=0.01)


def test_silence_is_left_out_with_the_reason(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(16000, np.float32), 16000)
    recording = segment_recording(tmp_path / "a.wav", SegmentSettings())
    assert recording.segments == ()
    assert recording.left_out == "no frame reaches -90.0 dBFS (the loudest: -120.0 dBFS)"


def test_what_is_no_audio_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no audio")
    with pytest.raises(AudioError, match=r"a\.wav"):
        segment_recording(tmp_path / "a.wav", SegmentSettings())


def test_given_segments_keep_their_times_and_end_with_the_recording(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", speech(44100), 44100)
    settings = SegmentSettings(by="table", table="t.csv")
    times = [(0.5, 1.25), (44101 / 44100, 2.0), (7.0, 9.0), (8.5, 9.5)]
    recording = segment_recording(tmp_path / "a.wav", settings, given=times)
    assert [(segment.start_s, segment.end_s) for segment in recording.segments] == [
        (0.5, 1.25),
        (44101 / 44100, 2.0),
        (7.0, 8.0),
    ]
    assert {segment.cut for segment in recording.segments} == {"given"}
    (whole,) = segment_recording(tmp_path / "a.wav", SegmentSettings(by="files")).segments
    assert (whole.start_s, whole.end_s, whole.cut) == (0.0, 8.0, "given")


def test_rows_of_a_table_that_are_no_segments_are_said_and_cost_no_other(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", speech(8000), 8000)
    given = [(0.0, 3.0), (5.0, 5.0), (6.0, 6.02), (7.0, 8.0004), (7.5, 20.0), (8.0, 9.0), (100.0, 101.0)]
    recording = segment_recording(tmp_path / "a.wav", SegmentSettings(by="table", table="t.csv"), given=given)
    assert [(segment.start_s, segment.end_s) for segment in recording.segments] == [(0.0, 3.0), (7.0, 8.0), (7.5, 8.0)]
    assert recording.lost == (
        "the segment at 7.5 s ends after the recording, at 8 s, and was cut off there",
        "the segment at 5 s has no length",
        "the segment at 6 s is shorter than a frame of 25 ms",
        "the segment at 8 s begins after the recording ends, at 8 s",
        "the segment at 100 s begins after the recording ends, at 8 s",
    )
    assert recording.left_out == ""


def test_a_file_shorter_than_a_frame_has_no_segment_and_the_reason(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", speech(16000)[1000:1160], 16000)
    for settings in (SegmentSettings(), SegmentSettings(by="files")):
        recording = segment_recording(tmp_path / "a.wav", settings)
        assert (recording.segments, recording.left_out) == ((), "the segment at 0 s is shorter than a frame of 25 ms")
