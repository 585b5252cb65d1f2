"""Noise clips mined from stretches without annotations, only where somebody checked.

Every annotation excludes noise, whatever its label or quality, widened by a margin. Draws are uniform over the free
time: the number of draws per recording is proportional to its free time, and within it every admissible start is
equally likely.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

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


def free_stretches(recording: Recording, annotations: Iterable[Annotation], margin_s: float) -> Intervals:
    """Return the parts of the recording outside all annotations, widened by ``margin_s`` seconds: shape (n, 2),
    seconds.
    """
    busy = as_intervals([(a.start_s, a.end_s) for a in annotations if a.recording_id == recording.id])
    return gaps(union(widen(busy, margin_s)), 0.0, recording.duration_s)


def mine_noise(
    recordings: Sequence[Recording],
    annotations: Iterable[Annotation],
    n: int,
    lengths_s: Sequence[float],
    margin_s: float,
    seed: int,
    partly: Mapping[str, Sequence[tuple[float, float]]] | None = None,
) -> tuple[list[NoiseSpan], list[MiningRow]]:
    """Draw ``n`` noise spans, each of a length drawn from ``lengths_s`` (seconds), sorted by recording and start.

    Unreviewed and left-out recordings are skipped; in recordings of ``partly`` (seconds, by id), of which only some
    stretches were checked, spans lie in these. Each recording has its own generator from (seed, recording id). A span
    that fits nowhere is counted as skipped, never shortened or moved to a neighbour.
    """
    if n < 0 or not lengths_s or min(lengths_s) <= 0:
        raise ValueError(f"mining needs n >= 0 and positive lengths, got n = {n} and lengths {list(lengths_s)}")
    of: dict[str, list[Annotation]] = defaultdict(list)
    for annotation in annotations:
        of[annotation.recording_id].append(annotation)
    looked = {key: as_intervals(times) for key, times in (partly or {}).items()}
    usable = [r for r in recordings if (r.reviewed or r.id in looked) and r.status != "left_out"]
    usable.sort(key=lambda r: r.id)
    free = [free_stretches(r, of[r.id], margin_s) for r in usable]
    free = [
        both(stretches, looked[r.id]) if r.id in looked else stretches
        for r, stretches in zip(usable, free, strict=True)
    ]
    spans: list[NoiseSpan] = []
    rows: list[MiningRow] = []
    for recording, stretches, asked in zip(usable, free, _shares(free, min(lengths_s), n), strict=True):
        rng = np.random.default_rng(seed_of(seed, "noise", recording.id))
        lengths = rng.choice(np.asarray(lengths_s, dtype=np.float64), size=asked)
        placed, overlapping = _place(stretches, lengths, rng)
        spans.extend(NoiseSpan(recording.id, start, end) for start, end in placed)
        free_s = float((stretches[:, 1] - stretches[:, 0]).sum())
        rows.append(MiningRow(recording.id, free_s, asked, len(placed), overlapping, asked - len(placed)))
    return spans, rows


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


def _place(
    stretches: Intervals, lengths: np.ndarray[tuple[int], np.dtype[np.float64]], rng: np.random.Generator
) -> tuple[list[tuple[float, float]], int]:
    """Return spans inside ``stretches``, separate while there is room, and how many had to overlap."""
    room = stretches
    placed: list[tuple[float, float]] = []
    overlapping = 0
    for length in sorted(lengths, reverse=True):  # the longest first, while there is room
        start = draw_start(room, length, rng)
        if start is None:
            start = draw_start(stretches, length, rng)
            if start is None:
                continue
            overlapping += 1
        placed.append((start, start + length))
        room = without(room, start, start + length)
    return sorted(placed), overlapping


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
    kept = both[both[:, 1] > both[:, 0]]
    return kept[np.argsort(kept[:, 0], kind="stable")]
