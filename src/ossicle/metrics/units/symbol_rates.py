"""What a sequence of units costs: bits a second, and how often a unit is repeated.

Entropies have intervals by the jackknife (:mod:`ossicle.metrics.resampling.jackknife`): a bootstrap repeats recordings,
which lowers an entropy, and its interval may not even contain the figure. That of the repeat rate, a ratio of sums,
resamples recordings.

References
----------
E. Dunbar et al., "The Zero Resource Speech Challenge 2019: TTS without T", Interspeech 2019 (bitrate).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from ossicle.metrics.reports.event_report import Estimate
from ossicle.metrics.resampling.bootstrap import bootstrap_interval
from ossicle.metrics.resampling.jackknife import block_of, jackknife_interval

_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class SymbolRates:
    """Rates of units.

    Attributes
    ----------
    bitrate
        Bits a second: frames a second times the entropy of their units.
    bitrate_runs
        The same of the sequence without repeats, whose durations are not counted.
    repeat_rate
        Share of frames, without the first of each segment, with the unit of the frame before.
    """

    bitrate: Estimate
    bitrate_runs: Estimate
    repeat_rate: Estimate

    def to_json(self) -> dict[str, Any]:
        """Return plain values; None where a figure is undefined."""
        return {
            "bitrate": self.bitrate.to_json(),
            "bitrate_runs": self.bitrate_runs.to_json(),
            "repeat_rate": self.repeat_rate.to_json(),
        }


def symbol_counts(sequences: Sequence[NDArray[np.integer]], k: int, hop_s: float) -> NDArray[np.int64]:
    """Return the counts of one recording that :func:`symbol_rates` adds up.

    Parameters
    ----------
    sequences
        Units of each segment, frame by frame.
    k
        Number of units of the quantiser.
    hop_s
        Seconds from frame to frame.

    Returns
    -------
    numpy.ndarray
        int64, shape (2 * k + 3,): frames of each unit, runs of each unit, repeats, pairs of frames, microseconds.
    """
    counts = np.zeros(2 * k + 3, dtype=np.int64)
    for units in sequences:
        first = np.append(True, units[1:] != units[:-1])[: len(units)]
        counts[:k] += np.bincount(units, minlength=k)
        counts[k : 2 * k] += np.bincount(units[first], minlength=k)
        counts[-3:-1] += len(units) - int(first.sum()), max(0, len(units) - 1)
        counts[-1] += round(len(units) * hop_s * _MICROSECONDS)
    return counts


def symbol_rates(counts: NDArray[np.int64], groups: Sequence[str], resamples: int = 1000, seed: int = 0) -> SymbolRates:
    """Return bitrates and repeat rate over recordings, with 95 % intervals.

    Parameters
    ----------
    counts
        Of each recording, from :func:`symbol_counts`, shape (n_recordings, 2 * k + 3).
    groups
        Group of each recording.
    resamples, seed
        Of the bootstrap of the repeat rate; it has no interval with 0.
    """
    k = (counts.shape[1] - 3) // 2
    total = counts.sum(axis=0)
    blocks = block_of(np.arange(len(counts)))
    rest = total - np.stack([counts[blocks == block].sum(axis=0) for block in np.unique(blocks)] or [total])
    values, without = _bitrates(total[None])[0], _bitrates(rest)
    with np.errstate(divide="ignore", invalid="ignore"):
        # All units equally often, in every frame.
        most = float(total[:k].sum() / _seconds(total) * np.log2(k))
    repeats = bootstrap_interval(counts, groups, _repeat_rate, resamples, seed)
    bitrate, bitrate_runs = (
        Estimate(float(value), *jackknife_interval(float(value), left, 0.0, most))
        for value, left in zip(values, without.T.tolist(), strict=True)
    )
    return SymbolRates(bitrate, bitrate_runs, Estimate(float(repeats.value), float(repeats.low), float(repeats.high)))


def _bitrates(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the bits a second of frames and of runs, of each row: float64 (n, 2)."""
    k = (counts.shape[1] - 3) // 2
    bits = np.stack([_bits(counts[:, :k]), _bits(counts[:, k : 2 * k])], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return bits / _seconds(counts)[:, None]


def _seconds(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(counts[..., -1] / _MICROSECONDS)


def _repeat_rate(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(counts[:, -3] / counts[:, -2])


def _bits(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the bits that all symbols of each row take together: their number times their entropy."""
    total = counts.sum(axis=1).astype(np.float64)
    return np.asarray((xlogy(total, total) - xlogy(counts, counts).sum(axis=1)) / np.log(2))
