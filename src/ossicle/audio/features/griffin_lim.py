"""Sound from magnitudes alone: phases by the algorithm of Griffin and Lim, with momentum.

References
----------
D. W. Griffin, J. S. Lim, "Signal estimation from modified short-time Fourier transform", IEEE Trans. ASSP 32(2), 1984.
N. Perraudin, P. Balazs, P. L. Soendergaard, "A fast Griffin-Lim algorithm", WASPAA 2013.
"""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ossicle.core.model_input.frontend import analysis_window

_MOMENTUM = 0.99
_LEAST_WEIGHT = 1e-8


@dataclass(frozen=True, slots=True)
class Framing:
    """Frames of a centred STFT: frame j is centred on sample ``j * hop_samples``, with zeros beyond the edges.

    Attributes
    ----------
    n_fft
        Length of the Hann window in samples; even.
    hop_samples
        Samples from frame to frame; at most half the window.
    """

    n_fft: int
    hop_samples: int

    def n_frames(self, n_samples: int) -> int:
        """Return how many frames ``n_samples`` have."""
        return 1 + n_samples // self.hop_samples

    def analyse(self, samples: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Return the STFT of samples (n,): (n_frames, n_fft // 2 + 1)."""
        padded = np.pad(samples, self.n_fft // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.n_fft)[:: self.hop_samples]
        return np.asarray(scipy.fft.rfft(frames[: self.n_frames(len(samples))] * self._window(), axis=1))

    def synthesise(self, spectrum: NDArray[np.complex128], n_samples: int) -> NDArray[np.float64]:
        """Return the samples (n_samples,) whose STFT is nearest to ``spectrum``."""
        window = self._window()
        frames = scipy.fft.irfft(spectrum, self.n_fft, axis=1) * window
        length = n_samples + self.n_fft
        total = max(length, (len(frames) - 1) * self.hop_samples + self.n_fft)
        summed, weight = np.zeros(total), np.zeros(total)
        for j, frame in enumerate(frames):
            first = j * self.hop_samples
            summed[first : first + self.n_fft] += frame
            weight[first : first + self.n_fft] += window**2
        inside = slice(self.n_fft // 2, self.n_fft // 2 + n_samples)
        return np.asarray(summed[inside] / np.maximum(weight[inside], _LEAST_WEIGHT))

    def _window(self) -> NDArray[np.float64]:
        return analysis_window(self.n_fft).astype(np.float64)


def griffin_lim(
    magnitudes: NDArray[np.floating], framing: Framing, n_samples: int, *, iterations: int = 60, seed: int = 0
) -> NDArray[np.float32]:
    """Return samples whose STFT has about these magnitudes.

    Parameters
    ----------
    magnitudes
        Magnitudes with the amplitude-scaled Hann window of the front end, shape (n_frames, n_fft // 2 + 1).
    framing
        Window and hop.
    n_samples
        Number of samples to make.
    iterations
        Rounds; 0 keeps the random phases.
    seed
        Of the first phases.

    Returns
    -------
    numpy.ndarray
        float32, shape (n_samples,).

    Raises
    ------
    ValueError
        If the shape is not that of ``n_samples``.
    """
    shape = framing.n_frames(n_samples), framing.n_fft // 2 + 1
    if magnitudes.shape != shape:
        raise ValueError(f"magnitudes have the shape {magnitudes.shape}; {n_samples} samples have {shape}")
    target_magnitudes = np.asarray(magnitudes, dtype=np.float64)
    spectrum = target_magnitudes * np.exp(2j * np.pi * np.random.default_rng(seed).random(shape[::-1]).T)
    before = np.zeros(shape, dtype=np.complex128)
    for _ in range(iterations):
        consistent = framing.analyse(framing.synthesise(spectrum, n_samples))
        ahead = consistent - _MOMENTUM / (1 + _MOMENTUM) * before
        before = consistent
        size = np.abs(ahead)
        spectrum = target_magnitudes * np.divide(ahead, size, out=np.ones(shape, dtype=np.complex128), where=size > 0)
    return framing.synthesise(spectrum, n_samples).astype(np.float32)
