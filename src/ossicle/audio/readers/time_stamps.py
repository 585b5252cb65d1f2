"""Sound that is lost within a stream, as by a bad sector: the time stamps of the frames show where, and how much."""

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from statistics import median_low

import av

from ossicle.audio.readers.container_traits import ContainerTraits
from ossicle.core.text.counting import counted

# A step of nearly a frame is a lost one.
_STEP_FRAMES = Fraction(3, 4)
# One stamp may be late or early: only a step that so many frames keep is a loss.
_KEPT_FRAMES = 8
# Of streams that state no length.
_MOST_LOST_S = 3600


class LostSound:
    """Find the steps in the time stamps of the frames of one stream.

    Parameters
    ----------
    traits
        The container.
    tick_s
        What the stamps count, in seconds.
    rate
        Samples per second.
    n_stated
        Samples of the stream as its container states them; 0 if it states none.
    begin
        The stamp that the first frame should have; None if any may be first.
    """

    def __init__(self, traits: ContainerTraits, tick_s: Fraction, rate: int, n_stated: int, begin: int | None) -> None:
        self._per_tick, self._rate, self._n_stated = tick_s * rate, rate, n_stated
        self._stamped = traits.stamped
        self._least = round(traits.least_step_s * rate)
        # How many samples later than by the lengths of all frames before them the last frames were stamped.
        self._late: deque[int] = deque([] if begin is None else [self._samples(begin)], maxlen=_KEPT_FRAMES)
        self._first: int | None = None
        self._n_steps = self._n_lost = 0
        # By how much the stamps stepped back: a later step to where they were is no loss.
        self._n_back = 0

    def placed(self, frames: Iterator[av.AudioFrame]) -> Iterator[tuple[av.AudioFrame, int]]:
        """Yield each frame, and how many samples are missing before it."""
        if not self._stamped:
            yield from ((frame, 0) for frame in frames)
            return
        ahead: deque[tuple[av.AudioFrame, int | None]] = deque()
        n_read = n_given = 0
        for frame in frames:
            # Next to damage a frame may lack its stamp; the following ones show what is lost.
            ahead.append((frame, None if frame.pts is None else self._samples(frame.pts) - n_read))
            n_read += frame.samples
            if len(ahead) == _KEPT_FRAMES:
                yield ahead[0][0], self._before_next(ahead, n_given)
                n_given += ahead.popleft()[0].samples
        while ahead:
            yield ahead[0][0], self._before_next(ahead, n_given)
            n_given += ahead.popleft()[0].samples

    def _samples(self, stamp: int) -> int:
        return stamp * self._per_tick.numerator // self._per_tick.denominator

    def _before_next(self, ahead: deque[tuple[av.AudioFrame, int | None]], n_before: int) -> int:
        """Return how many samples are missing before the first frame ahead, which ``n_before`` decoded ones precede."""
        frame, late = ahead[0]
        if late is None:
            return 0
        least = max(self._least, frame.samples * _STEP_FRAMES.numerator // _STEP_FRAMES.denominator, 1)
        kept = [others for _, others in ahead if others is not None]
        if n_before and self._late and (n_back := median_low(self._late) - max(kept)) >= least:
            self._n_back += n_back
            self._late.clear()
        usual = median_low(self._late) if self._late and late - min(self._late) >= least else late
        n_lost = min(kept) - usual if late - usual >= least else 0
        if self._n_back and n_lost >= max(least, self._n_back - least):
            n_lost = max(0, n_lost - self._n_back)
            self._n_back = 0
            self._late.clear()
        if n_lost < least or not self._believable(n_before, n_lost):
            self._late.append(late)
            return 0
        self._late.clear()
        self._late.append(late)
        self._first = n_before + self._n_lost if self._first is None else self._first
        self._n_steps += 1
        self._n_lost += n_lost
        return n_lost

    def _believable(self, n_before: int, n_lost: int) -> bool:
        """Return whether so much can be lost: chance bytes read as a stamp must not make a recording of days."""
        if self._n_stated:
            return n_before + self._n_lost + n_lost <= self._n_stated + self._rate
        return self._n_lost + n_lost <= _MOST_LOST_S * self._rate

    @property
    def note(self) -> str:
        """What is missing, in words; empty if nothing is."""
        if self._first is None:
            return ""
        first_s = self._first / self._rate
        where = f"at {first_s:.3f} s" if self._n_steps == 1 else f"from {first_s:.3f} s on"
        places = "" if self._n_steps == 1 else f" in {counted(self._n_steps, 'place')}"
        return f"{self._n_lost / self._rate:.3f} s of sound are lost {where}{places}, and are read as silence"
