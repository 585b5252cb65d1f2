"""Post-processing of a recording's scores, all labels at once: a kernel over neighbouring frames, and a file prior.

The kernel gives ``sum of w_j x_(k+j) / sum of w_j`` over the frames k + j that the recording has: at its ends the
weights that are left are divided by their own sum. It is a fold over blocks, equal to the bit for any block sizes, and
delays a stream by half its length. The prior multiplies each label's scores by ``(mean of its top k scores)^power`` (k:
or as many frames as there are), so what a recording hardly holds anywhere is held against every frame of it: this needs
the whole recording, 4 bytes a frame and label, and no stream can have it.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ossicle.core.errors import UsageError
from ossicle.core.postprocess import Postprocess
from ossicle.core.tracks import ScoreTrack

Scores = NDArray[np.float32]


def postprocessed(track: ScoreTrack, how: Postprocess) -> ScoreTrack:
    """The track with its scores post-processed; the very track where there is nothing to do."""
    if how.does_nothing:
        return track
    fold = PostprocessFold(how, len(track.labels))
    scores = np.asarray(track.scores)
    return replace(track, scores=np.concatenate([fold.feed(scores), fold.finish()]))


def refuse_in_stream(how: Postprocess) -> None:
    """Raise UsageError for post-processing that needs the whole recording."""
    if how.needs_whole:
        raise UsageError(
            f"this bundle scales scores by a prior of the whole recording ([postprocess] file_prior_top = "
            f"{how.file_prior_top}), which a stream does not have; use `ossicle predict`, or a bundle of a project "
            "with file_prior_top = 0"
        )


class PostprocessFold:
    """A fold of one recording's score blocks, (n, n_labels), into post-processed ones."""

    def __init__(self, how: Postprocess, n_labels: int) -> None:
        self._how = how
        self._kernel = _Kernel(np.array(how.kernel, dtype=np.float64), n_labels) if how.smooths else None
        self._kept: list[Scores] = [np.zeros((0, n_labels), dtype=np.float32)]

    def feed(self, scores: Scores) -> Scores:
        """Take the next frames; returns the post-processed scores of those that are known now, (k, n_labels)."""
        known = scores if self._kernel is None else self._kernel.feed(scores)
        if not self._how.needs_whole:
            return known
        self._kept.append(np.array(known))
        return self._kept[0]

    def finish(self) -> Scores:
        """The scores of the frames that waited for the end of the recording."""
        rest = self._kept[0] if self._kernel is None else self._kernel.finish()
        if not self._how.needs_whole:
            return rest
        whole = np.concatenate([*self._kept, rest])
        return with_file_prior(whole, self._how.file_prior_top, self._how.file_prior_power)


def with_file_prior(scores: Scores, top: int, power: float) -> Scores:
    """Scores of a whole recording, (n_frames, n_labels), each label's times its prior in it; same shape."""
    if len(scores) == 0:
        return scores
    prior = mean_of_top(scores, top) ** power
    out: Scores = (scores * prior).astype(np.float32)
    return out


def mean_of_top(scores: Scores, top: int) -> NDArray[np.float64]:
    """The mean of each label's ``top`` highest scores, of all where there are fewer: (n, n_labels) to (n_labels,)."""
    kept = min(top, len(scores))
    highest = np.partition(scores, len(scores) - kept, axis=0)[len(scores) - kept :]
    # Sorted, since the order in which equal sums are added up must not hang on the partition.
    mean: NDArray[np.float64] = np.sort(highest, axis=0).astype(np.float64).mean(axis=0)
    return mean


class _Kernel:
    """The weighted mean of neighbouring frames as a fold; beyond the ends frames weigh nothing."""

    def __init__(self, weights: NDArray[np.float64], n_labels: int) -> None:
        self._weights, self._half = weights, len(weights) // 2
        self._tail = np.zeros((self._half, n_labels))
        self._there = np.zeros(self._half)

    def feed(self, scores: Scores) -> Scores:
        return self._advance(scores.astype(np.float64), np.ones(len(scores)))

    def finish(self) -> Scores:
        return self._advance(np.zeros((self._half, self._tail.shape[1])), np.zeros(self._half))

    def _advance(self, scores: NDArray[np.float64], there: NDArray[np.float64]) -> Scores:
        """Frames and whether each is one of the recording; gives the means whose neighbours are all known."""
        known, real = np.concatenate([self._tail, scores]), np.concatenate([self._there, there])
        whole = max(len(known) - 2 * self._half, 0)
        total, weight = np.zeros((whole, known.shape[1])), np.zeros(whole)
        for place, one in enumerate(self._weights.tolist()):
            total += one * known[place : place + whole]
            weight += one * real[place : place + whole]
        # Frames before the first and behind the last are no centres: the fold's tail holds the former at its start.
        centres = real[self._half : self._half + whole] > 0
        self._tail, self._there = known[whole:], real[whole:]
        means: Scores = (total[centres] / weight[centres, None]).astype(np.float32)
        return means
