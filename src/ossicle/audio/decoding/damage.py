"""Samples that no recorder writes: NaN, Inf, and numbers far beyond full scale.

A single such sample would make a whole spectrogram useless, and in 16 bits all other samples would be zero.
"""

import numpy as np
from numpy.typing import NDArray

# Some programs write samples of 32-bit integers as they are into float files.
_MOST = 2.0**32
# Decoders and float files may exceed full scale, but not by 24 dB in one sample alone: below half their rate is nothing
# that rises and falls so fast.
_LOUD = 16.0
_ALONE = 4096.0


def damage(block: NDArray[np.floating]) -> tuple[int, str] | None:
    """Return the first damaged sample of a block and what it is; None if there is none.

    Parameters
    ----------
    block
        Samples, shape (n,) or (n, channels), full scale being -1 to 1.
    """
    if not block.size:
        return None
    with np.errstate(invalid="ignore"):
        low, high = float(block.min()), float(block.max())
    # Comparisons with NaN are false.
    if low >= -_LOUD and high <= _LOUD:
        return None
    columns = block.reshape(len(block), -1)
    finite = np.isfinite(columns)
    magnitude = np.where(finite, np.abs(columns), 0.0)
    wild = (magnitude > _MOST) | ((magnitude > _LOUD) & _alone(magnitude))
    bad = (~finite | wild).any(axis=1)
    if not bad.any():
        return None
    first = int(np.argmax(bad))
    if not finite[first].all():
        return first, "NaN or Inf"
    return first, f"a value of {magnitude[first].max():.3g} times full scale"


def _alone(magnitude: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return which samples are far larger than the ones before and after them."""
    limit = magnitude / _ALONE
    alone = np.ones(magnitude.shape, dtype=np.bool_)
    alone[1:] &= magnitude[:-1] < limit[1:]
    alone[:-1] &= magnitude[1:] < limit[:-1]
    return alone & (len(magnitude) > 1)
