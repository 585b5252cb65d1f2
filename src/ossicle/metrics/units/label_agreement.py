"""Agreement of units with labels, frame by frame: adjusted and normalised mutual information, and purity.

All figures come from the table of counts of labels and units. Mutual information between two labellings grows by
chance with the number of labels and units; so does purity. The *adjusted* mutual information (AMI) takes away the
mean over all permutations of the units: 0 means chance, 1 full agreement. The normalised mutual information (NMI) and
purity are stated only beside their chance levels.

A permutation also breaks the runs of units and words, and two labellings that change slowly agree more by chance than
two that do not. So the AMI of the same units moved in time stands beside it: what it takes away is what was heard.

Intervals are those of the jackknife over blocks of recordings (:mod:`ossicle.metrics.resampling.jackknife`).

References
----------
N. X. Vinh, J. Epps, J. Bailey, "Information theoretic measures for clusterings comparison", JMLR 11, 2010.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from ossicle.metrics.reports.event_report import Estimate, plain
from ossicle.metrics.resampling.jackknife import block_of, jackknife_interval

# The chance that a cell of a permuted table lies further from its mean than the sum reaches is below exp(-46) = 1e-20.
_TAIL = 46.0
_CELLS_AT_ONCE = 1 << 20
_SHIFTS = (0.2, 0.35, 0.5, 0.65, 0.8)

Table = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of units with labels.

    Attributes
    ----------
    ami
        Adjusted mutual information, at most 1; 0 is chance. NaN with fewer than two labels or units.
    ami_shuffled
        The same after one permutation of the units over the frames.
    ami_shifted
        The mean AMI of the same units moved in time by several shares of all frames, end to start: what their runs
        reach by chance.
    nmi
        Normalised mutual information, in [0, 1].
    nmi_chance
        Its mean over all permutations of the units.
    purity
        Share of frames whose label is the most frequent one of their unit.
    purity_shuffled
        The same after the permutation.
    n
        Frames judged.
    n_labels
        Labels that occur.
    """

    ami: Estimate
    ami_shuffled: float
    ami_shifted: float
    nmi: Estimate
    nmi_chance: float
    purity: Estimate
    purity_shuffled: float
    n: int
    n_labels: int

    def to_json(self) -> dict[str, Any]:
        """Return plain values; None where a figure is undefined."""
        return {
            "ami": self.ami.to_json(),
            "ami_shuffled": plain(self.ami_shuffled),
            "ami_shifted": plain(self.ami_shifted),
            "nmi": {**self.nmi.to_json(), "chance": plain(self.nmi_chance)},
            "purity": {**self.purity.to_json(), "shuffled": plain(self.purity_shuffled)},
            "frames": self.n,
            "labels": self.n_labels,
        }


def label_agreement(
    labels: NDArray[np.integer], units: NDArray[np.integer], recordings: NDArray[np.integer], seed: int = 0
) -> Agreement:
    """Return how well units agree with labels, beside chance.

    Parameters
    ----------
    labels, units
        Label and unit of each frame, integers from 0, shape (n,), in the order of time within recordings.
    recordings
        Recording of each frame, integers in any order, shape (n,): the intervals leave out whole recordings.
    seed
        Seed of the permutation.

    Returns
    -------
    Agreement
        Figures with 95 % intervals; NaN where a figure or an interval is undefined.

    Raises
    ------
    ValueError
        If the arrays differ in shape.
    """
    if not labels.shape == units.shape == recordings.shape or labels.ndim != 1:
        raise ValueError(f"labels {labels.shape}, units {units.shape} and recordings {recordings.shape} must be (n,)")
    shuffled = contingency(labels, np.random.default_rng(seed).permutation(units))
    table = contingency(labels, units)
    blocks = block_of(recordings)
    without = [
        contingency(labels[selected], units[selected]) for selected in (blocks != block for block in np.unique(blocks))
    ]
    return Agreement(
        ami=_jackknife(adjusted_mutual_information, table, without),
        ami_shuffled=adjusted_mutual_information(shuffled),
        ami_shifted=_shifted(labels, units),
        nmi=_jackknife(normalised_mutual_information, table, without, least=0.0),
        nmi_chance=_share(expected_mutual_information(table), _mean_entropy(table)) if table.size else math.nan,
        purity=_jackknife(purity, table, without, least=0.0),
        purity_shuffled=purity(shuffled),
        n=len(labels),
        n_labels=int(table.any(axis=1).sum()),
    )


def _shifted(labels: NDArray[np.integer], units: NDArray[np.integer]) -> float:
    moved = [np.roll(units, round(share * len(units))) for share in _SHIFTS]
    return float(np.mean([adjusted_mutual_information(contingency(labels, shifted_units)) for shifted_units in moved]))


def contingency(labels: NDArray[np.integer], units: NDArray[np.integer]) -> Table:
    """Return how many frames have each label and unit.

    Parameters
    ----------
    labels, units
        Integers from 0, shape (n,).

    Returns
    -------
    numpy.ndarray
        int64, shape (largest label + 1, largest unit + 1); (0, 0) without frames.
    """
    if not len(labels):
        return np.zeros((0, 0), dtype=np.int64)
    n_labels, n_units = int(labels.max()) + 1, int(units.max()) + 1
    cells = labels.astype(np.int64) * n_units + units
    return np.bincount(cells, minlength=n_labels * n_units).astype(np.int64).reshape(n_labels, n_units)


def mutual_information(table: Table) -> float:
    """Return the mutual information of rows and columns of a table of counts, in nats."""
    total = table.sum()
    rows, columns = np.nonzero(table)
    cells = table[rows, columns].astype(np.float64)
    expected = table.sum(axis=1).astype(np.float64)[rows] * table.sum(axis=0)[columns]
    return max(0.0, float((cells / total * (np.log(cells) + np.log(total) - np.log(expected))).sum()))


def expected_mutual_information(table: Table) -> float:
    """Return the mean mutual information over all tables with the same margins, in nats.

    The sum runs over the values that a cell takes with a probability above 1e-20 (Bernstein's bound), so that the work
    grows with the square root of the counts.

    Parameters
    ----------
    table
        Counts, shape (n_rows, n_columns).

    References
    ----------
    Vinh et al. 2010, equation 24a.
    """
    total = int(table.sum())
    rows, of_rows = np.unique(table.sum(axis=1)[table.any(axis=1)], return_counts=True)
    columns, of_columns = np.unique(table.sum(axis=0)[table.any(axis=0)], return_counts=True)
    a, b = (grid.ravel() for grid in np.meshgrid(rows, columns, indexing="ij"))
    times = np.outer(of_rows, of_columns).ravel()
    mean = a / total * b
    spread = mean * (1 - np.maximum(a, b) / total)
    reach = _TAIL / 3 + np.sqrt((_TAIL / 3) ** 2 + 2 * _TAIL * spread)
    low = np.maximum(np.maximum(1, a + b - total), np.floor(mean - reach).astype(np.int64))
    high = np.minimum(np.minimum(a, b), np.ceil(mean + reach).astype(np.int64))
    lengths = np.maximum(0, high - low + 1)
    information, edges = (
        0.0,
        np.searchsorted(np.cumsum(lengths), np.arange(0, lengths.sum(), _CELLS_AT_ONCE), side="right"),
    )
    for start, end in zip(edges, [*edges[1:], len(lengths)], strict=True):
        part = slice(start, end)
        information += _expected_part(a[part], b[part], times[part], low[part], lengths[part], total)
    return information


def _expected_part(a: Table, b: Table, times: Table, low: Table, lengths: Table, total: int) -> float:
    """Return the sum over cells with margins ``a`` and ``b``, each counted ``times``."""
    each = np.repeat(np.arange(len(a)), lengths)
    n = low[each] + np.arange(len(each)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    constant = gammaln(a + 1) + gammaln(b + 1) + gammaln(total - a + 1) + gammaln(total - b + 1) - gammaln(total + 1)
    rest = gammaln(n + 1) + gammaln(a[each] - n + 1) + gammaln(b[each] - n + 1)
    probability = np.exp(constant[each] - rest - gammaln(total - a[each] - b[each] + n + 1))
    information = n / total * (np.log(n) + math.log(total) - np.log(a)[each] - np.log(b)[each])
    return float((times[each] * information * probability).sum())


def adjusted_mutual_information(table: Table) -> float:
    """Return the adjusted mutual information, normalised by the mean of both entropies.

    Equal to ``sklearn.metrics.adjusted_mutual_info_score``; NaN where the table has fewer than two rows or columns
    that are not empty, where nothing can agree.
    """
    if min(table.any(axis=1).sum(), table.any(axis=0).sum()) < 2:
        return math.nan
    expected = expected_mutual_information(table)
    return _share(mutual_information(table) - expected, _mean_entropy(table) - expected)


def normalised_mutual_information(table: Table) -> float:
    """Return the mutual information as a share of the mean of both entropies; NaN where both are 0."""
    return _share(mutual_information(table), _mean_entropy(table)) if table.size else math.nan


def purity(table: Table) -> float:
    """Return the share of frames whose label is the most frequent one of their unit; NaN without frames."""
    return _share(float(table.max(axis=0).sum()), float(table.sum())) if table.size else math.nan


def entropy(counts: NDArray[np.integer]) -> float:
    """Return the entropy of counts in nats; NaN without any."""
    total = counts.sum()
    if not total:
        return math.nan
    share = counts / total
    return -float(xlogy(share, share).sum())


def _mean_entropy(table: Table) -> float:
    return (entropy(table.sum(axis=1)) + entropy(table.sum(axis=0))) / 2


def _share(part: float, whole: float) -> float:
    return part / whole if abs(whole) > 1e-15 else math.nan


def _jackknife(
    statistic: Callable[[Table], float], table: Table, without: list[Table], least: float = -math.inf
) -> Estimate:
    """Return the figure of ``table`` with its interval from the figures without each block, within ``least`` and 1."""
    value = statistic(table)
    return Estimate(
        value, *jackknife_interval(value, [statistic(reduced_table) for reduced_table in without], least, 1.0)
    )
