"""The difference of two models of states on the same recordings, with a paired interval."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.evaluation.states.fold_figures import right_windows
from ossicle.evaluation.states.judging_rule import JudgingRule
from ossicle.inference.states.fit import ScoredStates
from ossicle.metrics.reports.event_report import Estimate
from ossicle.metrics.resampling.bootstrap import bootstrap_interval


def state_counts(
    recordings: Mapping[str, ScoredStates], labels: Sequence[str], rules: Mapping[int, JudgingRule]
) -> dict[str, tuple[int, int]]:
    """Return by recording the number of windows with the right overall state, and of those with a known one."""
    return {key: right_windows(recording, labels, rules[recording.fold]) for key, recording in recordings.items()}


def paired_gain(
    best: Mapping[str, tuple[int, int]],
    other: Mapping[str, tuple[int, int]],
    folds: Mapping[str, int],
    groups: Mapping[str, str],
    n_bootstrap: int,
    seed: int,
) -> Estimate:
    """Return the accuracy of ``other`` in its worst fold minus that of ``best`` in its worst fold.

    Both are counted on the same resampled recordings.

    Parameters
    ----------
    best, other
        Right and known windows by recording, of the same recordings.
    folds, groups
        Fold and group of each recording.
    n_bootstrap, seed
        Number of resamples, and their seed.
    """
    keys, names = sorted(best), sorted(set(folds.values()))
    counts = np.zeros((len(keys), len(names), 4), dtype=np.int64)
    for row, key in enumerate(keys):
        counts[row, names.index(folds[key])] = (*best[key], *other[key])

    def gain(sums: NDArray[np.int64]) -> NDArray[np.float64]:
        shares = [
            np.divide(
                sums[..., column],
                sums[..., column + 1],
                out=np.full(sums.shape[:-1], np.inf),
                where=sums[..., column + 1] > 0,
            )
            for column in (0, 2)
        ]
        difference: NDArray[np.float64] = shares[1].min(axis=1) - shares[0].min(axis=1)
        return difference[:, None]

    bootstrap = bootstrap_interval(counts, [groups[key] for key in keys], gain, n_bootstrap, seed)
    return Estimate(float(bootstrap.value[0]), float(bootstrap.low[0]), float(bootstrap.high[0]))
