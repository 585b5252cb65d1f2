"""Post-processing of a recording's scores, all labels at once: a kernel over neighbouring frames, and a file prior.

The kernel gives ``sum of w_j x_(k+j) / sum of w_j`` over the frames k + j that the recording has; at its ends the
remaining weights are divided by their own sum. It works on blocks, gives identical bits for any block sizes, and delays
a stream by half its length.

The prior multiplies each label's scores by ``(mean of its top k scores)^power`` (of all scores if there are fewer), so
a label with low scores throughout a recording is scaled down in every frame. It needs the whole recording, 4 bytes per
frame and label, and is impossible in a stream.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ossicle.core.errors import UsageError
from ossicle.core.scores.postprocess import Postprocess
from ossicle.core.tracks import ScoreTrack

Scores = NDArray[np.float32]


def postprocessed(track: ScoreTrack, postprocess: Postprocess) -> ScoreTrack:
    """Return the track with post-processed scores, or the same object if there is nothing to do."""
    if postprocess.does_nothing:
        return track
    fold = PostprocessFold(postprocess, len(track.labels))
    scores = np.asarray(track.scores)
    return replace(track, scores=np.concatenate([fold.feed(scores), fold.finish()]))


def refuse_in_stream(postprocess: Postprocess) -> None:
    """Raise UsageError if the post-processing needs the whole recording."""
    if postprocess.needs_whole:
        raise UsageError(
            f"this bundle scales scores by a prior of the whole recording ([postprocess] file_prior_top = "
            f"{postprocess.file_prior_top}), which a stream does not have; use `ossicle predict`, or a bundle of a "
            "project with file_prior_top = 0"
        )


class PostprocessFold:
    """Post-process one recording's scores, (n, n_labels), block by block."""

    def __init__(self, postprocess: Postprocess, n_labels: int) -> None:
        self._postprocess = postprocess
        self._kernel = (
            _Kernel(np.array(postprocess.kernel, dtype=np.float64), n_labels) if postprocess.smooths else None
        )
        self._blocks: list[Scores] = [np.zeros((0, n_labels), dtype=np.float32)]

    def feed(self, scores: Scores) -> Scores:
        """Add the next frames; return the post-processed scores that are now known, (k, n_labels)."""
        known = scores if self._kernel is None else self._kernel.feed(scores)
        if not self._postprocess.needs_whole:
            return known
        self._blocks.append(np.array(known))
        return self._blocks[0]

    def finish(self) -> Scores:
        """Return the scores of the frames that waited for the end of the recording."""
        rest = self._blocks[0] if self._kernel is None else self._kernel.finish()
        if not self._postprocess.needs_whole:
            return rest
        whole = np.concatenate([*self._blocks, rest])
        return with_file_prior(whole, self._postprocess.file_prior_top, self._postprocess.file_prior_power)


def with_file_prior(scores: Scores, top: int, power: float) -> Scores:
    """Multiply the scores of a whole recording, (n_frames, n_labels), by the prior of each label; same shape."""
    if len(scores) == 0:
        return scores
    prior = mean_of_top(scores, top) ** power
    scaled: Scores = (scores * prior).astype(np.float32)
    return scaled


def mean_of_top(scores: Scores, top: int) -> NDArray[np.float64]:
    """Return the mean of each label's ``top`` highest scores, or of all if there are fewer: (n, n_labels) to
    (n_labels,).
    """
    n_highest = min(top, len(scores))
    highest = np.partition(scores, len(scores) - n_highest, axis=0)[len(scores) - n_highest :]
    # Sorted, so that the order of the sum does not depend on the partition.
    mean: NDArray[np.float64] = np.sort(highest, axis=0).astype(np.float64).mean(axis=0)
    return mean


class _Kernel:
    """The weighted mean of neighbouring frames, block by block; frames beyond the ends have no weight."""

    def __init__(self, weights: NDArray[np.float64], n_labels: int) -> None:
        self._weights, self._half = weights, len(weights) // 2
        self._tail = np.zeros((self._half, n_labels))
        self._is_real = np.zeros(self._half)

    def feed(self, scores: Scores) -> Scores:
        return self._advance(scores.astype(np.float64), np.ones(len(scores)))

    def finish(self) -> Scores:
        return self._advance(np.zeros((self._half, self._tail.shape[1])), np.zeros(self._half))

    def _advance(self, scores: NDArray[np.float64], is_real: NDArray[np.float64]) -> Scores:
        """Take frames and whether each belongs to the recording; return the means whose neighbours are all known."""
        known, real = np.concatenate([self._tail, scores]), np.concatenate([self._is_real, is_real])
        whole = max(len(known) - 2 * self._half, 0)
        total, weight = np.zeros((whole, known.shape[1])), np.zeros(whole)
        for offset, kernel_weight in enumerate(self._weights.tolist()):
            total += kernel_weight * known[offset : offset + whole]
            weight += kernel_weight * real[offset : offset + whole]
        # Frames before the first and after the last are not centres; the initial tail holds those before the first.
        centres = real[self._half : self._half + whole] > 0
        self._tail, self._is_real = known[whole:], real[whole:]
        means: Scores = (total[centres] / weight[centres, None]).astype(np.float32)
        return means
