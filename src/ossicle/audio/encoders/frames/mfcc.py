"""The encoder ``mfcc``: cepstral coefficients of every 25 ms frame of speech and how they change, in NumPy."""

import numpy as np
import scipy
from numpy.typing import NDArray

from ossicle.audio.encoders.frames.logmel import FRONT, HOP_S, ORIGIN_S
from ossicle.audio.encoders.settings import MFCC
from ossicle.audio.encoders.spec import EncoderSpec, refuse_waveforms
from ossicle.audio.features.logmel import log_mel

N_COEFFICIENTS, N_SLOPES = 11, 7
SLOPE_REACH = 3
"""Frames on each side of a frame that a slope is fitted to."""
VERSION = 1


class MfccEncoder:
    """Encode each frame by 11 coefficients and 7 slopes: 18 values on the grid of the encoder ``logmel``.

    The coefficients are the first 11 of the orthonormal cosine transform of the levels of 40 mel bands in dB. They are
    not normalised: that is left to the quantiser, which may know the speaker. A slope is that of the line fitted to one
    of the first seven coefficients over seven frames (:func:`slopes`).

    Examples
    --------
    >>> MfccEncoder().encode(np.zeros((2, 16000), np.float32)).shape
    (2, 49, 18)

    References
    ----------
    S. Davis and P. Mermelstein, "Comparison of parametric representations for monosyllabic word recognition", 1980.
    S. Furui, "Speaker-independent isolated word recognition using dynamic features of speech spectrum", 1986.
    """

    spec = EncoderSpec(
        MFCC,
        rate=FRONT.rate,
        dim=N_COEFFICIENTS + N_SLOPES,
        hop_s=HOP_S,
        origin_s=ORIGIN_S,
        licence="Apache-2.0",
        least_samples=FRONT.n_fft,
        version=VERSION,
    )

    def encode(self, waveforms: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the coefficients and slopes (batch, frames, 18) of waveforms (batch, n_samples).

        Raises
        ------
        ValueError
            The waveforms are shorter than a frame.
        """
        refuse_waveforms(waveforms, self.spec)
        levels = log_mel(np.ascontiguousarray(waveforms, dtype=np.float32), FRONT)
        cepstra = scipy.fft.dct(levels, type=2, norm="ortho", axis=-1)[..., :N_COEFFICIENTS]
        return np.concatenate([cepstra, slopes(cepstra[..., :N_SLOPES], SLOPE_REACH)], axis=-1)


def slopes(values: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    """Return the slope of each value over the frames around it, per frame, by least squares: same shape.

    Parameters
    ----------
    values
        Shape (..., frames, dim).
    reach
        Frames on each side. The first and last frame go on beyond the ends.

    Examples
    --------
    >>> slopes(np.arange(5.0, dtype=np.float32)[:, None], 1).ravel().tolist()
    [0.5, 1.0, 1.0, 1.0, 0.5]
    """
    n = values.shape[-2]
    around = [(0, 0)] * values.ndim
    around[-2] = (reach, reach)
    padded = np.pad(values, around, mode="edge")
    total = np.zeros_like(values)
    for k in range(1, reach + 1):
        later, earlier = padded[..., reach + k : reach + k + n, :], padded[..., reach - k : reach - k + n, :]
        total += np.float32(k) * (later - earlier)
    return total / np.float32(2 * sum(k * k for k in range(1, reach + 1)))
