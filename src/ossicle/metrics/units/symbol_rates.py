"""What a sequence of units costs: bits a second, and how often a unit is repeated.

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
    out = np.zeros(2 * k + 3, dtype=np.int64)
    for units in sequences:
        first = np.append(True, units[1:] != units[:-1])[: len(units)]
        out[:k] += np.bincount(units, minlength=k)
        out[k : 2 * k] += np.bincount(units[first], minlength=k)
        out[-3:-1] += len(units) - int(first.sum()), max(0, len(units) - 1)
        out[-1] += round(len(units) * hop_s * _MICROSECONDS)
    return out


def symbol_rates(counts: NDArray[np.int64], groups: Sequence[str], resamples: int = 1000, seed: int = 0) -> SymbolRates:
    """Return bitrates and repeat rate over recordings with intervals that resample recordings.

    Parameters
    ----------
    counts
        Of each recording, from :func:`symbol_counts`, shape (n_recordings, 2 * k + 3).
    groups
        Group of each recording.
    resamples, seed
        Of the bootstrap; no interval with 0.
    """
    made = bootstrap_interval(counts, groups, _rates, resamples, seed)
    return SymbolRates(
        *(Estimate(*one) for one in zip(made.value.tolist(), made.low.tolist(), made.high.tolist(), strict=True))
    )


def _rates(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    k = (counts.shape[1] - 3) // 2
    repeats, pairs, seconds = counts[:, -3], counts[:, -2], counts[:, -1] / _MICROSECONDS
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.stack(
            [_bits(counts[:, :k]) / seconds, _bits(counts[:, k : 2 * k]) / seconds, repeats / pairs], axis=1
        )


def _bits(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the bits that all symbols of each row take together: their number times their entropy."""
    total = counts.sum(axis=1).astype(np.float64)
    return np.asarray((xlogy(total, total) - xlogy(counts, counts).sum(axis=1)) / np.log(2))
