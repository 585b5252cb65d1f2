"""Noise clips mined from stretches without annotations, only where somebody checked.

Every annotation excludes noise, whatever its label or quality, widened by a margin. Draws are uniform over the free
time: the number of draws per recording is proportional to its free time, and within it every admissible start is
equally likely.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.columns.row_groups import RowGroups, group_rows
from ossicle.core.digest import seed_of
from ossicle.core.intervals import Intervals, as_intervals, both, gaps, union, widen
from ossicle.core.records import Annotation, Recording


@dataclass(frozen=True, slots=True)
class NoiseSpan:
    """A mined stretch of a recording, in seconds."""

    recording_id: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class MiningRow:
    """The result of mining in one recording: ``asked == placed + skipped``.

    ``overlapping`` of the placed spans share time with another noise span, for lack of room; none ever touches an
    annotation or its margin.
    """

    recording_id: str
    free_s: float
    asked: int
    placed: int
    overlapping: int
    skipped: int


@dataclass(frozen=True, eq=False)
class NoiseSpans(Sequence[NoiseSpan]):
    """Mined stretches as columns, sorted by recording and start; ``NoiseSpan`` objects are made when asked for.

    ``start_s`` and ``end_s``: float64 (n,), seconds.
    """

    groups: RowGroups
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.start_s)

    def __eq__(self, other: object) -> bool:
        """Compare rows with those of another sequence."""
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    @overload
    def __getitem__(self, key: int) -> NoiseSpan: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[NoiseSpan, ...]: ...
    def __getitem__(self, key: int | slice) -> NoiseSpan | tuple[NoiseSpan, ...]:
        """Return one span, or some."""
        if isinstance(key, slice):
            return tuple(self[row] for row in range(len(self))[key])
        row = range(len(self))[key]
        return NoiseSpan(self.groups.recording(row), float(self.start_s[row]), float(self.end_s[row]))


def free_stretches(recording: Recording, annotations: Iterable[Annotation], margin_s: float) -> Intervals:
    """Return the parts of the recording outside all its annotations, widened by ``margin_s`` seconds: shape (n, 2),
    seconds.
    """
    busy = AnnotationColumns.from_annotations(annotations).of(recording.id).intervals()
    return gaps(union(widen(busy, margin_s)), 0.0, recording.duration_s)


def mine_noise(
    recordings: Sequence[Recording],
    annotations: Iterable[Annotation],
    n: int,
    lengths_s: Sequence[float],
    margin_s: float,
    seed: int,
    partly: Mapping[str, Sequence[tuple[float, float]]] | None = None,
) -> tuple[NoiseSpans, list[MiningRow]]:
    """Draw ``n`` noise spans, each of a length drawn from ``lengths_s`` (seconds), sorted by recording and start.

    Unreviewed and left-out recordings are skipped; in recordings of ``partly`` (seconds, by id), of which only some
    stretches were checked, spans lie in these. Each recording has its own generator from (seed, recording id). A span
    that fits nowhere is counted as skipped, never shortened or moved to a neighbour.
    """
    if n < 0 or not lengths_s or min(lengths_s) <= 0:
        raise ValueError(f"mining needs n >= 0 and positive lengths, got n = {n} and lengths {list(lengths_s)}")
    notes = AnnotationColumns.from_annotations(annotations)
    looked = {key: as_intervals(times) for key, times in (partly or {}).items()}
    usable = [r for r in recordings if (r.reviewed or r.id in looked) and r.status != "left_out"]
    usable.sort(key=lambda r: r.id)
    free = [free_stretches(r, notes, margin_s) for r in usable]
    free = [
        both(stretches, looked[r.id]) if r.id in looked else stretches
        for r, stretches in zip(usable, free, strict=True)
    ]
    spans: list[Intervals] = []
    rows: list[MiningRow] = []
    for recording, stretches, n_asked in zip(usable, free, _shares(free, min(lengths_s), n), strict=True):
        rng = np.random.default_rng(seed_of(seed, "noise", recording.id))
        lengths = rng.choice(np.asarray(lengths_s, dtype=np.float64), size=n_asked)
        placed, overlapping = place_spans(stretches, lengths, rng)
        spans.append(placed)
        free_s = float((stretches[:, 1] - stretches[:, 0]).sum())
        rows.append(MiningRow(recording.id, free_s, n_asked, len(placed), overlapping, n_asked - len(placed)))
    codes = np.repeat(np.arange(len(spans), dtype=np.int32), [len(span) for span in spans])
    groups, _ = group_rows([recording.id for recording in usable], codes)
    every = np.concatenate([np.zeros((0, 2)), *spans])
    return NoiseSpans(groups, every[:, 0], every[:, 1]), rows


def _shares(free: Sequence[Intervals], shortest_s: float, n: int) -> list[int]:
    """Divide ``n`` in proportion to the usable free time (largest remainders); all 0 if there is none."""
    seconds = np.array([float(np.maximum(f[:, 1] - f[:, 0] - shortest_s, 0).sum()) for f in free])
    exactly = [float(np.any(f[:, 1] - f[:, 0] >= shortest_s)) for f in free]
    weight = seconds if seconds.sum() > 0 else np.array(exactly)
    if len(weight) == 0:
        return []
    if weight.sum() == 0:
        weight = np.ones(len(free))
    ideal = n * weight / weight.sum()
    shares = np.floor(ideal).astype(int)
    largest = np.argsort(-(ideal - shares), kind="stable")[: n - int(shares.sum())]
    shares[largest] += 1
    return [int(share) for share in shares]


def place_spans(stretches: Intervals, lengths: NDArray[np.float64], rng: np.random.Generator) -> tuple[Intervals, int]:
    """Draw spans inside stretches, the longest first, separate while there is room.

    Parameters
    ----------
    stretches
        (n, 2) seconds.
    lengths
        (m,) seconds.
    rng
        The generator; every span takes two numbers from it.

    Returns
    -------
    tuple
        The placed spans, sorted, (k, 2) seconds, and how many had to overlap.
    """
    room = stretches
    placed: list[Intervals] = []
    overlapping = 0
    different, counts = np.unique(lengths, return_counts=True)
    for length, count in zip(different[::-1].tolist(), counts[::-1].tolist(), strict=True):
        separate_starts: list[float] = []
        while len(separate_starts) < count and (start := draw_start(room, length, rng)) is not None:
            separate_starts.append(start)
            room = without(room, start, start + length)
        # Room only shrinks, so once a length does not fit, none of its spans does.
        over = _draw_starts(stretches, length, count - len(separate_starts), rng)
        overlapping += len(over)
        if length != different[0]:
            for start in over.tolist():
                room = without(room, start, start + length)
        starts = np.concatenate([separate_starts, over])
        placed.append(np.stack([starts, starts + length], axis=1))
    spans = np.concatenate([np.zeros((0, 2)), *placed])
    return spans[np.lexsort((spans[:, 1], spans[:, 0]))], overlapping


def _draw_starts(stretches: Intervals, length: float, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return ``n`` results of :func:`draw_start`, with the same numbers of the generator; none if nothing fits."""
    slack = stretches[:, 1] - stretches[:, 0] - length
    fits = np.flatnonzero(slack >= 0)
    if n == 0 or len(fits) == 0:
        return np.zeros(0)
    total = float(slack[fits].sum())
    if total <= 0:
        return np.array([draw_start(stretches, length, rng) for _ in range(n)], dtype=np.float64)
    # As Generator.choice does for one draw with probabilities.
    upto = np.cumsum(slack[fits] / total)
    upto /= upto[-1]
    numbers = rng.random((n, 2))
    rows = fits[np.searchsorted(upto, numbers[:, 0], side="right")]
    starts: NDArray[np.float64] = stretches[rows, 0] + numbers[:, 1] * slack[rows]
    return starts


def draw_start(stretches: Intervals, length: float, rng: np.random.Generator) -> float | None:
    """Return a start such that [start, start + length] fits; every admissible start is equally likely."""
    slack = stretches[:, 1] - stretches[:, 0] - length
    fits = np.flatnonzero(slack >= 0)
    if len(fits) == 0:
        return None
    total = float(slack[fits].sum())
    if total <= 0:
        return float(stretches[fits[rng.integers(len(fits))], 0])
    row = fits[rng.choice(len(fits), p=slack[fits] / total)]
    return float(stretches[row, 0] + rng.random() * slack[row])


def without(room: Intervals, start: float, end: float) -> Intervals:
    """Return ``room`` without [start, end]."""
    left = np.stack([room[:, 0], np.minimum(room[:, 1], start)], axis=1)
    right = np.stack([np.maximum(room[:, 0], end), room[:, 1]], axis=1)
    both = np.concatenate([left, right])
    # A stretch wholly on one side of the span appears once: its other half has zero length.
    both_sides = both[both[:, 1] > both[:, 0]]
    return both_sides[np.argsort(both_sides[:, 0], kind="stable")]
