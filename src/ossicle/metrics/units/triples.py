"""Triples of tokens for the ABX test: A and X are tokens of one type, B of another.

Within speakers, all three tokens have one speaker. Across speakers, A and B have one speaker and X another.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Triples:
    """Drawn triples: indices of tokens, int64 (n,) each. Empty where the tokens allow none."""

    a: Indices
    b: Indices
    x: Indices

    def __len__(self) -> int:
        return len(self.a)


def draw_triples(
    types: NDArray[np.integer],
    speakers: NDArray[np.integer],
    n: int,
    seed: int,
    *,
    across: bool,
    judged: Collection[int] | None = None,
) -> Triples:
    """Draw triples with replacement, so that rare types and speakers count as much as frequent ones.

    A speaker (across: an ordered pair of speakers) is drawn among those who allow a triple, then the type of A and X
    among the types that allow one there, then the type of B among the others of the first speaker, then the tokens.

    Parameters
    ----------
    types, speakers
        Type and speaker of each token, integers from 0, shape (n_tokens,).
    n
        Number of triples.
    seed
        Seed of the draws.
    across
        Whether X has another speaker than A and B.
    judged
        Speakers that X may have; None: all.

    Returns
    -------
    Triples
        ``n`` triples, or none if no speaker (no pair of speakers) has two types that allow one.

    Raises
    ------
    ValueError
        If the arrays differ in shape or ``n`` is negative.
    """
    if types.shape != speakers.shape or types.ndim != 1 or n < 0:
        raise ValueError(f"types {types.shape} and speakers {speakers.shape} must be (n_tokens,), and n = {n} >= 0")
    tokens = _tokens_by_speaker(types, speakers)
    places = [
        (first, second, shared)
        for first in tokens
        for second in tokens
        if (first != second) is across and len(tokens[first]) > 1 and (judged is None or second in judged)
        for shared in [_shared_types(tokens[first], tokens[second], across)]
        if shared
    ]
    generator = np.random.default_rng(seed)
    rows = np.zeros((n if places else 0, 3), dtype=np.int64)
    for row in rows:
        first, second, shared = places[generator.integers(len(places))]
        target = shared[generator.integers(len(shared))]
        others = list(tokens[first])
        other = others[(others.index(target) + 1 + generator.integers(len(others) - 1)) % len(others)]
        tokens_a_x, tokens_x = tokens[first][target], tokens[second][target]
        a = generator.integers(len(tokens_a_x))
        x = (
            generator.integers(len(tokens_x))
            if across
            else (a + 1 + generator.integers(len(tokens_a_x) - 1)) % len(tokens_a_x)
        )
        b = tokens[first][other]
        row[:] = tokens_a_x[a], b[generator.integers(len(b))], tokens_x[x]
    return Triples(rows[:, 0].copy(), rows[:, 1].copy(), rows[:, 2].copy())


def _tokens_by_speaker(
    types: NDArray[np.integer], speakers: NDArray[np.integer]
) -> dict[int, dict[int, NDArray[np.integer]]]:
    """Return the tokens of each type of each speaker, in the order of speakers and types."""
    tokens_by_speaker: dict[int, dict[int, NDArray[np.integer]]] = {}
    order = np.lexsort((types, speakers))
    changes = np.flatnonzero(np.diff(speakers[order]) | np.diff(types[order])) + 1
    for part in np.split(order, changes) if len(order) else ():
        tokens_by_speaker.setdefault(int(speakers[part[0]]), {})[int(types[part[0]])] = part
    return tokens_by_speaker


def _shared_types(
    first: dict[int, NDArray[np.integer]], second: dict[int, NDArray[np.integer]], across: bool
) -> list[int]:
    """Return the types from which A (of the first speaker) and X (of the second) can come."""
    return [token_type for token_type, tokens in first.items() if (token_type in second if across else len(tokens) > 1)]
