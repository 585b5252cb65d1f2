"""How often each pair of tokens would occur by chance, and which pairs occur more often."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtrc

_ROUNDS_AT_FIRST = 50
_ROUNDS_A_MERGE = 4
# Counts of Poisson variables lean to the right: a probability below 1/100 needs more than two standard deviations.
_LEAST_DEVIATIONS = 2.0


class ChancePairs:
    """Expected counts of pairs in sequences whose tokens follow each other independently (quasi-independence).

    Some pairs cannot occur, whatever the sequences are: two equal units, because repeats are collapsed, and a pair that
    was merged. What cannot follow a token leaves more room for what can, so the expected counts are
    ``left[p] * right[q]`` over the possible pairs, with the factors that give each token as many followers and
    predecessors as it has (iterative proportional fitting).

    Parameters
    ----------
    n_tokens
        Number of tokens at first; a token does not follow itself.
    size
        Number of tokens that there may be.

    References
    ----------
    L. A. Goodman (1968): The analysis of cross-classified data. Journal of the American Statistical Association 63.
    """

    def __init__(self, n_tokens: int, size: int) -> None:
        self._n = n_tokens
        self._possible = np.zeros((size, size))
        self._possible[:n_tokens, :n_tokens] = 1.0 - np.eye(n_tokens)
        self._right = np.ones(size)
        self._rounds = _ROUNDS_AT_FIRST

    def merge(self, first: int, second: int, token: int) -> None:
        """Note that a pair was merged: the token is followed by what followed its second part, and so on."""
        possible = self._possible
        possible[first, second] = 0.0
        possible[token, : self._n] = possible[second, : self._n]
        possible[: self._n, token] = possible[: self._n, first]
        possible[token, token] = possible[second, first]
        self._n = max(self._n, token + 1)

    def expected(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the expected count of each pair.

        Parameters
        ----------
        counts
            How often the pairs occur, shape (n_tokens, n_tokens).

        Returns
        -------
        NDArray[np.float64]
            Shape (n_tokens, n_tokens); 0 for pairs that cannot occur.
        """
        n = self._n
        possible, right = self._possible[:n, :n], self._right[:n]
        followed, following = counts.sum(1).astype(np.float64), counts.sum(0).astype(np.float64)
        for _ in range(self._rounds):
            left = _ratio(followed, possible @ right)
            right = _ratio(following, left @ possible)
        self._rounds = _ROUNDS_A_MERGE
        # A token that no longer follows anything may do so again after another merge.
        self._right[:n] = np.where(right > 0, right, 1e-12)
        expected: NDArray[np.float64] = left[:, None] * right * possible
        return expected


def more_than_chance(counts: NDArray[np.int64], expected: NDArray[np.float64], probability: float) -> NDArray[np.bool_]:
    """Return which counts are so high that they have less than a given probability by chance.

    Parameters
    ----------
    counts, expected
        Found and expected counts, equal shapes.
    probability
        Of a Poisson variable with the expected mean to reach the count; 1 accepts every count above the expected one.

    Returns
    -------
    NDArray[np.bool_]
        Same shape.
    """
    least = _LEAST_DEVIATIONS if probability <= 0.01 else 0.0
    maybe = counts > expected + least * np.sqrt(expected)
    is_significant = np.zeros(counts.shape, np.bool_)
    is_significant[maybe] = pdtrc(counts[maybe] - 1, expected[maybe]) < probability
    return is_significant


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)
