"""ABX errors of features, and of the units of a fold, between spoken words."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.evaluation.units.unit_figures import Resampling
from ossicle.evaluation.units.words import FrameTimes, JudgedSegment, SpokenWords, word_tokens
from ossicle.metrics.units.abx import AbxError, Tokens, abx_error
from ossicle.metrics.units.dtw import FrameDistance

WITHIN, ACROSS = "abx_within", "abx_across"
MOST_VALUES = 1 << 25
"""Most values of tokens in memory: frames times the length of a frame."""
MOST_FRAMES = 1 << 19
"""Most frames of tokens, about three hours of words."""

Frames = NDArray[Any]


def abx_figures(
    segments: Sequence[JudgedSegment],
    words: SpokenWords,
    times: FrameTimes,
    frames_of: Callable[[JudgedSegment], Frames],
    distance: FrameDistance,
    resampling: Resampling,
    judged: Collection[str] | None = None,
    dim: int = 1,
) -> dict[str, AbxError]:
    """Return the ABX errors between words, within and across groups.

    Parameters
    ----------
    segments
        Segments of all groups.
    words, times
        The words of the corpus, and the times of frames.
    frames_of
        Returns features (n_frames, dim) or units (n_frames,) of a segment; asked only for segments that are used.
    distance
        Distance of frames.
    resampling
        Settings of the draws and the intervals.
    judged
        Groups that X may have: those held out; None: all. A and B are of the same group (within) or of any other.
    dim
        Length of a frame: with longer frames, fewer tokens fit into memory, and some segments are left out at random.

    Returns
    -------
    dict
        :data:`WITHIN` and :data:`ACROSS`.
    """
    used = _drawn_segments(segments, words, times, min(MOST_FRAMES, MOST_VALUES // dim), resampling.seed)
    tokens = word_tokens(used, words, times)
    frames: list[Frames] = []
    edges = np.searchsorted(tokens.segment, np.arange(len(used) + 1))
    for segment, start, stop in zip(used, edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if start < stop:
            of_segment = frames_of(segment)
            spans = zip(tokens.first[start:stop].tolist(), tokens.end[start:stop].tolist(), strict=True)
            frames += [of_segment[first:end].copy() for first, end in spans]
    spoken = Tokens(frames, tokens.types, tokens.speakers)
    numbers = None if judged is None else {n for n, group in enumerate(tokens.groups) if group in judged}
    return {
        name: abx_error(
            spoken,
            across=name == ACROSS,
            distance=distance,
            seed=resampling.seed,
            resamples=resampling.resamples,
            judged=numbers,
        )
        for name in (WITHIN, ACROSS)
    }


def _drawn_segments(
    segments: Sequence[JudgedSegment], words: SpokenWords, times: FrameTimes, most_frames: int, seed: int
) -> list[JudgedSegment]:
    """Return segments, in their order, whose words have at most about ``most_frames`` frames together."""
    spoken = np.array(
        [
            int((words.of_frames(judged_segment.recording_id, times.of(judged_segment)) >= 0).sum())
            for judged_segment in segments
        ],
        dtype=np.int64,
    )
    order = np.random.default_rng(seed).permutation(len(segments))
    used = np.sort(order[np.cumsum(spoken[order]) <= most_frames])
    return [segments[row] for row in used.tolist()]
