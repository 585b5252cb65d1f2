"""A vocabulary of units and merged pairs: sequences to tokens and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ossicle.units.bpe.token_stream import TokenStream


@dataclass(frozen=True)
class Merges:
    """The merges of a vocabulary: token ``n_units + i`` is the pair ``pairs[i]``; lower tokens are the units.

    Attributes
    ----------
    n_units
        Number of units.
    pairs
        Two tokens each, in the order in which they are merged.
    """

    n_units: int
    pairs: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        """Reject merges of tokens that do not exist yet."""
        for i, pair in enumerate(self.pairs):
            if not all(0 <= one < self.n_units + i for one in pair):
                raise ValueError(f"merge {i} joins {pair}, and there are only {self.n_units + i} tokens before it")

    @property
    def n_tokens(self) -> int:
        """Number of tokens, units included."""
        return self.n_units + len(self.pairs)

    @cached_property
    def expansions(self) -> tuple[tuple[int, ...], ...]:
        """The units of each token."""
        found: list[tuple[int, ...]] = [(unit,) for unit in range(self.n_units)]
        for first, second in self.pairs:
            found.append(found[first] + found[second])
        return tuple(found)

    @cached_property
    def lengths(self) -> NDArray[np.int32]:
        """The number of units of each token, shape (n_tokens,)."""
        return np.array([len(one) for one in self.expansions], np.int32)

    def encode(self, sequences: Sequence[NDArray[np.integer]]) -> list[NDArray[np.int16]]:
        """Return sequences of units as tokens: each merge in turn, everywhere, from left to right.

        Parameters
        ----------
        sequences
            Units without repeats, shape (n,) each, of any length.

        Returns
        -------
        list[NDArray[np.int16]]
            Tokens; :meth:`decode` returns the units again.

        Raises
        ------
        ValueError
            A number is not a unit.
        """
        stream = TokenStream(sequences, self.n_units, self.n_tokens, counted=False)
        for i, (first, second) in enumerate(self.pairs):
            stream.merge(first, second, self.n_units + i)
        return stream.sequences()

    def decode(self, tokens: ArrayLike) -> NDArray[np.int16]:
        """Return the units of tokens.

        >>> merges = Merges(3, ((0, 1), (3, 2)))
        >>> merges.encode([np.array([0, 1, 2, 0, 1])])[0].tolist(), merges.decode([4, 3]).tolist()
        ([4, 3], [0, 1, 2, 0, 1])
        """
        units = [unit for token in np.asarray(tokens, np.int64) for unit in self.expansions[token]]
        return np.array(units, np.int16)
