"""The simplest synthesis from units: the mean spectrum of each unit, and phases from Griffin and Lim. A baseline.

It knows nothing but what each unit sounds like on average, so a vocoder must be better than it.

References
----------
D. W. Griffin, J. S. Lim, "Signal estimation from modified short-time Fourier transform", IEEE Trans. ASSP 32(2), 1984.
N. Perraudin, P. Balazs, P. L. Soendergaard, "A fast Griffin-Lim algorithm", WASPAA 2013.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.features.griffin_lim import Framing, griffin_lim
from ossicle.audio.features.logmel import log_mel
from ossicle.core.model_input.frontend import FrontEndSettings, band_centres_hz, filter_bank

_WINDOW_S, _BANDS, _FLOOR_DB = 0.064, 80, -100.0
# Frames of the synthesis to a frame of units.
_FRAMES = 4
# Units that are made together, so that memory does not grow with the length, and units over which blocks are faded.
_BLOCK_UNITS, _FADE_UNITS = 256, 4


@dataclass(frozen=True, slots=True, eq=False)
class MeanSpectrum:
    """The mean log-mel spectrum of every unit.

    Attributes
    ----------
    levels_db
        Mean level of each unit and band in dB, float64, shape (k, 80). A unit that no segment has is as the mean of
        all.
    counts
        Frames that each is the mean of, int64, shape (k,).
    rate
        Sample rate in Hz.
    hop_samples
        Samples of a unit frame.
    """

    levels_db: NDArray[np.float64]
    counts: NDArray[np.int64]
    rate: int
    hop_samples: int

    def synthesise(self, units: NDArray[np.integer], *, iterations: int = 60, seed: int = 0) -> NDArray[np.float32]:
        """Return the sound of a sequence of units.

        Parameters
        ----------
        units
            One unit a frame, shape (n,), each in [0, k).
        iterations
            Rounds of Griffin and Lim.
        seed
            Of the first phases.

        Returns
        -------
        numpy.ndarray
            float32, shape (n * hop_samples,).

        Raises
        ------
        ValueError
            If a unit is not in [0, k).
        """
        unit_array = np.asarray(units)
        if len(unit_array) and not 0 <= unit_array.min() <= unit_array.max() < len(self.counts):
            raise ValueError(
                f"units from {unit_array.min()} to {unit_array.max()}: they must lie in 0 to {len(self.counts) - 1}"
            )
        if not len(unit_array):
            return np.zeros(0, dtype=np.float32)
        magnitudes = self._magnitudes()
        sound = np.zeros(len(unit_array) * self.hop_samples, dtype=np.float32)
        for block, first in enumerate(range(0, len(unit_array), _BLOCK_UNITS)):
            start = max(0, first - _FADE_UNITS)
            units_of_block = unit_array[start : first + _BLOCK_UNITS + _FADE_UNITS]
            block_sound = self._block(magnitudes, units_of_block, iterations, seed + block)
            fade = np.sin(np.linspace(0, np.pi / 2, 2 * _FADE_UNITS * self.hop_samples, dtype=np.float32))
            if first:
                faded = block_sound[: len(fade)]
                faded *= fade[: len(faded)]
            if first + _BLOCK_UNITS < len(unit_array):
                rest = block_sound[(first + _BLOCK_UNITS - _FADE_UNITS - start) * self.hop_samples :]
                rest *= fade[::-1][: len(rest)]
            sound[start * self.hop_samples :][: len(block_sound)] += block_sound
        return sound

    def _block(
        self, magnitudes: NDArray[np.float64], units: NDArray[np.integer], iterations: int, seed: int
    ) -> NDArray[np.float32]:
        framing = Framing(_front(self.rate).n_fft, _synthesis_hop(self.rate, self.hop_samples))
        n_samples = len(units) * self.hop_samples
        # Frame j is centred on sample j * hop, which lies in this unit.
        places = np.arange(framing.n_frames(n_samples)) * framing.hop_samples // self.hop_samples
        frames = magnitudes[units[places.clip(max=len(units) - 1)]]
        return griffin_lim(frames, framing, n_samples, iterations=iterations, seed=seed)

    def _magnitudes(self) -> NDArray[np.float64]:
        """Return the STFT magnitude of each unit, (k, n_bins): the power of a band spread evenly over its bins."""
        front = _front(self.rate)
        bank = filter_bank(front).astype(np.float64)
        density_db = self.levels_db - 10 * np.log10(bank.sum(axis=1))
        bins_hz = np.arange(bank.shape[1]) * front.rate / front.n_fft
        centres_hz = band_centres_hz(front)
        spread = np.stack([np.interp(bins_hz, centres_hz, density) for density in density_db])
        return np.asarray(10 ** (spread / 20))


def mean_spectrum(
    segments: Iterable[tuple[NDArray[np.float32], NDArray[np.integer]]], k: int, rate: int, hop_samples: int
) -> MeanSpectrum:
    """Return the mean spectrum of each unit over segments.

    Parameters
    ----------
    segments
        Samples, float32 (m,), and units, (n,), of each segment: frame i of the units covers samples ``i *
        hop_samples`` to ``(i + 1) * hop_samples``. Missing samples at the end are silence.
    k
        Number of units.
    rate
        Sample rate in Hz.
    hop_samples
        Samples of a unit frame, at least 1.

    Raises
    ------
    ValueError
        If there is no frame, or a unit is not in [0, k).
    """
    sums, counts = np.zeros((k, _BANDS)), np.zeros(k, dtype=np.int64)
    for samples, units in segments:
        unit_array = np.asarray(units)
        if not len(unit_array):
            continue
        if not 0 <= unit_array.min() <= unit_array.max() < k:
            raise ValueError(f"units from {unit_array.min()} to {unit_array.max()}: they must lie in 0 to {k - 1}")
        np.add.at(sums, unit_array, _frame_levels(samples, len(unit_array), rate, hop_samples))
        counts += np.bincount(unit_array, minlength=k)
    if not counts.any():
        raise ValueError("there are no frames; a mean spectrum needs segments with units")
    mean = sums.sum(axis=0) / counts.sum()
    heard = counts > 0
    levels = np.where(heard[:, None], sums / np.maximum(counts, 1)[:, None], mean)
    return MeanSpectrum(levels, counts, rate, hop_samples)


def _frame_levels(samples: NDArray[np.float32], n: int, rate: int, hop_samples: int) -> NDArray[np.float64]:
    """Return the log-mel spectra of n unit frames, (n, bands): the window of each is centred on its middle."""
    front = _front(rate, 2 * hop_samples)
    first = (hop_samples - front.n_fft) // 2
    padded = np.zeros((n - 1) * hop_samples + front.n_fft, dtype=np.float32)
    samples_from_start = samples[max(0, first) :][: len(padded) + min(0, first)]
    padded[max(0, -first) :][: len(samples_from_start)] = samples_from_start
    levels = np.empty((n, front.n_mels))
    # The front end knows even hops only: every other frame at a time.
    for offset in range(min(2, n)):
        levels[offset::2] = log_mel(padded[offset * hop_samples :], front)
    return levels


def _synthesis_hop(rate: int, hop_samples: int) -> int:
    """Return the hop of the synthesis: 4 frames to a unit, and at least 4 to a window."""
    return max(1, min(hop_samples, _front(rate).n_fft) // _FRAMES)


def _front(rate: int, hop_samples: int = 2) -> FrontEndSettings:
    return FrontEndSettings(
        rate=rate,
        n_fft=2 * round(_WINDOW_S * rate / 2),
        hop_samples=hop_samples,
        n_mels=_BANDS,
        fmin_hz=0.0,
        fmax_hz=rate / 2,
        floor_db=_FLOOR_DB,
    )
