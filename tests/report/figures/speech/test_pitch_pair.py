import numpy as np
from tests.metrics.speech.pairs import made_pairs

from ossicle.audio.pitch.track import PitchTrack, track_f0
from ossicle.report.figures.speech.pitch_pair import Sound, line_of, pair_figures
from ossicle.report.figures.style import svg

RATE = 8000


def track(hz):
    values = np.array(hz, np.float32)
    return PitchTrack(values, (values > 0).astype(np.float32), np.arange(len(values)) / 100)


def test_all_pictures_of_a_pair_have_the_same_axes_and_both_contours():
    one, other = next(made_pairs(1, RATE))
    sounds = [Sound(one, track_f0(one, RATE)), Sound(other[:-400], track_f0(other[:-400], RATE))]
    first, second = pair_figures(sounds, RATE)
    for upper, lower in zip(first.axes, second.axes, strict=True):
        assert upper.get_xlim() == lower.get_xlim() == (0, max(len(one), len(other) - 400) / RATE)
        assert upper.get_ylim() == lower.get_ylim()
    assert [len(one.axes[1].lines) for one in (first, second)] == [1, 2]
    assert svg(first) == svg(pair_figures(sounds, RATE)[0])


def test_a_faint_copy_is_paler_and_not_as_dark_as_the_recording():
    one, _ = next(made_pairs(1, RATE))
    first, second = pair_figures([Sound(one, None), Sound(one * np.float32(0.01), None)], RATE)
    grey = [figure.axes[0].images[0].get_array().min() for figure in (first, second)]
    assert grey[0] == 0
    assert grey[1] > 100


def test_lines_break_at_unvoiced_frames_and_at_jumps_of_an_octave():
    times, hz = line_of(track([0, 100, 110, 220, 0, 200]))
    assert np.isnan(hz).tolist() == [True, False, False, True, False, True, False]
    assert len(times) == 7
    assert (np.diff(times) >= 0).all()


def test_silence_and_nothing_are_drawn():
    for sounds in ([Sound(np.zeros(800, np.float32), track([0] * 11))], [Sound(np.zeros(0, np.float32), None)]):
        axes = pair_figures(sounds, RATE)[0].axes
        assert axes[1].get_ylim() == (60.0, 400.0)
