"""Learn a vocabulary: pairs that occur often become tokens, and tokens become longer motifs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.errors import UsageError
from ossicle.units.bpe.chance import ChancePairs, more_than_chance
from ossicle.units.bpe.merges import MOST_UNITS, Merges
from ossicle.units.bpe.token_stream import MOST_TOKENS, TokenStream


@dataclass(frozen=True)
class LearnedMerges:
    """A vocabulary, and what it was learned from.

    Attributes
    ----------
    merges
        The vocabulary.
    counts
        How often each merge was made; later merges may have taken up some of its tokens.
    expected
        How often each merged pair would have occurred by chance, where that was asked for, else NaN.
    asked
        The number of tokens that was asked for.
    reason
        Why there are fewer, in words; empty if there are as many.
    tokens
        The sequences as tokens, equal to ``merges.encode`` of them.
    """

    merges: Merges
    counts: tuple[int, ...]
    expected: tuple[float, ...]
    asked: int
    reason: str
    tokens: list[NDArray[np.int16]]


def learn_merges(
    sequences: Sequence[NDArray[np.integer]],
    n_units: int,
    vocabulary: int,
    min_count: int = 2,
    false_pairs: float | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> LearnedMerges:
    """Learn merges: again and again, the most frequent pair of neighbouring tokens becomes a token.

    Of equally frequent pairs the one with fewer units is merged first, then the one whose units come first in order, as
    in sentencepiece. Pairs whose units are those of a token, or more than 4096, are not merged. Overlapping pairs
    (three equal tokens in a row) are counted as they are in sentencepiece, each of them.

    Parameters
    ----------
    sequences
        Units without repeats, shape (n,) each, of any length.
    n_units
        Number of units; the first tokens.
    vocabulary
        Number of tokens to reach, units included.
    min_count
        Least occurrences of a pair that is merged.
    false_pairs
        How many of the pairs that could be merged may be as frequent by chance, if tokens followed each other
        independently: pairs that are no more frequent than that are not merged. None merges them too.
    progress
        Called with the tokens so far and those asked for.

    Returns
    -------
    LearnedMerges
        Merges, and why there are not more.

    Raises
    ------
    UsageError
        The vocabulary is smaller than the number of units, or larger than 4096.
    ValueError
        A number is not a unit.

    References
    ----------
    R. Sennrich, B. Haddow, A. Birch (2016): Neural machine translation of rare words with subword units. ACL.

    Examples
    --------
    >>> found = learn_merges([np.array([0, 1, 2, 0, 1, 2])], n_units=3, vocabulary=9)
    >>> found.merges.pairs, found.reason
    (((0, 1), (3, 2)), 'no other pair of tokens occurs 2 times or more')
    """
    if not n_units <= vocabulary <= MOST_TOKENS:
        raise UsageError(
            f"a vocabulary of {vocabulary} tokens: it must hold the {n_units} units, and at most {MOST_TOKENS} tokens"
        )
    stream = TokenStream(sequences, n_units, vocabulary)
    search = _PairSearch(n_units, vocabulary, min_count, false_pairs)
    pairs: list[tuple[int, int]] = []
    merge_counts: list[int] = []
    expected: list[float] = []
    for token in range(n_units, vocabulary):
        next_merge = search.next_pair(stream.counts[:token, :token])
        if next_merge is None:
            break
        pairs.append(next_merge.pair)
        expected.append(next_merge.expected)
        merge_counts.append(stream.merge(*next_merge.pair, token))
        search.merge(*next_merge.pair, token)
        progress(token + 1, vocabulary)
    merges = Merges(n_units, tuple(pairs))
    return LearnedMerges(merges, tuple(merge_counts), tuple(expected), vocabulary, search.reason, stream.sequences())


@dataclass(frozen=True, slots=True)
class _Found:
    pair: tuple[int, int]
    expected: float


class _PairSearch:
    """Finds the pair to merge next; ``reason`` tells why there was none."""

    def __init__(self, n_units: int, size: int, min_count: int, false_pairs: float | None) -> None:
        self.reason = ""
        self._min_count, self._false_pairs = max(1, min_count), false_pairs
        self._chance = None if false_pairs is None else ChancePairs(n_units, size)
        self._units: list[tuple[int, ...]] = [(unit,) for unit in range(n_units)]
        self._known = set(self._units)
        self._refused: list[tuple[int, int]] = []

    def next_pair(self, counts: NDArray[np.int64]) -> _Found | None:
        allowed = counts >= self._min_count
        for pair in self._refused:
            allowed[pair] = False
        by_chance = None
        if self._chance is not None and self._false_pairs is not None:
            frequent = allowed.any()
            by_chance = self._chance.expected(counts)
            possible = max(1, int(np.count_nonzero(by_chance)))
            probability = min(1.0, self._false_pairs / possible)
            allowed &= more_than_chance(counts, by_chance, probability)
            if frequent and not allowed.any():
                self.reason = (
                    f"the other pairs that occur {self._min_count} times or more are no more frequent than chance"
                )
                return None
        best = self._best(counts, allowed)
        if best is None:
            self.reason = f"no other pair of tokens occurs {self._min_count} times or more"
            return None
        return _Found(best, float("nan") if by_chance is None else float(by_chance[best]))

    def merge(self, first: int, second: int, token: int) -> None:
        self._units.append(self._units[first] + self._units[second])
        self._known.add(self._units[-1])
        if self._chance is not None:
            self._chance.merge(first, second, token)

    def _best(self, counts: NDArray[np.int64], allowed: NDArray[np.bool_]) -> tuple[int, int] | None:
        while allowed.any():
            most = counts[allowed].max()
            equal = [(int(p), int(q)) for p, q in np.argwhere(allowed & (counts == most))]
            pair = min(equal, key=lambda candidate: (len(units := self._expansion(candidate)), units, candidate))
            expansion = self._expansion(pair)
            if expansion not in self._known and len(expansion) <= MOST_UNITS:
                return pair
            # Its units are a token already, which was put together in another way.
            allowed[pair] = False
            self._refused.append(pair)
        return None

    def _expansion(self, pair: tuple[int, int]) -> tuple[int, ...]:
        return self._units[pair[0]] + self._units[pair[1]]
