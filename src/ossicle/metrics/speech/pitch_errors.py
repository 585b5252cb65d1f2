"""How far the pitch of a resynthesis is from that of the recording: cents where both are voiced, and voicing errors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CENTS_PER_OCTAVE = 1200.0


@dataclass(frozen=True, slots=True)
class PitchErrors:
    """Sums over frames, which add up over segments.

    Attributes
    ----------
    squared_cents
        Sum of squared differences in cents over frames that are voiced in both.
    voiced_in_both
        The number of these frames.
    voicing_differs
        Frames that are voiced in only one of the two.
    frames
        Frames compared.
    """

    squared_cents: float
    voiced_in_both: int
    voicing_differs: int
    frames: int

    @property
    def rmse_cents(self) -> float:
        """The root mean square difference in cents; NaN where no frame is voiced in both, never 0."""
        return float(np.sqrt(self.squared_cents / self.voiced_in_both)) if self.voiced_in_both else float("nan")

    @property
    def voicing_error(self) -> float:
        """The share of frames voiced in only one of the two, in [0, 1]; NaN without frames."""
        return self.voicing_differs / self.frames if self.frames else float("nan")


def pitch_errors(reference_hz: NDArray[np.floating], made_hz: NDArray[np.floating]) -> PitchErrors:
    """Compare two F0 contours at the same times.

    Cents are ratios, so a semitone counts the same in a low and in a high voice.

    Parameters
    ----------
    reference_hz, made_hz
        F0 of every frame in Hz, 0 where it is unvoiced, shapes (n,) and (m,). The longer one is cut to the shorter.

    Returns
    -------
    PitchErrors
        The sums.

    Raises
    ------
    ValueError
        If a value is negative or not finite.

    Examples
    --------
    >>> found = pitch_errors(np.array([100.0, 200.0, 0.0, 0.0]), np.array([200.0, 0.0, 0.0, 0.0]))
    >>> found.rmse_cents, found.voicing_error
    (1200.0, 0.25)
    """
    n = min(len(reference_hz), len(made_hz))
    reference, resynthesised = (np.asarray(hz[:n], dtype=np.float64) for hz in (reference_hz, made_hz))
    if not (np.isfinite(reference) & np.isfinite(resynthesised) & (reference >= 0) & (resynthesised >= 0)).all():
        raise ValueError("F0 must be at least 0 Hz, with 0 where it is unvoiced")
    both = (reference > 0) & (resynthesised > 0)
    cents = CENTS_PER_OCTAVE * np.log2(resynthesised[both] / reference[both])
    differs = (reference > 0) != (resynthesised > 0)
    return PitchErrors(float(np.square(cents).sum()), int(both.sum()), int(differs.sum()), n)
