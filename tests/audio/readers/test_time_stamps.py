"""Steps in time stamps: how much silence they add."""

from fractions import Fraction

import av
import pytest

from ossicle.audio.readers.container_traits import traits_of_demuxer
from ossicle.audio.readers.time_stamps import LostSound

RATE, FRAME = 48000, 960


def silence_samples(late_frames, n_frames=1000):
    """Return how many samples are missing in all, where frame ``n`` is stamped ``late_frames(n)`` frames late."""

    def frames():
        for number in range(n_frames):
            frame = av.AudioFrame("flt", "mono", FRAME)
            frame.pts = (number + late_frames(number)) * FRAME
            yield frame

    lost_sound = LostSound(traits_of_demuxer("ogg"), Fraction(1, RATE), RATE, 0, 0)
    placed = list(lost_sound.placed(frames()))
    assert len(placed) == n_frames
    n_lost = sum(n for _, n in placed)
    assert (n_lost > 0) == bool(lost_sound.note)
    return n_lost


@pytest.mark.parametrize(
    ("late_frames", "n_lost"),
    [
        (lambda n: 0, 0),
        (lambda n: 50 * (n >= 300), 50),
        (lambda n: 50 * (n >= 300) + 20 * (n >= 600), 70),
        # Single late and early stamps are no step.
        (lambda n: 3 * (n % 40 == 20) - 3 * (n % 40 == 30), 0),
        # A page of an earlier or later place, as a card with an error repeats it, and several of them.
        (lambda n: -100 * (300 <= n < 340), 0),
        (lambda n: 100 * (300 <= n < 340), 100),
        (lambda n: 100 * (300 <= n < 340 or 500 <= n < 540 or 700 <= n < 740), 100),
        # Sound that is lost behind it counts all the same.
        (lambda n: -100 * (300 <= n < 340) + 50 * (n >= 600), 50),
        (lambda n: 100 * (300 <= n < 340) + 150 * (n >= 600), 150),
        (lambda n: -100 * (n >= 300) + 50 * (n >= 600), 50),
    ],
)
def test_silence_leads_no_further_than_the_stamps(late_frames, n_lost):
    assert silence_samples(late_frames) == n_lost * FRAME
