"""A vocabulary of units and merged pairs: sequences to tokens and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ossicle.units.bpe.token_stream import MOST_TOKENS, TokenStream

FORMAT_VERSION = 1
MOST_UNITS = 4096
"""Most units of a token: 80 s of the shortest runs."""


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
            if not all(0 <= token < self.n_units + i for token in pair):
                raise ValueError(f"merge {i} joins {pair}, and there are only {self.n_units + i} tokens before it")

    @property
    def n_tokens(self) -> int:
        """Number of tokens, units included."""
        return self.n_units + len(self.pairs)

    @cached_property
    def expansions(self) -> tuple[tuple[int, ...], ...]:
        """The units of each token."""
        expansions: list[tuple[int, ...]] = [(unit,) for unit in range(self.n_units)]
        for first, second in self.pairs:
            expansions.append(expansions[first] + expansions[second])
        return tuple(expansions)

    @cached_property
    def lengths(self) -> NDArray[np.int32]:
        """The number of units of each token, shape (n_tokens,)."""
        return np.array([len(expansion) for expansion in self.expansions], np.int32)

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
        token_array = np.asarray(tokens, np.int64)
        lengths = self.lengths[token_array]
        # For each unit of the result, its place in the units of all tokens one after the other.
        begins = np.cumsum(self.lengths) - self.lengths
        places = np.repeat(begins[token_array] - (np.cumsum(lengths) - lengths), lengths) + np.arange(lengths.sum())
        units: NDArray[np.int16] = self._units[places]
        return units

    @cached_property
    def _units(self) -> NDArray[np.int16]:
        return np.array([unit for expansion in self.expansions for unit in expansion], np.int16)

    def to_json(self) -> dict[str, Any]:
        """Return the vocabulary for a file."""
        return {"format": FORMAT_VERSION, "n_units": self.n_units, "merges": [list(pair) for pair in self.pairs]}

    @classmethod
    def from_json(cls, value: Any) -> "Merges":
        """Return the vocabulary in a file.

        Raises
        ------
        ValueError
            It is not a vocabulary; nothing in it is trusted.
        """
        if not isinstance(value, dict) or value.get("format") != FORMAT_VERSION:
            raise ValueError(f"not a vocabulary of format {FORMAT_VERSION}")
        n_units, pairs = value.get("n_units"), value.get("merges")
        if type(n_units) is not int or not 0 < n_units <= MOST_TOKENS:
            raise ValueError(f"n_units = {n_units!r} is not a number from 1 to {MOST_TOKENS}")
        if not isinstance(pairs, list) or len(pairs) > MOST_TOKENS - n_units:
            raise ValueError(f"merges: not a list of at most {MOST_TOKENS - n_units} pairs")
        if not all(isinstance(pair, list) and [type(token) for token in pair] == [int, int] for pair in pairs):
            raise ValueError("merges: not pairs of tokens")
        # Each merge may double a length; a made-up vocabulary could fill the memory.
        lengths = [1] * n_units
        for i, (first, second) in enumerate(pairs):
            if not (0 <= first < n_units + i and 0 <= second < n_units + i):
                raise ValueError(f"merge {i} joins {first} and {second}, and there are {n_units + i} tokens before it")
            lengths.append(lengths[first] + lengths[second])
            if lengths[-1] > MOST_UNITS:
                raise ValueError(f"merge {i}: a token of {lengths[-1]} units; at most {MOST_UNITS} are possible")
        return cls(n_units, tuple((first, second) for first, second in pairs))
