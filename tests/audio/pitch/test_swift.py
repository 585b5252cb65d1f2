import importlib.util

import numpy as np
import pytest
from tests.audio.pitch.voices import harmonics, read, spoken_files

from ossicle.audio.pitch import swift
from ossicle.audio.pitch.settings import SWIFT_F0, PitchSettings
from ossicle.audio.pitch.track import frame_times, track_f0
from ossicle.audio.pitch.trackers import pitch_tracker, tracker_version
from ossicle.core.errors import UsageError

installed = pytest.mark.skipif(importlib.util.find_spec("swift_f0") is None, reason="swift_f0 is not installed")
SWIFT = PitchSettings(tracker=SWIFT_F0)


def test_the_own_tracker_needs_nothing_and_takes_the_range():
    voice = harmonics(np.full(4000, 120.0), 8000)
    pitch_track = pitch_tracker(PitchSettings(low_hz=80.0, high_hz=300.0))(voice, 8000)
    assert pitch_track.f0_hz.tolist() == track_f0(voice, 8000, low_hz=80.0, high_hz=300.0).f0_hz.tolist()
    assert tracker_version(PitchSettings()) == "yin 1"


def test_a_missing_package_is_named_with_both_remedies(monkeypatch):
    monkeypatch.setattr(swift, "_PACKAGE", "no_such_package_here")
    for ask in (lambda: pitch_tracker(SWIFT), lambda: tracker_version(SWIFT)):
        with pytest.raises(UsageError, match=r"pip install 'ossicle\[pitch\]', or set tracker = 'yin'"):
            ask()


def test_a_range_that_the_network_lacks_is_refused():
    with pytest.raises(UsageError, match="or set tracker = 'yin'"):
        pitch_tracker(PitchSettings(tracker=SWIFT_F0, low_hz=30.0))


def test_a_range_without_room_for_a_voice_is_refused():
    with pytest.raises(ValueError, match=r"at least 1\.5 times"):
        PitchSettings(low_hz=300.0, high_hz=400.0)


@installed
@pytest.mark.parametrize("rate", [8000, 16000])
def test_swift_f0_finds_a_made_voice_on_the_same_grid(rate):
    times = np.arange(rate) / rate
    wanted = 180 + 30 * np.sin(2 * np.pi * 2 * times)
    pitch_track = pitch_tracker(SWIFT)(harmonics(wanted, rate), rate)
    assert pitch_track.times_s.tolist() == frame_times(rate, rate).tolist()
    inner = pitch_track.f0_hz[5:-5]
    assert (inner > 0).all()
    assert np.abs(1200 * np.log2(inner / np.interp(pitch_track.times_s, times, wanted)[5:-5])).max() < 40


@installed
@pytest.mark.parametrize("n", [0, 1, 100, 3000])
def test_swift_f0_calls_silence_unvoiced_however_short(n):
    pitch_track = pitch_tracker(SWIFT)(np.zeros(n, np.float32), 16000)
    assert pitch_track.f0_hz.tolist() == [0.0] * len(frame_times(n, 16000))


@installed
def test_swift_f0_refuses_what_is_no_sound():
    with pytest.raises(ValueError, match="1 of 2 samples are not finite"):
        pitch_tracker(SWIFT)(np.array([0.0, np.nan]), 16000)


@installed
def test_both_trackers_agree_on_real_speech(real_data):
    tracker = pitch_tracker(SWIFT)
    ours, theirs = [], []
    for path in spoken_files(real_data):
        samples, rate = read(path)
        ours.append(track_f0(samples, rate).f0_hz)
        theirs.append(tracker(samples, rate).f0_hz)
    one, other = np.concatenate(ours), np.concatenate(theirs)
    both = (one > 0) & (other > 0)
    away = np.abs(1200 * np.log2(one[both] / other[both]))
    assert both.sum() > 500
    assert np.median(away) < 20
    assert np.mean(away > 600) < 0.02
    assert np.mean((one > 0) == (other > 0)) > 0.8
