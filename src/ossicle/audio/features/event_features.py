"""Acoustic features of an event, from which a second stage scores candidates.

All are computed from one power spectrogram on a grid that begins with the event, limited to a band. They follow Raven
Pro's robust measurements (Charif et al., Raven Pro user's manual): the durations and the frequencies between which 50
and 90 % of the energy lie, the centre frequency, and the average and aggregate entropy in bits. Added are the mean and
standard deviation of 13 mel cepstra (Davis & Mermelstein 1980) and of their first and second differences over nine
frames, and the level relative to the sound just before and after the event.

The features of a long event are those of its last ``longest_s`` seconds, so that a stream can compute them in bounded
memory. A window at the edge of the recording sees zeros beyond it. Everything is float64 and finite, even for digital
silence: no bin has less power than :data:`FLOOR`.

References
----------
S. B. Davis and P. Mermelstein, "Comparison of parametric representations for monosyllabic word recognition in
continuously spoken sentences", IEEE Transactions on ASSP 28(4), 1980.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import NDArray

from ossicle.audio.features.stft import power_spectrogram
from ossicle.core.model_input.frontend import FrontEndSettings, analysis_window, mel_filter_bank
from ossicle.core.settings import setting, settings
from ossicle.core.time import to_samples

N_MFCC = 13
DELTA_FRAMES = 9
FLOOR = 1e-14
_MEL_FLOOR = 1e-10

_RAVEN = (
    "duration_50_s",
    "duration_90_s",
    "centre_hz",
    "frequency_5_hz",
    "frequency_25_hz",
    "frequency_75_hz",
    "frequency_95_hz",
    "bandwidth_50_hz",
    "bandwidth_90_hz",
    "average_entropy_bits",
    "aggregate_entropy_bits",
)

FEATURES: tuple[str, ...] = (
    *_RAVEN,
    "snr_db",
    *(
        f"{change}mfcc_{number}_{statistic}"
        for change in ("", "delta_", "delta2_")
        for statistic in ("mean", "std")
        for number in range(N_MFCC)
    ),
)
"""The names of the features, in the order in which :func:`event_features` gives them."""

Features = NDArray[np.float64]


@settings
class EventFeatureSettings:
    """Settings of the spectrogram for the features, and how much sound around an event is used."""

    rate: int = setting(default=16000, help="sample rate", unit="Hz", ge=1000, le=1_000_000)
    n_fft: int = setting(default=512, help="length of the STFT window in samples; even", ge=16, le=1 << 16)
    hop_samples: int = setting(default=160, help="distance between frames in samples; even", ge=2, le=1 << 20)
    fmin_hz: float = setting(default=50.0, help="lower edge of the band", unit="Hz", ge=0)
    fmax_hz: float = setting(default=8000.0, help="upper edge of the band", unit="Hz", gt=0)
    n_mels: int = setting(default=40, help="mel bands behind the cepstra", ge=N_MFCC, le=1024)
    surroundings_s: float = setting(
        default=0.5, help="sound on each side that the event's level is compared with", unit="s", ge=0, le=30
    )
    longest_s: float = setting(
        default=5.0, help="length limit; of longer events only the last part is used", unit="s", gt=0, le=60
    )

    def __post_init__(self) -> None:
        """Reject odd windows and hops, and bands that are empty or reach beyond the Nyquist frequency."""
        self.mel_bank()

    def mel_bank(self) -> FrontEndSettings:
        """Return the same rate, window and band as the settings of a mel filter bank."""
        return FrontEndSettings(
            rate=self.rate,
            n_fft=self.n_fft,
            hop_samples=self.hop_samples,
            n_mels=self.n_mels,
            fmin_hz=self.fmin_hz,
            fmax_hz=self.fmax_hz,
        )


@dataclass(frozen=True, slots=True)
class Frames:
    """Positions of the frames of an event and of its surroundings; ``first_sample`` may be negative.

    ``before``, ``event`` and ``after`` count frames; ``stop_sample`` is one past the last sample that they need.
    """

    first_sample: int
    stop_sample: int
    before: int
    event: int
    after: int


def event_frames(start_s: float, end_s: float, chosen: EventFeatureSettings, n_samples: int | None = None) -> Frames:
    """Return the frames of the event at [start_s, end_s) in seconds.

    The surroundings lie inside the recording: after sample 0 and, if its length is known, before ``n_samples``. Frame k
    of the event is centred in [start + k * hop, start + (k + 1) * hop).
    """
    hop = chosen.hop_samples
    start, stop = to_samples(start_s, chosen.rate), to_samples(end_s, chosen.rate)
    most = to_samples(chosen.surroundings_s, chosen.rate) // hop
    before = min(most, start // hop)
    longest = max(hop, to_samples(chosen.longest_s, chosen.rate))
    if stop - start > longest:
        start, before = stop - longest, 0
    event = max(1, (2 * (stop - start) + hop) // (2 * hop))
    after = most
    if n_samples is not None:
        after = min(most, max(0, n_samples - start - event * hop) // hop)
    first = start - before * hop + hop // 2 - chosen.n_fft // 2
    return Frames(first, first + (before + event + after - 1) * hop + chosen.n_fft, before, event, after)


def event_features(samples: NDArray[np.float32], frames: Frames, chosen: EventFeatureSettings) -> Features:
    """Return the features of one event, float64 of shape (len(FEATURES),), in the order of :data:`FEATURES`.

    Parameters
    ----------
    samples
        float32, [at.first_sample, at.stop_sample) of the recording at ``chosen.rate``, zeros beyond its edges.
    frames
        Frames of the event, from :func:`event_frames`.
    chosen
        Settings of the features.

    Raises
    ------
    ValueError
        If the number of samples differs.
    """
    if samples.shape != (frames.stop_sample - frames.first_sample,):
        raise ValueError(
            f"samples have the shape {samples.shape}, but the event needs {frames.stop_sample - frames.first_sample}"
        )
    window, bins, bins_hz, bank = _arrays(chosen)
    power = power_spectrogram(samples, window, chosen.hop_samples)
    inside = slice(frames.before, frames.before + frames.event)
    energy = np.maximum(power[inside, bins], FLOOR)
    around = np.delete(power[:, bins], np.arange(frames.before, frames.before + frames.event), axis=0)
    return np.concatenate(
        [
            _raven(energy, bins_hz, chosen.hop_samples / chosen.rate),
            [_snr_db(energy, np.maximum(around, FLOOR))],
            _cepstra(10 * np.log10(np.maximum(power[inside] @ bank.T, _MEL_FLOOR))),
        ]
    )


def _raven(energy: Features, bins_hz: Features, hop_s: float) -> Features:
    """Return the robust measurements of power (n_frames, n_bins), in the order of the names."""
    spectrum, envelope = energy.sum(axis=0), energy.sum(axis=1)
    t05, t25, t75, t95 = _quantiles(envelope, (0.05, 0.25, 0.75, 0.95)) * hop_s
    f05, f25, f50, f75, f95 = bins_hz[_quantiles(spectrum, (0.05, 0.25, 0.5, 0.75, 0.95))]
    average = _entropy_bits(energy).mean()
    aggregate = _entropy_bits(spectrum[None])[0]
    return np.array([t75 - t25, t95 - t05, f50, f05, f25, f75, f95, f75 - f25, f95 - f05, average, aggregate])


def _quantiles(weights: Features, shares: tuple[float, ...]) -> NDArray[np.int64]:
    """Return the first positions at which the cumulative sum of positive ``weights`` (n,) reaches each share of
    the total.
    """
    cumulative = np.cumsum(weights)
    positions = np.searchsorted(cumulative, np.array(shares) * cumulative[-1])
    places: NDArray[np.int64] = np.minimum(positions, len(weights) - 1).astype(np.int64)
    return places


def _entropy_bits(power: Features) -> Features:
    """Return the entropy in bits of each row of positive ``power`` (n, n_bins), shape (n,)."""
    share = power / power.sum(axis=1, keepdims=True)
    entropy: Features = -(share * np.log2(share)).sum(axis=1)
    return entropy


def _snr_db(energy: Features, around: Features) -> float:
    """Return the mean power of the event relative to that of its surroundings in dB; 0 without surroundings."""
    if len(around) == 0:
        return 0.0
    return float(10 * np.log10(energy.sum(axis=1).mean() / around.sum(axis=1).mean()))


def _cepstra(log_mel: Features) -> Features:
    """Return means and deviations of the cepstra of ``log_mel`` (n_frames, n_mels) in dB and of their differences."""
    cepstra = scipy.fft.dct(log_mel, type=2, norm="ortho", axis=1)[:, :N_MFCC]
    changes = [
        scipy.signal.savgol_filter(cepstra, DELTA_FRAMES, polyorder=order, deriv=order, axis=0, mode="nearest")
        for order in (1, 2)
    ]
    return np.concatenate(
        [figure for values in (cepstra, *changes) for figure in (values.mean(axis=0), values.std(axis=0))]
    )


@lru_cache(maxsize=16)
def _arrays(chosen: EventFeatureSettings) -> tuple[Features, slice, Features, Features]:
    """Window (n_fft,), the bins of the band, their frequencies in Hz, and the mel filters (n_mels, all bins)."""
    bins_hz = np.arange(chosen.n_fft // 2 + 1) * chosen.rate / chosen.n_fft
    inside = np.flatnonzero((bins_hz >= chosen.fmin_hz) & (bins_hz <= chosen.fmax_hz))
    # A band narrower than a bin uses the bin next to it.
    first = int(inside[0]) if len(inside) else int(np.argmin(np.abs(bins_hz - chosen.fmin_hz)))
    bins = slice(first, int(inside[-1]) + 1 if len(inside) else first + 1)
    bank = mel_filter_bank(chosen.mel_bank()).astype(np.float64)
    return analysis_window(chosen.n_fft).astype(np.float64), bins, bins_hz[bins], bank
