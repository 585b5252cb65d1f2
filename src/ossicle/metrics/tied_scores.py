"""Scores sorted once into runs of equal values, from the highest down, with the positives above each.

Equal scores are accepted together, so what precision, recall and ROC AUC need are counts at the end of each run. Scores
of 32 bits are sorted as whole numbers that hold the score and its truth, which takes a small part of the time of
sorting their places.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SIGN = np.uint32(1 << 31)
_ONE = np.uint64(1)


@dataclass(frozen=True, slots=True, eq=False)
class TiedScores:
    """Runs of equal scores.

    Attributes
    ----------
    values
        The distinct scores, falling, float64 (k,).
    accepted
        How many items score at least each of them, int64 (k,).
    hits
        How many of these are positive, int64 (k,).
    """

    values: NDArray[np.float64]
    accepted: NDArray[np.int64]
    hits: NDArray[np.int64]

    @classmethod
    def of(cls, scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> "TiedScores":
        """Return the runs of scores (n,), which are not NaN, with the truth of each (n,)."""
        if scores.dtype == np.float32:
            falling, hit = _sorted_as_numbers(scores, positive)
        else:
            order = np.argsort(-scores, kind="stable")
            falling, hit = scores[order], positive[order]
        # The last of each run: from there on the whole run is accepted.
        last = np.flatnonzero(np.append(falling[1:] != falling[:-1], np.ones(min(1, len(falling)), dtype=np.bool_)))
        return cls(falling[last].astype(np.float64), last + 1, np.cumsum(hit, dtype=np.int64)[last])

    def roc_auc(self) -> float:
        """Return the probability that a positive outranks a negative, ties counting half; NaN without either."""
        n, positives = (
            int(running_sums[-1]) if len(running_sums) else 0 for running_sums in (self.accepted, self.hits)
        )
        if positives in (0, n):
            return float("nan")
        size = np.diff(self.accepted, prepend=0)
        # The mean rank of a run, counted from the lowest score; all sums are exact.
        rank = (n - self.accepted) + (size + 1) / 2
        total = float((np.diff(self.hits, prepend=0) * rank).sum())
        return (total - positives * (positives + 1) / 2) / (positives * (n - positives))


def _sorted_as_numbers(
    scores: NDArray[np.floating], positive: NDArray[np.bool_]
) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
    """Return float32 scores from the highest down, with the truth of each; equal scores are in no order."""
    # Adding 0 turns -0.0, which equals 0.0, into it.
    bits = (scores + np.float32(0)).view(np.uint32)
    # The order of whole numbers is that of positive floats; negative ones are turned around.
    keys = np.where(bits & _SIGN, ~bits, bits | _SIGN)
    packed = np.sort((keys.astype(np.uint64) << _ONE) | positive)[::-1]
    keys = (packed >> _ONE).astype(np.uint32)
    bits = np.where(keys & _SIGN, keys ^ _SIGN, ~keys)
    return bits.view(np.float32), (packed & _ONE).astype(np.bool_)
