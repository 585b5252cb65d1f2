"""Figures over pairs of recordings and resyntheses, with intervals that resample recordings."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.evaluation.units.resynthesis.pairs import JudgedPair
from ossicle.evaluation.units.unit_figures import Resampling
from ossicle.metrics.reports.event_report import Estimate
from ossicle.metrics.resampling.bootstrap import bootstrap_interval

LOG_MEL, MCD, MCD_ALIGNED = "log_mel_db", "mcd_db", "mcd_aligned_db"
F0_RMSE, VOICING_ERROR = "f0_rmse_cents", "voicing_error"
SI_SDR, SNR, LENGTH_RATIO = "si_sdr_db", "snr_db", "length_ratio"
FIGURES = (LOG_MEL, MCD, MCD_ALIGNED, F0_RMSE, VOICING_ERROR, SI_SDR, SNR, LENGTH_RATIO)
"""Keys of the figures below ``vocoder`` in ``metrics.json``."""
PHASE_BLIND = frozenset({SI_SDR, SNR})
"""Those that compare phases, which units do not hold: they say nothing about how a resynthesis sounds."""

# Means over segments; the bootstrap adds up whole numbers, so these are counted in millionths.
_MEANS = (LOG_MEL, MCD, MCD_ALIGNED, SI_SDR, SNR)
_MILLION = 1_000_000


def resynthesis_figures(
    pairs: Sequence[JudgedPair],
    recordings: Sequence[str],
    groups: Sequence[str],
    resampling_options: Resampling | None = None,
) -> dict[str, Estimate]:
    """Return the figures of all pairs together.

    Distances and ratios are means over the segments where they are defined. F0 RMSE and voicing error are over the
    frames of all segments, and the length ratio is that of all seconds. Intervals resample recordings (all segments of
    one together) and, with at least 8 groups, groups.

    Parameters
    ----------
    pairs
        The judged pairs.
    recordings
        Recording of each pair.
    groups
        Group of each pair, for example its speaker.
    resampling_options
        Settings of the intervals.

    Returns
    -------
    dict
        By the keys :data:`FIGURES`; NaN where a figure is undefined, which is never 0.

    Raises
    ------
    ValueError
        If the lists differ in length.
    """
    if not len(pairs) == len(recordings) == len(groups):
        raise ValueError(f"there are {len(pairs)} pairs, {len(recordings)} recordings and {len(groups)} groups")
    resampling = Resampling() if resampling_options is None else resampling_options
    names = sorted(set(recordings))
    row = {name: index for index, name in enumerate(names)}
    counts = np.zeros((len(names), 2 * len(_MEANS) + 6), dtype=np.int64)
    group_of: dict[str, str] = {}
    for pair, recording, group in zip(pairs, recordings, groups, strict=True):
        counts[row[recording]] += _counts(pair)
        group_of[recording] = group
    if not names:
        return dict.fromkeys(FIGURES, Estimate(np.nan, np.nan, np.nan))
    bootstrap = bootstrap_interval(
        counts, [group_of[name] for name in names], _figures, resampling.resamples, resampling.seed
    )
    estimates = zip(FIGURES, bootstrap.value.tolist(), bootstrap.low.tolist(), bootstrap.high.tolist(), strict=True)
    return {name: Estimate(value, low, high) for name, value, low, high in estimates}


def figures_to_json(figures: dict[str, Estimate]) -> dict[str, Any]:
    """Return plain values; None where a figure is undefined.

    Parameters
    ----------
    figures
        From :func:`resynthesis_figures`.
    """
    return {name: figure.to_json() for name, figure in figures.items()}


def _counts(pair: JudgedPair) -> NDArray[np.int64]:
    """Return whole numbers that add up: of each mean its sum and number, of F0 four sums, and both lengths."""
    values = np.array([getattr(pair, name) for name in _MEANS])
    defined = np.isfinite(values)
    sums = np.rint(np.where(defined, values, 0.0) * _MILLION).astype(np.int64)
    pitch = pair.pitch
    rest = [
        round(pitch.squared_cents),
        pitch.voiced_in_both,
        pitch.voicing_differs,
        pitch.frames,
        round(pair.made_seconds * _MILLION),
        round(pair.seconds * _MILLION),
    ]
    return np.concatenate([sums, defined.astype(np.int64), np.array(rest, dtype=np.int64)])


def _figures(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    n = len(_MEANS)
    sums, numbers = counts[:, :n] / _MILLION, counts[:, n : 2 * n]
    squared, both, differs, frames, resynthesised, original = counts[:, 2 * n :].T
    with np.errstate(divide="ignore", invalid="ignore"):
        means = dict(zip(_MEANS, (sums / numbers).T, strict=True))
        figures = {
            **means,
            F0_RMSE: np.sqrt(squared / both),
            VOICING_ERROR: differs / frames,
            LENGTH_RATIO: np.where(original > 0, resynthesised / original, np.nan),
        }
    return np.stack([figures[name] for name in FIGURES], axis=1)
