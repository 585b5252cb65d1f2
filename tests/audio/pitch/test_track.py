import tracemalloc

import numpy as np
import pytest
from tests.audio.pitch.voices import by_both, harmonics, read, spoken_files

from ossicle.audio.pitch import track
from ossicle.audio.pitch.track import HOP_S, PitchTrack, track_f0


def cents(found, wanted):
    return 1200 * np.log2(found / wanted)


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize("hz", [55.0, 110.3, 221.7, 480.0])
@pytest.mark.parametrize("tilt", [0.0, 2.0])
def test_a_steady_voice_is_found_within_three_cents(rate, hz, tilt):
    pitch_track = track_f0(harmonics(np.full(rate // 2, hz), rate, tilt), rate)
    inner = pitch_track.f0_hz[3:-3]
    assert (inner > 0).all()
    assert np.abs(cents(inner, hz)).max() < 3.0


@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_moving_voice_is_followed_at_its_own_times(rate):
    times = np.arange(rate) / rate
    wanted = 180 + 60 * np.sin(2 * np.pi * 2 * times)
    pitch_track = track_f0(harmonics(wanted, rate), rate)
    inside = slice(3, -3)
    assert (pitch_track.f0_hz[inside] > 0).all()
    assert np.abs(cents(pitch_track.f0_hz, np.interp(pitch_track.times_s, times, wanted))[inside]).max() < 20


def test_voiced_stretches_begin_and_end_where_they_do():
    rate = 16000
    f0_hz = np.zeros(rate)
    f0_hz[4000:12000] = 150.0
    noisy = harmonics(f0_hz, rate) + 0.002 * np.random.default_rng(0).standard_normal(rate).astype(np.float32)
    pitch_track = track_f0(noisy, rate)
    voiced = pitch_track.times_s[pitch_track.f0_hz > 0]
    assert voiced[0] == pytest.approx(0.25, abs=0.025)
    assert voiced[-1] == pytest.approx(0.75, abs=0.025)
    assert np.abs(cents(pitch_track.f0_hz[30:70], 150)).max() < 5


@pytest.mark.parametrize("sound", ["silence", "offset", "noise", "click"])
def test_what_has_no_pitch_is_unvoiced(sound):
    rate, generator = 16000, np.random.default_rng(0)
    samples = {
        "silence": np.zeros(rate),
        "offset": np.full(rate, 0.5),
        "noise": 0.1 * generator.standard_normal(rate),
        "click": np.where(np.arange(rate) == 8000, 1.0, 0.0),
    }[sound]
    pitch_track = track_f0(samples.astype(np.float32), rate)
    assert np.mean(pitch_track.f0_hz > 0) < 0.03
    assert pitch_track.f0_hz[pitch_track.f0_hz <= 0].tolist() == [0.0] * int(np.sum(pitch_track.f0_hz <= 0))


def test_level_offset_and_clipping_change_little():
    rate = 16000
    plain = harmonics(np.full(rate // 2, 140.0), rate)
    loud = np.clip(plain / np.abs(plain).max() * 3, -1, 1)
    for samples in (1e-3 * plain, plain + 0.5, loud):
        pitch_track = track_f0(samples.astype(np.float32), rate)
        assert (pitch_track.f0_hz[3:-3] > 0).all()
        assert np.abs(cents(pitch_track.f0_hz[3:-3], 140)).max() < 5


def test_a_short_sound_has_frames_and_none_has_none():
    assert [len(track_f0(np.zeros(n, np.float32), 8000).f0_hz) for n in (0, 1, 79, 80, 81, 8000)] == [
        0, 1, 1, 2, 2, 101,
    ]  # fmt: skip
    assert track_f0(np.ones(1, np.float32), 8000).f0_hz.tolist() == [0.0]


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch):
    voice = harmonics(np.linspace(100, 200, 8000), 8000)
    whole = track_f0(voice, 8000)
    monkeypatch.setattr(track, "_BLOCK_FRAMES", 7)
    assert track_f0(voice, 8000).f0_hz.tolist() == whole.f0_hz.tolist()


def test_memory_is_that_of_a_block_and_little_for_each_frame():
    rate = 8000
    voice = np.tile(harmonics(np.full(rate, 120.0), rate), 120)
    track_f0(voice[:rate], rate)
    tracemalloc.start()
    track_f0(voice, rate)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Frames of two minutes at once would take 12,000 x 400 x (4 + 8 + 16) bytes, 134 MB.
    assert peak < 80e6


@pytest.mark.parametrize(
    ("samples", "words"),
    [(np.full(99, np.nan), "99 of 99 samples are not finite"), (np.zeros((2, 50)), "one channel")],
)
def test_samples_that_are_none_are_refused(samples, words):
    with pytest.raises(ValueError, match=words):
        track_f0(samples, 8000)


@pytest.mark.parametrize(("low_hz", "high_hz"), [(0, 500), (500, 50), (50, 3000)])
def test_a_range_that_does_not_fit_is_refused(low_hz, high_hz):
    with pytest.raises(ValueError, match="the range must rise"):
        track_f0(np.zeros(800), 8000, low_hz=low_hz, high_hz=high_hz)


def test_values_at_the_centres_of_unit_frames_lie_on_the_contour():
    times = np.arange(10) * HOP_S
    hz = np.array([0, 0, 100, 200, 200, 0, 0, 150, 150, 150], np.float32)
    pitch_track = PitchTrack(hz, np.where(hz > 0, 1.0, 0.0).astype(np.float32), times)
    at = pitch_track.at(np.array([0.0, 0.014, 0.016, 0.025, 0.0325, 0.044, 0.046, 0.08, 0.099, 0.5, -0.5]))
    wanted = [0, 0, 100, 100 * np.sqrt(2), 200, 200, 0, 150, 150, 0, 0]
    assert at.f0_hz == pytest.approx(wanted, rel=1e-5)
    assert at.voicing[[0, 3, 4]].tolist() == [0, 1, 1]
    nothing = track_f0(np.zeros(0), 8000).at(np.array([0.1, 0.2]))
    assert nothing.f0_hz.tolist() == [0, 0]


def test_centres_of_a_glide_are_between_its_frames():
    rate = 16000
    times = np.arange(rate) / rate
    wanted = 100 + 100 * times
    centres = 0.0125 + 0.02 * np.arange(49)
    pitch_track = track_f0(harmonics(wanted, rate), rate).at(centres)
    assert np.abs(cents(pitch_track.f0_hz[2:-2], (100 + 100 * centres)[2:-2])).max() < 5


def test_the_pitch_of_made_voices_is_that_of_pyin():
    rate, times = 16000, np.arange(8000) / 16000
    for seed in range(4):
        generator = np.random.default_rng(seed)
        low = generator.uniform(80, 250)
        voice = harmonics(low * (1 + 0.05 * np.sin(2 * np.pi * 3 * times)), rate, tilt=generator.uniform(0.5, 1.5))
        voice += (0.005 * generator.standard_normal(len(voice))).astype(np.float32)
        ours, theirs = by_both(voice, rate)
        both = (ours > 0) & (theirs > 0)
        assert both[5:-5].mean() > 0.95
        # pYIN has steps of 10 cents.
        assert np.median(np.abs(cents(ours[both], theirs[both]))) < 6


def test_the_pitch_of_real_speech_is_that_of_pyin(real_data):
    pairs = [by_both(*read(path)) for path in spoken_files(real_data)]
    one, other = (np.concatenate(side) for side in zip(*pairs, strict=True))
    both = (one > 0) & (other > 0)
    away = np.abs(cents(one[both], other[both]))
    assert both.sum() > 500
    assert np.median(away) < 10
    assert np.mean(away < 50) > 0.93
    assert np.mean(away > 600) < 0.01
    # pYIN calls more frames voiced than swift_f0 and than this tracker: benchmarks/bench_pitch.py.
    assert np.mean((one > 0) == (other > 0)) > 0.88
