"""Levels of frames to pieces of sound: silences, short pieces, long pieces. Pure functions on arrays."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.segmentation.frame_levels import FLOOR_DBFS, HOP_SAMPLES, RATE, WINDOW_SAMPLES
from ossicle.audio.segmentation.settings import FULL_SCALE, LOUDEST, SegmentSettings
from ossicle.core.time import to_samples

SILENCE, LONGEST, END, GIVEN = "silence", "longest", "end", "given"
"""Why a piece ends: a silence follows, it was cut because it was too long, the recording ends, or somebody said so."""
WIDEST_JOIN_S = 10.0
"""Longest silence in seconds over which a short piece is joined to a neighbour."""
SILENT_DBFS = -90.0
"""A recording without a frame above this level holds no sound."""

# The quietest point of a long piece is the middle of so many frames, the loudest of which is the softest.
_QUIET_FRAMES = 11


@dataclass(frozen=True, slots=True)
class Piece:
    """Samples [start, end) of a recording at the rate of the levels, and why it ends there."""

    start: int
    end: int
    cut: str

    @property
    def n_samples(self) -> int:
        """Length in samples."""
        return self.end - self.start


def threshold_of(levels: NDArray[np.float32], settings: SegmentSettings) -> float:
    """Return the level below which a frame of a recording is silent, in dB relative to full scale.

    Parameters
    ----------
    levels
        Levels of its frames, float32 (n,), n > 0.
    settings
        What the threshold is relative to, and by how much.
    """
    if settings.relative_to == FULL_SCALE:
        return settings.threshold_db
    share = 100.0 if settings.relative_to == LOUDEST else settings.percentile
    return float(np.percentile(levels, share)) + settings.threshold_db


def pieces_of(
    levels: NDArray[np.float32], n_samples: int, threshold_db: float, settings: SegmentSettings
) -> list[Piece]:
    """Return the pieces of sound in a recording, in order, without overlap.

    A silence of ``min_silence_s`` ends a piece, wherever it begins; margins are kept on both sides. Pieces shorter than
    ``shortest_s`` are joined to the neighbour with the shorter silence between, unless this silence is longer than
    :data:`WIDEST_JOIN_S` or the result would be longer than ``longest_s``. Pieces longer than this are cut at their
    quietest points. No sound is dropped, and silence after the last sound is not part of a piece.

    Parameters
    ----------
    levels
        Levels of the frames of :func:`~ossicle.audio.segmentation.frame_levels.frame_levels`, float32 (n_frames,).
    n_samples
        Length of the recording.
    threshold_db
        Level below which a frame is silent, in dB relative to full scale.
    settings
        Lengths in seconds.

    Returns
    -------
    list[Piece]
        Empty if every frame is silent.
    """
    loud = levels >= max(threshold_db, SILENT_DBFS)
    spans = _spans(loud, n_samples, settings)
    joined = _joined_pieces(spans, settings)
    parts = [part for piece in joined for part in _cut_piece(piece, levels, settings)]
    if parts and parts[-1].end == n_samples:
        parts[-1] = replace(parts[-1], cut=END)
    return parts


def peak_of(levels: NDArray[np.float32], start: int, end: int) -> float:
    """Return the level of the loudest frame that begins in samples [start, end), in dB relative to full scale."""
    first = min(-(-start // HOP_SAMPLES), max(len(levels) - 1, 0))
    piece_levels = levels[first : max(first + 1, -(-end // HOP_SAMPLES))]
    return float(piece_levels.max(initial=FLOOR_DBFS))


def _spans(loud: NDArray[np.bool_], n_samples: int, settings: SegmentSettings) -> list[Piece]:
    """Return what lies between silences, with its margins."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]]).astype(np.int8)))
    starts, stops = edges[::2], edges[1::2]
    if not len(starts):
        return []
    # So many frames lie wholly in a silence of this length wherever it begins.
    least = max(1, (to_samples(settings.min_silence_s, RATE) - WINDOW_SAMPLES) // HOP_SAMPLES)
    parted = starts[1:] - stops[:-1] >= least
    first = starts[np.concatenate([[True], parted])] * HOP_SAMPLES
    last = np.minimum((stops[np.concatenate([parted, [True]])] - 1) * HOP_SAMPLES + WINDOW_SAMPLES, n_samples)
    margin = to_samples(settings.margin_s, RATE)
    middles = (last[:-1] + first[1:]) // 2
    begins = np.maximum(first - margin, np.concatenate([[0], middles]))
    ends = np.minimum(last + margin, np.concatenate([middles, [n_samples]]))
    return [Piece(int(begin), int(end), SILENCE) for begin, end in zip(begins, ends, strict=True)]


def _joined_pieces(spans: list[Piece], settings: SegmentSettings) -> list[Piece]:
    """Join short pieces to neighbours, over the shortest silences first."""
    shortest, longest = to_samples(settings.shortest_s, RATE), to_samples(settings.longest_s, RATE)
    widest = to_samples(WIDEST_JOIN_S, RATE)
    gaps = np.array([after.start - before.end for before, after in pairwise(spans)], dtype=np.int64)
    # The first and last span of the group that each span belongs to; kept right at both ends of a group.
    first, last = list(range(len(spans))), list(range(len(spans)))
    # A group only grows, so one pass is enough: what is too long, or no longer short, stays so.
    for gap in np.argsort(gaps, kind="stable"):
        if gaps[gap] > widest:
            break
        begin, end = first[gap], last[gap + 1]
        before = spans[gap].end - spans[begin].start
        after = spans[end].end - spans[gap + 1].start
        if min(before, after) < shortest and spans[end].end - spans[begin].start <= longest:
            last[begin], first[end] = end, begin
    joined, index = [], 0
    while index < len(spans):
        joined.append(Piece(spans[index].start, spans[last[index]].end, SILENCE))
        index = last[index] + 1
    return joined


def _cut_piece(piece: Piece, levels: NDArray[np.float32], settings: SegmentSettings) -> list[Piece]:
    """Cut a piece that is too long at its quietest points, each part between half of the longest and the longest."""
    shortest, longest = to_samples(settings.shortest_s, RATE), to_samples(settings.longest_s, RATE)
    parts: list[Piece] = []
    start = piece.start
    while piece.end - start > longest:
        latest = min(start + longest, piece.end - shortest)
        cut = _quietest(levels, start + longest // 2, latest)
        parts.append(Piece(start, cut, LONGEST))
        start = cut
    return [*parts, Piece(start, piece.end, piece.cut)]


def _quietest(levels: NDArray[np.float32], low: int, high: int) -> int:
    """Return the sample in [low, high] in the middle of the quietest stretch; of equal ones, of the first."""
    half = WINDOW_SAMPLES // 2
    first = max(0, -(-(low - half) // HOP_SAMPLES))
    stop = min(len(levels), (high - half) // HOP_SAMPLES + 1)
    if stop <= first:
        return low
    reach = _QUIET_FRAMES // 2
    before, after = max(0, reach - first), max(0, stop + reach - len(levels))
    near = np.pad(levels[first - reach + before : stop + reach - after], (before, after), constant_values=FLOOR_DBFS)
    around = np.lib.stride_tricks.sliding_window_view(near, _QUIET_FRAMES).max(axis=1)
    run = np.flatnonzero(around == around.min())
    splits = np.flatnonzero(np.diff(run) > 1)
    quiet = run[: splits[0] + 1] if len(splits) else run
    return int((first + (quiet[0] + quiet[-1]) // 2) * HOP_SAMPLES + half)
