"""Bytes that are lost within a recording, as by a bad sector: what follows keeps its time."""

import io

import av
import numpy as np
import pytest

from ossicle.audio.decoding.decode import AudioSource
from ossicle.core.errors import AudioError

from ..audio_bytes import encoded, muxed, noise

RATE, SECONDS = 48000, 20
HOLE = 3000
# How each is written, and the rate; WavPack and TTA check their blocks, MP4 shows a lost frame by its time stamps.
KINDS = {
    "flac": (None, RATE), "ogg": (None, RATE), "opus": (None, RATE), "oga": (("flac", "ogg"), RATE),
    "webm": (("libopus", "webm"), RATE), "mka": (("flac", "matroska"), RATE), "m4a": (("aac", "ipod"), RATE),
    "tta": (("tta", "tta"), RATE), "wv": (("wavpack", "wv"), RATE),
}  # fmt: skip
LOSSLESS = {"flac", "oga", "mka", "tta", "wv"}


@pytest.fixture(scope="module")
def files():
    """A recording of each kind, made when it is first asked for."""
    made: dict[str, bytes] = {}
    rng = np.random.default_rng(0)
    time_s = np.arange(SECONDS * RATE) / RATE
    sweep = 0.4 * np.sin(2 * np.pi * (300 * time_s + 40 * time_s**2)) + 0.02 * rng.standard_normal(len(time_s))

    def file_of(kind: str) -> bytes:
        if kind not in made:
            how, rate = KINDS[kind]
            samples = sweep.astype(np.float32)
            made[kind] = encoded(samples, kind, rate) if how is None else muxed(samples, *how, rate)
        return made[kind]

    return file_of


def decoded(path, data, **crop):
    path.write_bytes(data)
    source = AudioSource(path)
    blocks = list(source.blocks(**crop))
    return (np.concatenate(blocks)[:, 0] if blocks else np.zeros(0, np.float32)), source.report


def damaged(data: bytes, at: float, filling: str) -> bytes:
    place = int(len(data) * at)
    lost = bytes(HOLE) if filling == "zeros" else np.random.default_rng(1).bytes(HOLE)
    return data[:place] + lost + data[place + HOLE :]


@pytest.mark.parametrize("filling", ["zeros", "chance"])
@pytest.mark.parametrize("at", [0.3, 0.6])
@pytest.mark.parametrize("kind", KINDS)
def test_what_follows_a_hole_keeps_its_time_and_the_hole_is_named(tmp_path, files, kind, at, filling):
    data = files(kind)
    reference, report = decoded(tmp_path / f"whole.{kind}", data)
    assert report.status == "ok"
    samples, report = decoded(tmp_path / f"hole.{kind}", damaged(data, at, filling))
    assert report.status == "partial"
    assert "s of sound are lost" in report.reason
    assert abs(len(samples) - len(reference)) <= 2048
    tolerance = 0 if kind in LOSSLESS else 2e-3
    n_before = int((at - 0.15) * len(reference))
    first_after = int((at + 0.25) * len(reference))
    n_common = min(len(samples), len(reference)) - 4096
    np.testing.assert_allclose(samples[:n_before], reference[:n_before], atol=tolerance)
    np.testing.assert_allclose(samples[first_after:n_common], reference[first_after:n_common], atol=tolerance)


@pytest.mark.parametrize("kind", ["flac", "ogg", "opus", "tta", "wv", "mka", "webm"])
def test_sound_that_is_lost_at_the_beginning_moves_nothing(tmp_path, files, kind):
    data = files(kind)
    reference, _ = decoded(tmp_path / f"whole.{kind}", data)
    # Behind the heads, which hold nothing else.
    place = 9000
    samples, report = decoded(tmp_path / f"hole.{kind}", data[:place] + bytes(HOLE) + data[place + HOLE :])
    assert report.status == "partial"
    assert "s of sound are lost at " in report.reason
    n_common = min(len(samples), len(reference)) - 4096
    assert n_common > 19 * RATE
    tolerance = 0 if kind in LOSSLESS else 2e-3
    np.testing.assert_allclose(samples[6 * RATE : n_common], reference[6 * RATE : n_common], atol=tolerance)


@pytest.mark.parametrize("kind", ["flac", "ogg", "webm", "m4a"])
def test_crops_of_a_recording_with_a_hole_equal_those_of_the_whole(tmp_path, files, kind):
    data = damaged(files(kind), 0.5, "zeros")
    path = tmp_path / f"hole.{kind}"
    reference, _ = decoded(path, data)
    # Not within the hole of FLAC: libFLAC then takes the next frame for the one that was asked for.
    within = () if kind == "flac" else (10.0, 10.1)
    for start_s in (0.0, 8.0, 9.4, *within, 12.0, 15.0):
        start = int(start_s * RATE)
        crop, _ = decoded(path, data, start_sample=start, n_samples=RATE)
        np.testing.assert_allclose(crop, reference[start : start + RATE], atol=2e-3)


def test_webm_whose_last_clusters_are_damaged_is_partial(tmp_path, files):
    data = files("webm")
    place = int(0.7 * len(data))
    samples, report = decoded(tmp_path / "x.webm", data[:place] + bytes(len(data) - place))
    assert report.status == "partial"
    assert f"decoding ends at {len(samples) / RATE:.3f} s of 20.0" in report.reason


@pytest.mark.parametrize(("offset", "value"), [(16, 3_003_895_310), (20, 3_003_895_310), (20, 0)])
def test_absurd_rates_and_channels_in_a_header_are_named(tmp_path, offset, value):
    data = bytearray(encoded(np.zeros(1000, np.float32), "au", 16000))
    data[offset : offset + 4] = value.to_bytes(4, "big")
    with pytest.raises(AudioError, match=r"x\.au: (the header is damaged|not audio)"):
        decoded(tmp_path / "x.au", bytes(data))


def test_mp3_that_lacks_frames_behind_its_header_is_partial(tmp_path):
    # So much is lost that libsndfile refuses the file; FFmpeg finds the next frames without an error.
    data = encoded(np.random.default_rng(0).normal(0, 0.1, 6 * 16000).astype(np.float32), "mp3", 16000)
    samples, report = decoded(tmp_path / "x.mp3", data[:447] + bytes(5000) + data[5447:])
    assert len(samples) < 5.5 * 16000
    assert report.status == "partial"


def stamped(kind: str, late_ms) -> bytes:
    """Return 20 s of Opus or AAC whose packets are stamped later than they begin, by ``late_ms(number)``."""
    codec, container = {"webm": ("libopus", "webm"), "m4a": ("aac", "ipod")}[kind]
    target = io.BytesIO()
    with (
        av.open(io.BytesIO(muxed(noise(20 * RATE), codec, container, RATE))) as source,
        av.open(target, "w", format=container) as copy,
    ):
        stream = copy.add_stream_from_template(source.streams.audio[0])
        last = None
        for number, packet in enumerate(source.demux(source.streams.audio[0])):
            if packet.dts is None:
                continue
            late = round(late_ms(number) / 1000 / packet.time_base)
            stamp = packet.pts + late if last is None else max(packet.pts + late, last + 1)
            packet.pts = packet.dts = last = stamp
            packet.stream = stream
            copy.mux(packet)
    return target.getvalue()


@pytest.mark.parametrize(("kind", "late_ms"), [("webm", 60), ("m4a", 20), ("m4a", 30)])
def test_single_late_stamps_are_no_lost_sound(tmp_path, kind, late_ms):
    samples, report = decoded(tmp_path / f"x.{kind}", stamped(kind, lambda number: late_ms * (number % 25 == 24)))
    assert (report.status, report.reason) == ("ok", "")
    assert abs(len(samples) - 20 * RATE) <= 4096


def test_a_pause_that_all_later_stamps_keep_is_silence(tmp_path):
    samples, report = decoded(tmp_path / "x.webm", stamped("webm", lambda number: 1500 * (number >= 500)))
    assert "1.500 s of sound are lost at " in report.reason
    assert abs(len(samples) - 21.5 * RATE) <= 4096


def test_webm_whose_sound_begins_late_is_whole(tmp_path):
    _, report = decoded(tmp_path / "x.webm", stamped("webm", lambda number: 1000))
    assert (report.status, report.reason) == ("ok", "")


def test_a_crop_of_m4a_within_a_long_hole_is_silent(tmp_path, files):
    data = files("m4a")
    place = int(0.3 * len(data))
    hole = data[:place] + bytes(int(0.35 * len(data))) + data[place + int(0.35 * len(data)) :]
    reference, _ = decoded(tmp_path / "x.m4a", hole)
    for start_s in (8.0, 12.0, 12.5):
        crop, _ = decoded(tmp_path / "x.m4a", hole, start_sample=int(start_s * RATE), n_samples=RATE)
        expected = reference[int(start_s * RATE) : int((start_s + 1) * RATE)]
        assert len(crop) == len(expected)
        # The first frame behind the hole overlaps with what was decoded before it.
        assert np.count_nonzero(np.abs(crop - expected) > 2e-3) <= 1024
    assert not crop[: RATE // 4].any()


def test_a_cut_flac_of_unknown_length_is_partial(tmp_path, files):
    # FFmpeg, which goes on where libsndfile fails, ends without an error here.
    data = bytearray(files("flac"))
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    assert decoded(tmp_path / "whole.flac", bytes(data))[1].status == "ok"
    _, report = decoded(tmp_path / "cut.flac", bytes(data[: len(data) * 6 // 10]))
    assert report.status == "partial"
