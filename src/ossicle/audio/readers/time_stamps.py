"""Sound that is lost within a stream, as by a bad sector: the time stamps of the frames show where, and how much."""

from fractions import Fraction

import av

from ossicle.core.text.counting import counted

STAMPED_CONTAINERS = frozenset({"flac", "matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2", "ogg", "tta", "wv"})
"""FFmpeg's containers whose stamps say where in the recording a frame lies; in others FFmpeg only counts frames."""

# Browsers and phones stamp by a clock that is not the sound's: only a step of nearly a frame is a lost one.
_STEP_FRAMES = Fraction(3, 4)
_CLOCK_STEP_S = {"matroska,webm": Fraction(1, 20)}
# Of streams that state no length.
_MOST_LOST_S = 3600


class LostSound:
    """Find the steps in the time stamps of the frames of one stream.

    Parameters
    ----------
    container
        FFmpeg's name of the format.
    tick_s
        What the stamps count, in seconds.
    rate
        Samples per second.
    n_stated
        Samples of the stream as its container states them; 0 if it states none.
    """

    def __init__(self, container: str, tick_s: Fraction, rate: int, n_stated: int) -> None:
        self._tick_s, self._rate, self._n_stated = tick_s, rate, n_stated
        self._stamped = container in STAMPED_CONTAINERS
        self._least_s = _CLOCK_STEP_S.get(container, Fraction(0))
        self._expected_s: Fraction | None = None
        self._first_s: Fraction | None = None
        self._n_steps, self._lost_s = 0, Fraction(0)

    def before(self, frame: av.AudioFrame, position: int) -> int:
        """Return how many samples are missing before a frame.

        Parameters
        ----------
        frame
            The next frame.
        position
            The sample in the recording that the last frame ended with.
        """
        if not self._stamped:
            return 0
        length_s = Fraction(frame.samples, self._rate)
        # Next to damage a frame may lack its stamp; the next one shows what is lost.
        stamp_s = self._expected_s if frame.pts is None else frame.pts * self._tick_s
        if stamp_s is None:
            return 0
        step_s = Fraction(0) if self._expected_s is None else stamp_s - self._expected_s
        n_lost = round(step_s * self._rate)
        if not self._believable(position, n_lost):
            stamp_s, step_s = stamp_s - step_s, Fraction(0)
        self._expected_s = stamp_s + length_s
        if step_s <= 0 or step_s < max(self._least_s, _STEP_FRAMES * length_s):
            return 0
        self._n_steps += 1
        self._lost_s += step_s
        if self._first_s is None:
            self._first_s = Fraction(position, self._rate)
        return n_lost

    def _believable(self, position: int, n_lost: int) -> bool:
        """Return whether so much can be lost: chance bytes read as a stamp must not make a recording of days."""
        if self._n_stated:
            return position + n_lost <= self._n_stated + self._rate
        return self._lost_s * self._rate + n_lost <= _MOST_LOST_S * self._rate

    @property
    def note(self) -> str:
        """What is missing, in words; empty if nothing is."""
        if self._first_s is None:
            return ""
        where = f"at {float(self._first_s):.3f} s" if self._n_steps == 1 else f"from {float(self._first_s):.3f} s on"
        places = "" if self._n_steps == 1 else f" in {counted(self._n_steps, 'place')}"
        return f"{float(self._lost_s):.3f} s of sound are lost {where}{places}, and are read as silence"
