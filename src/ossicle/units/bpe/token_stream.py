"""All sequences of a corpus as one array of tokens, in which pairs are merged and counted."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

TOKEN_DTYPE = np.dtype(np.int16)
MOST_TOKENS = 4096
"""Largest vocabulary: the counts of all pairs of so many tokens take 128 MiB."""
_GAP = -1


class TokenStream:
    """Sequences of tokens, one after the other, and how often each token follows each other one.

    Counts of pairs are kept up to date: a merge costs one pass that looks for its first token, and work in proportion
    to the number of places that it changes.

    Parameters
    ----------
    sequences
        Tokens below ``n_tokens``, integers of shape (n,) each; pairs do not reach from one sequence to the next.
    n_tokens
        Number of tokens that occur.
    size
        Number of tokens that there may be after all merges.
    counted
        False keeps no counts, for streams in which known merges are made.
    """

    def __init__(
        self, sequences: Iterable[NDArray[np.integer]], n_tokens: int, size: int, counted: bool = True
    ) -> None:
        if not 0 < n_tokens <= size <= MOST_TOKENS:
            raise ValueError(f"{n_tokens} to {size} tokens: there must be 1 to {MOST_TOKENS}")
        parts: list[NDArray[np.int16]] = [np.array([_GAP], TOKEN_DTYPE)]
        for sequence in sequences:
            if len(sequence) and not 0 <= sequence.min() <= sequence.max() < n_tokens:
                raise ValueError(
                    f"tokens from {sequence.min()} to {sequence.max()}: there are {n_tokens}, counted from 0"
                )
            # Two gaps, so that the two tokens after any token of a sequence can be read without a check.
            parts += [sequence.astype(TOKEN_DTYPE), np.array([_GAP, _GAP], TOKEN_DTYPE)]
        self._tokens = np.concatenate(parts)
        self._n_sequences = (len(parts) - 1) // 2
        self.counts: NDArray[np.int64] = np.zeros((size, size) if counted else (0, 0), np.int64)
        """Pairs by first and second token; in a run of three equal tokens there are two pairs, which overlap."""
        if counted:
            self._count_all()

    def __len__(self) -> int:
        """Return the number of tokens in all sequences."""
        return len(self._tokens) - 1 - 2 * self._n_sequences

    def sequences(self) -> list[NDArray[np.int16]]:
        """Return the sequences as they are now, in order."""
        gaps = np.flatnonzero(self._tokens == _GAP)
        # Every second gap begins a sequence: 0, then the second one after each sequence.
        return [self._tokens[a + 1 : b] for a, b in zip(gaps[0:-1:2], gaps[1::2], strict=True)]

    def merge(self, first: int, second: int, token: int) -> int:
        """Replace each pair by a token, from left to right, and return how many there were.

        Of overlapping pairs, as in a run of one token that is merged with itself, the leftmost ones are replaced.
        """
        tokens = self._tokens
        hits = np.flatnonzero(tokens == first)
        hits = hits[tokens[hits + 1] == second]
        if first == second:
            hits = _not_overlapping(hits)
        if not len(hits):
            return 0
        if len(self.counts):
            self._add(_pair_starts(hits, 2), -1)
        tokens[hits] = token
        keep = np.ones(len(tokens), np.bool_)
        keep[hits + 1] = False
        self._tokens = tokens[keep]
        if len(self.counts):
            self._add(_pair_starts(hits - np.arange(len(hits)), 1), 1)
        return len(hits)

    def _add(self, starts: NDArray[np.intp], sign: int) -> None:
        """Count the pairs that begin at some places, or take them off the counts."""
        first, second = self._tokens[starts], self._tokens[starts + 1]
        is_pair = (first >= 0) & (second >= 0)
        codes = first[is_pair].astype(np.intp) * len(self.counts) + second[is_pair]
        np.add.at(self.counts.reshape(-1), codes, sign)

    def _count_all(self) -> None:
        block = 1 << 20
        for start in range(0, len(self._tokens) - 1, block):
            self._add(np.arange(start, min(start + block, len(self._tokens) - 1)), 1)


def _not_overlapping(hits: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return every second place of each unbroken run of places, beginning with the first."""
    if not len(hits):
        return hits
    begins = np.diff(hits, prepend=-2) != 1
    run_start = hits[np.flatnonzero(begins)][np.cumsum(begins) - 1]
    separate_hits: NDArray[np.intp] = hits[(hits - run_start) % 2 == 0]
    return separate_hits


def _pair_starts(hits: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    """Return where the pairs begin that touch any of some stretches of ``length`` tokens, each pair once."""
    inside = [hits + k for k in range(length)]
    # The pair before a stretch is the last one of the stretch before, where the two meet.
    before = hits[np.diff(hits, prepend=-length - 1) != length] - 1
    return np.concatenate([before, *inside])
