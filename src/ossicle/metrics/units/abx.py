"""ABX: are two tokens of one type nearer to each other than to a token of another type?

For a triple (A, B, X), in which A and X are of one type and B of another, the answer is wrong if X is nearer to B, and
half wrong if both are equally near. The error is the mean over triples: 0.5 is chance, and 0 means that every type is
told apart. No label is used for anything but the choice of triples, so the figure judges features and units alike.

References
----------
T. Schatz et al., "Evaluating speech features with the minimal-pair ABX task", Interspeech 2013.
A. B. Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1(2), 2007.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.metrics.reports.event_report import Estimate, plain
from ossicle.metrics.resampling.bootstrap import MIN_GROUPS
from ossicle.metrics.units.dtw import FrameDistance, angles, dtw_distances
from ossicle.metrics.units.triples import Triples, draw_triples

N_TRIPLES = 5000
_WEIGHTS_AT_ONCE = 1 << 22


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """Spoken examples of types (words, digits).

    Parameters
    ----------
    frames
        Of each token: features (n_frames, dim), or units (n_frames,); at least one frame.
    types
        Type of each token, integers from 0, shape (n_tokens,).
    speakers
        Speaker of each token, integers from 0, shape (n_tokens,).

    Raises
    ------
    ValueError
        If the lengths differ.
    """

    frames: Sequence[NDArray[np.generic]]
    types: NDArray[np.integer]
    speakers: NDArray[np.integer]

    def __post_init__(self) -> None:
        if self.types.shape != (len(self.frames),) or self.speakers.shape != self.types.shape:
            raise ValueError(
                f"{len(self.frames)} tokens need one type ({self.types.shape}) and one speaker each "
                f"({self.speakers.shape})"
            )


@dataclass(frozen=True, slots=True)
class AbxError:
    """The error of the ABX test.

    Attributes
    ----------
    error
        Share of triples answered wrongly, with its interval over types (and speakers, if there are at least 8); NaN
        without triples.
    shuffled
        The same with the types of the tokens permuted among the tokens of each speaker.
    n
        Number of triples.
    n_types
        Types that occur in them.
    n_speakers
        Speakers that occur in them.
    """

    error: Estimate
    shuffled: float
    n: int
    n_types: int
    n_speakers: int

    def to_json(self) -> dict[str, Any]:
        """Return plain values; None where a figure is undefined."""
        return {
            **self.error.to_json(),
            "shuffled": plain(self.shuffled),
            "triples": self.n,
            "types": self.n_types,
            "speakers": self.n_speakers,
        }


def abx_error(
    tokens: Tokens,
    *,
    across: bool,
    distance: FrameDistance = angles,
    n: int = N_TRIPLES,
    seed: int = 0,
    resamples: int = 1000,
    judged: Collection[int] | None = None,
) -> AbxError:
    """Return the ABX error of tokens within or across speakers.

    Parameters
    ----------
    tokens
        Features or units of spoken examples.
    across
        Whether X is said by another speaker than A and B.
    distance
        Distance of frames under the dynamic time warping; ``dtw.differing`` for units.
    n, seed
        Number of triples and seed of the draws.
    resamples
        Resamples of the interval; 0 for none.
    judged
        Speakers that X may have; None: all.

    Examples
    --------
    >>> sounds = [np.array([[1.0, 0.0]]), np.array([[0.9, 0.1]]), np.array([[0.0, 1.0]]), np.array([[0.1, 0.9]])]
    >>> spoken = Tokens(sounds, types=np.array([0, 0, 1, 1]), speakers=np.array([0, 1, 0, 1]))
    >>> abx_error(spoken, across=True, n=100).error.value
    0.0
    """
    triples = draw_triples(tokens.types, tokens.speakers, n, seed, across=across, judged=judged)
    wrong = triple_errors(tokens.frames, triples, distance)
    permuted = _permuted_types(tokens, seed)
    shuffled = draw_triples(permuted, tokens.speakers, n, seed, across=across, judged=judged)
    judged_types = np.concatenate([tokens.types[triples.a], tokens.types[triples.b]])
    heard = np.concatenate([tokens.speakers[triples.a], tokens.speakers[triples.x]])
    return AbxError(
        error=_interval(wrong, tokens, triples, resamples, seed),
        shuffled=float(triple_errors(tokens.frames, shuffled, distance).mean()) if len(shuffled) else math.nan,
        n=len(triples),
        n_types=len(np.unique(judged_types)),
        n_speakers=len(np.unique(heard)),
    )


def triple_errors(
    frames: Sequence[NDArray[np.generic]], triples: Triples, distance: FrameDistance = angles
) -> NDArray[np.float64]:
    """Return 1.0 for each triple whose X is nearer to B than to A, 0.5 if both are equally near, else 0.0.

    Parameters
    ----------
    frames
        Features or units of each token.
    triples
        Indices of tokens.
    distance
        Distance of frames.

    Returns
    -------
    numpy.ndarray
        float64, shape (n_triples,). Distances within 1e-12 are equal.
    """
    pairs = np.concatenate([np.stack([triples.a, triples.x], axis=1), np.stack([triples.b, triples.x], axis=1)])
    to_a, to_b = np.split(dtw_distances(frames, pairs, distance), 2)
    gap = to_a - to_b
    return np.where(np.abs(gap) <= 1e-12, 0.5, (gap > 0).astype(np.float64))


def _permuted_types(tokens: Tokens, seed: int) -> NDArray[np.integer]:
    """Return the types of the tokens, permuted among those of each speaker."""
    generator, permuted = np.random.default_rng(seed), tokens.types.copy()
    for speaker in np.unique(tokens.speakers):
        rows = np.flatnonzero(tokens.speakers == speaker)
        permuted[rows] = tokens.types[generator.permutation(rows)]
    return permuted


def _interval(wrong: NDArray[np.float64], tokens: Tokens, triples: Triples, resamples: int, seed: int) -> Estimate:
    """Return the mean with its percentile interval.

    Types are drawn with replacement and a triple counts as often as both its types together (the pigeonhole
    bootstrap); speakers likewise where there are enough of them to show their spread.
    """
    value = float(wrong.mean()) if len(wrong) else math.nan
    facts = [np.unique(tokens.types, return_inverse=True)[1]] * 2 + [np.unique(tokens.speakers, return_inverse=True)[1]]
    keys = [fact[index] for fact, index in zip(facts, (triples.a, triples.b, triples.x), strict=True)]
    enough = len(np.unique(keys[2])) >= MIN_GROUPS
    if resamples == 0 or len(np.unique(keys[0])) < 2:
        return Estimate(value, math.nan, math.nan)
    generator, draws = np.random.default_rng(seed), []
    block = max(1, _WEIGHTS_AT_ONCE // len(wrong))
    for done in range(0, resamples, block):
        rows = min(block, resamples - done)
        of_types = _times(keys[0], keys[1], rows, generator)
        weights = of_types[:, keys[0]] * of_types[:, keys[1]]
        if enough:
            weights = weights * _times(keys[2], keys[2], rows, generator)[:, keys[2]]
        total = weights.sum(axis=1)
        draws.append((weights @ wrong)[total > 0] / total[total > 0])
    low, high = np.quantile(np.concatenate(draws), [0.025, 0.975])
    return Estimate(value, float(low), float(high))


def _times(
    first: NDArray[np.int64], second: NDArray[np.int64], rows: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return how often each value that occurs is drawn, float64 (rows, largest value + 1)."""
    values = np.union1d(first, second)
    times_drawn = np.zeros((rows, int(values.max()) + 1))
    times_drawn[:, values] = generator.multinomial(len(values), np.full(len(values), 1 / len(values)), size=rows)
    return times_drawn
