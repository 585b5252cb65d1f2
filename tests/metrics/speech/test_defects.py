import numpy as np
import pytest
from tests.audio.pitch.voices import read, spoken_files
from tests.metrics.speech.pairs import made_pairs

from ossicle.metrics.speech.defects import clicks, clipped_samples, has_offset, offset

RATE = 16000


@pytest.fixture(scope="module")
def voices():
    return [voice for voice, _ in made_pairs(6)]


def test_speech_without_defects_has_none(voices):
    for voice in voices:
        assert not len(clicks(voice, RATE, np.arange(320, len(voice), 320)))
        assert not has_offset(voice)
        assert clipped_samples(voice) == 0


def test_a_step_where_two_parts_meet_is_a_click(voices):
    for voice in voices:
        seams = np.arange(320, len(voice) - 320, 320)
        broken = voice.copy()
        # Three times the sharpest bend of the voice itself, near the seam or not.
        broken[seams[3] :] += np.float32(3 * np.abs(np.diff(voice, n=2)).max())
        assert clicks(broken, RATE, seams).tolist() == [seams[3]]


def test_a_lost_stretch_of_a_tone_is_a_click_and_a_faded_one_is_not():
    tone = (0.3 * np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE)).astype(np.float32)
    cut = np.concatenate([tone[:8000], tone[8020:]])
    assert clicks(cut, RATE, np.array([4000, 8000, 12000])).tolist() == [8000]
    fade = np.linspace(0, 1, 160, dtype=np.float32)
    faded = np.concatenate([tone[:8000], tone[8000:8160] * (1 - fade) + tone[8020:8180] * fade, tone[8180:]])
    assert not len(clicks(faded, RATE, np.array([8000, 8160])))


def test_a_click_in_silence_is_heard_and_noise_of_rounding_is_not():
    silence = np.zeros(4000, np.float32)
    silence[2000:] = 2e-3
    assert clicks(silence, RATE, np.array([1000, 2000])).tolist() == [2000]
    silence[2000:] = 2e-5
    assert not len(clicks(silence, RATE, np.array([2000])))


def test_seams_at_the_ends_are_looked_at():
    silence = np.zeros(100, np.float32)
    assert not len(clicks(silence, RATE, np.array([0, 1, 99, 100])))
    assert not len(clicks(silence[:1], RATE, np.array([0])))


def test_an_offset_is_found(voices):
    for voice in voices:
        moved = voice + np.float32(0.02)
        assert offset(moved) == pytest.approx(0.02, abs=2e-3)
        assert has_offset(moved)
    assert not has_offset(np.zeros(0, np.float32))
    assert not has_offset(np.full(100, 1e-4, np.float32))


def test_clipping_is_found_at_full_scale_and_below(voices):
    loud = (3 * voices[0] / np.abs(voices[0]).max()).astype(np.float32)
    beyond = int((np.abs(loud) >= 1).sum())
    assert beyond >= 3
    assert clipped_samples(np.clip(loud, -1, 1)) >= beyond
    assert clipped_samples(0.5 * np.clip(loud, -1, 1)) >= 3
    assert clipped_samples(np.zeros(50, np.float32)) == 0


@pytest.mark.parametrize("function", [offset, has_offset, clipped_samples, lambda x: clicks(x, RATE, np.array([1]))])
def test_samples_that_are_no_numbers_are_refused(function):
    with pytest.raises(ValueError, match="not finite"):
        function(np.array([0.0, np.inf, 0.0]))


def test_few_places_of_recordings_sound_like_clicks(real_data):
    places = n_clicks = 0
    for path in spoken_files(real_data):
        samples, rate = read(path)
        seams = np.arange(rate // 50, len(samples), rate // 50)
        places, n_clicks = places + len(seams), n_clicks + len(clicks(samples, rate, seams))
    # Lips and bursts do: 9 of 12,650 places in both corpora.
    assert places > 500
    assert n_clicks <= places / 200
