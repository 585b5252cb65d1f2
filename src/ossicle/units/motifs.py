"""Motifs, tokens of two or more units: how often, where and how long each occurs, with examples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ossicle.units.bpe.merges import Merges

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TokenUses:
    """Every token of a corpus, in the order of segments and times: one value a use, shape (n,) each.

    Attributes
    ----------
    token
        The token, int16.
    segment
        Number of its segment, int32.
    first_run
        Its first run in the segment, int32.
    first_frame, frames
        Its first frame in the segment, and how many it has, int32.
    """

    token: NDArray[np.int16]
    segment: NDArray[np.int32]
    first_run: NDArray[np.int32]
    first_frame: NDArray[np.int32]
    frames: NDArray[np.int32]


def first_runs(tokens: NDArray[np.int16], merges: Merges) -> NDArray[np.int32]:
    """Return the first run of each token of a segment, shape (n,).

    >>> first_runs(np.array([3, 0, 3], np.int16), Merges(3, ((0, 1),))).tolist()
    [0, 2, 3]
    """
    lengths = merges.lengths[tokens]
    return (np.cumsum(lengths) - lengths).astype(np.int32)


def token_uses(
    tokens: Sequence[NDArray[np.int16]], run_frames: Sequence[NDArray[np.int32]], merges: Merges
) -> TokenUses:
    """Return where each token of a corpus is.

    Parameters
    ----------
    tokens
        The tokens of each segment.
    run_frames
        The frames of each run of each segment.
    merges
        The vocabulary.

    Raises
    ------
    ValueError
        The tokens of a segment do not have as many units as it has runs.
    """
    runs, frames, lengths = [], [], []
    for number, (row, durations) in enumerate(zip(tokens, run_frames, strict=True)):
        first = first_runs(row, merges)
        n_units = int(first[-1] + merges.lengths[row[-1]]) if len(row) else 0
        if n_units != len(durations):
            raise ValueError(f"segment {number}: its tokens have {n_units} units, and it has {len(durations)} runs")
        begins = np.concatenate([[0], np.cumsum(durations)]).astype(np.int32)
        runs.append(first)
        frames.append(begins[first])
        lengths.append(np.diff(begins[np.append(first, n_units)]) if len(row) else first)
    segment = np.repeat(np.arange(len(tokens), dtype=np.int32), [len(sequence) for sequence in tokens])
    token = np.concatenate([np.zeros(0, np.int16), *tokens])
    return TokenUses(token, segment, _joined_counts(runs), _joined_counts(frames), _joined_counts(lengths))


@dataclass(frozen=True, slots=True)
class MotifCounts:
    """What a corpus has of each motif: one value a motif, shape (n,) each; motif i is token ``n_units + i``.

    Attributes
    ----------
    count
        Uses.
    segments, groups
        Segments and groups with at least one use.
    frames
        Frames of all uses.
    mean_frames, sd_frames
        Mean and standard deviation of the frames of a use; NaN without uses.
    examples
        Rows of :class:`TokenUses` that show the motif, shape (n, most); -1 where there are fewer.
    """

    count: Counts
    segments: Counts
    groups: Counts
    frames: Counts
    mean_frames: NDArray[np.float64]
    sd_frames: NDArray[np.float64]
    examples: NDArray[np.int64]


def motif_counts(uses: TokenUses, merges: Merges, groups: Sequence[str], most_examples: int = 5) -> MotifCounts:
    """Count the motifs of a corpus.

    Parameters
    ----------
    uses
        Where each token is.
    merges
        The vocabulary.
    groups
        The group of each segment.
    most_examples
        Most examples of a motif. They come from as many groups as possible, and each of them is the use in its group
        whose duration is nearest to the mean.

    Returns
    -------
    MotifCounts
        Of all motifs, whether they are used or not.
    """
    n = len(merges.pairs)
    rows = np.flatnonzero(uses.token >= merges.n_units)
    motif = uses.token[rows].astype(np.int64) - merges.n_units
    segment, frames = uses.segment[rows].astype(np.int64), uses.frames[rows].astype(np.int64)
    group = np.unique(np.asarray(groups, object).astype(str), return_inverse=True)[1][segment] if len(rows) else segment
    count, total = np.bincount(motif, minlength=n), _sums(motif, frames, n)
    used = np.maximum(count, 1)
    mean = np.where(count > 0, total / used, np.nan)
    variance = _sums(motif, (frames - mean[motif]) ** 2, n) / used
    return MotifCounts(
        count,
        _distinct(motif, segment, n),
        _distinct(motif, group, n),
        total.astype(np.int64),
        mean,
        np.where(count > 0, np.sqrt(variance), np.nan),
        _examples(rows, motif, group, np.abs(frames - mean[motif]), n, most_examples),
    )


def _examples(
    rows: Counts, motif: Counts, group: Counts, deviation: NDArray[np.float64], n: int, most: int
) -> NDArray[np.int64]:
    """Return the best use of each group, then the second best of each group, and so on, of each motif."""
    order = np.lexsort((rows, deviation, group, motif))
    rank = np.empty(len(rows), np.int64)
    rank[order] = _place_in_run(motif[order], group[order])
    order = np.lexsort((rows, deviation, rank, motif))
    rank_in_group = _place_in_run(motif[order])
    kept_rows = order[rank_in_group < most]
    examples = np.full((n, most), -1, np.int64)
    examples[motif[kept_rows], rank_in_group[rank_in_group < most]] = rows[kept_rows]
    return examples


def _place_in_run(*keys: Counts) -> Counts:
    """Return the place of each value in its run of equal keys, from 0."""
    changes = np.zeros(len(keys[0]), np.bool_)
    changes[:1] = True
    for key in keys:
        changes[1:] |= key[1:] != key[:-1]
    begins = np.flatnonzero(changes)
    ranks: Counts = np.arange(len(changes)) - begins[np.cumsum(changes) - 1]
    return ranks


def _distinct(motif: Counts, value: Counts, n: int) -> Counts:
    """Return how many different values each motif has."""
    pairs = np.unique(motif * (value.max(initial=0) + 1) + value)
    return np.bincount(pairs // (value.max(initial=0) + 1), minlength=n)


def _sums(motif: Counts, values: ArrayLike, n: int) -> NDArray[np.float64]:
    sums: NDArray[np.float64] = np.bincount(motif, weights=np.asarray(values, np.float64), minlength=n).astype(
        np.float64
    )
    return sums


def _joined_counts(parts: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
    return np.concatenate([np.zeros(0, np.int32), *parts])
