"""Sound that is lost within a stream, as by a bad sector: the time stamps of the frames show where, and how much."""

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from statistics import median

import av

from ossicle.core.text.counting import counted

STAMPED_CONTAINERS = frozenset({"flac", "matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2", "ogg", "tta", "wv"})
"""FFmpeg's containers whose stamps say where in the recording a frame lies; in others FFmpeg only counts frames."""

# A step of nearly a frame is a lost one. Matroska counts milliseconds, and browsers stamp by a clock of their own.
_STEP_FRAMES = Fraction(3, 4)
_LEAST_STEP_S = {"matroska,webm": Fraction(1, 20)}
# One stamp may be late or early: only a step that so many frames keep is a loss.
_KEPT_FRAMES = 8
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
    begin
        The stamp that the first frame should have; None if any may be first.
    """

    def __init__(self, container: str, tick_s: Fraction, rate: int, n_stated: int, begin: int | None) -> None:
        self._tick_s, self._rate, self._n_stated = tick_s, rate, n_stated
        self._stamped = container in STAMPED_CONTAINERS
        self._least_s = _LEAST_STEP_S.get(container, Fraction(0))
        # How much later than by the lengths of all frames before the last ones were stamped.
        self._late_s: deque[Fraction] = deque([] if begin is None else [begin * tick_s], maxlen=_KEPT_FRAMES)
        self._first_s: Fraction | None = None
        self._n_steps, self._lost_s = 0, Fraction(0)

    def placed(self, frames: Iterator[av.AudioFrame]) -> Iterator[tuple[av.AudioFrame, int]]:
        """Yield each frame, and how many samples are missing before it."""
        if not self._stamped:
            yield from ((frame, 0) for frame in frames)
            return
        ahead: deque[tuple[av.AudioFrame, Fraction | None]] = deque()
        n_decoded = 0
        for frame in frames:
            # Next to damage a frame may lack its stamp; the following ones show what is lost.
            own_s = None if frame.pts is None else frame.pts * self._tick_s - Fraction(n_decoded, self._rate)
            ahead.append((frame, own_s))
            n_decoded += frame.samples
            if len(ahead) == _KEPT_FRAMES:
                yield self._next(ahead, n_decoded - sum(one.samples for one, _ in ahead))
        while ahead:
            yield self._next(ahead, n_decoded - sum(one.samples for one, _ in ahead))

    def _next(self, ahead: deque[tuple[av.AudioFrame, Fraction | None]], n_before: int) -> tuple[av.AudioFrame, int]:
        """Take the next frame, which ``n_before`` decoded samples precede."""
        kept_s = min((late_s for _, late_s in ahead if late_s is not None), default=None)
        frame, late_s = ahead.popleft()
        if late_s is None or kept_s is None:
            return frame, 0
        step_s = kept_s - median(self._late_s) if self._late_s else Fraction(0)
        self._late_s.append(late_s)
        if step_s < max(self._least_s, _STEP_FRAMES * Fraction(frame.samples, self._rate)):
            return frame, 0
        n_lost = round(step_s * self._rate)
        position_s = Fraction(n_before, self._rate) + self._lost_s
        if n_lost <= 0 or not self._believable(position_s, step_s):
            return frame, 0
        self._late_s.clear()
        self._late_s.append(late_s)
        self._n_steps += 1
        self._lost_s += step_s
        self._first_s = position_s if self._first_s is None else self._first_s
        return frame, n_lost

    def _believable(self, position_s: Fraction, step_s: Fraction) -> bool:
        """Return whether so much can be lost: chance bytes read as a stamp must not make a recording of days."""
        if self._n_stated:
            return position_s + step_s <= Fraction(self._n_stated, self._rate) + 1
        return self._lost_s + step_s <= _MOST_LOST_S

    @property
    def note(self) -> str:
        """What is missing, in words; empty if nothing is."""
        if self._first_s is None:
            return ""
        where = f"at {float(self._first_s):.3f} s" if self._n_steps == 1 else f"from {float(self._first_s):.3f} s on"
        places = "" if self._n_steps == 1 else f" in {counted(self._n_steps, 'place')}"
        return f"{float(self._lost_s):.3f} s of sound are lost {where}{places}, and are read as silence"
