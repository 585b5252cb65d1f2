"""Smoothing of one label's scores over time, block by block.

The median is centred, with the first and last score repeated beyond the ends, so it delays a stream by half its length.
The exponential moving average is causal: ``y[0] = x[0]``, ``y[k] = a x[k] + (1 - a) y[k-1]`` with ``a = 2 / (span +
1)``. Both give identical bits for any block sizes.
"""

import numpy as np
import scipy
from numpy.typing import NDArray

from ossicle.core.decisions.decision import Decision

Column = NDArray[np.float32]


class Smoother:
    """The smoothing of one decision with its carried state; returns each smoothed score beside its raw one."""

    def __init__(self, decision: Decision) -> None:
        self._kind = decision.smoothing if decision.smoothing_frames > 1 else "none"
        self._frames = decision.smoothing_frames
        self._half = self._frames // 2 if self._kind == "median" else 0
        self._tail: Column = np.zeros(0, dtype=np.float32)
        self._level = np.zeros(1)
        self._begun = False

    @property
    def delay_frames(self) -> int:
        """Number of frames by which a smoothed score comes later than the raw one."""
        return self._half

    def feed(self, raw: Column) -> tuple[Column, Column]:
        """Add the next scores, float32 (n,); return (raw, smoothed) of the frames now known, of equal lengths."""
        if len(raw) == 0:
            return raw, raw
        if self._kind == "none":
            return raw, raw
        if self._kind == "ema":
            return raw, self._average(raw)
        if not self._begun:
            self._begun = True
            self._tail = np.repeat(raw[:1], self._half)
        return self._median(raw)

    def finish(self) -> tuple[Column, Column]:
        """Return (raw, smoothed) of the frames that waited for the end."""
        if not self._begun or self._half == 0:
            return self._tail[:0], self._tail[:0]
        return self._median(np.repeat(self._tail[-1:], self._half))

    def _average(self, raw: Column) -> Column:
        gain = 2 / (self._frames + 1)
        if not self._begun:
            self._begun = True
            self._level = np.array([(1 - gain) * float(raw[0])])
        smoothed, self._level = scipy.signal.lfilter([gain], [1.0, gain - 1.0], raw.astype(np.float64), zi=self._level)
        return np.asarray(smoothed, dtype=np.float32)

    def _median(self, raw: Column) -> tuple[Column, Column]:
        known = np.concatenate([self._tail, raw])
        whole = len(known) - 2 * self._half
        if whole <= 0:
            self._tail = known
            return known[:0], known[:0]
        self._tail = known[whole:]
        centres = slice(self._half, self._half + whole)
        return known[centres], running_median(known, self._frames)[centres]


def running_median(scores: Column, frames: int) -> Column:
    """Return the centred running median of odd length ``frames``, same shape; only whole windows are meant to be
    used.
    """
    if frames == 3:
        before, here, after = scores[:-2], scores[1:-1], scores[2:]
        middle = np.maximum(np.minimum(before, here), np.minimum(np.maximum(before, here), after))
        return np.concatenate([scores[:1], middle, scores[-1:]])
    smoothed: Column = scipy.ndimage.median_filter(scores, size=frames, mode="nearest")
    return smoothed


def smooth(raw: Column, decision: Decision) -> Column:
    """Return all smoothed scores of one label of one recording: float32, (n_frames,) to (n_frames,)."""
    smoother = Smoother(decision)
    raw = np.ascontiguousarray(raw, dtype=np.float32)
    return np.concatenate([smoother.feed(raw)[1], smoother.finish()[1]])
