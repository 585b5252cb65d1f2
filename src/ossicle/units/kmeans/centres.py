"""Centres of frames that need not fit into memory: from a sample in memory, then in passes over all frames.

1. A seeded sample is drawn over all frames, so their order does not matter.
2. k-means++ runs several times on a part of the sample, the start with the smallest inertia is kept, and centres that
   lie close together are moved to where one centre stands for too many frames, as long as that helps.
3. Passes over the sample (Lloyd's algorithm), until the inertia stops falling.
4. Passes over all frames, block by block, until it stops falling again. Few are needed: the sample is large.

A pass over all frames needs no shuffling, and its result does not depend on a batch size or a learning rate, as that of
mini-batches does; ``docs/decisions/0041`` gives figures.

References
----------
S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28, 1982.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ossicle.core.digest import seed_of
from ossicle.core.errors import UsageError
from ossicle.units.frames import Frames, Indices
from ossicle.units.kmeans.cluster_sums import Blocks, Centres, ClusterSums
from ossicle.units.kmeans.first_centres import first_centres
from ossicle.units.kmeans.lloyd import LEAST_GAIN, lloyd, reseed
from ossicle.units.kmeans.state import Checkpoint, KMeansState
from ossicle.units.nearest import Screens

# Frames and bytes of the sample at most.
_SAMPLE_FRAMES, _SAMPLE_BYTES = 1 << 18, 1 << 28
_SAMPLE_PASSES, _MOST_PASSES = 100, 20
# Passes over the sample are cheap, so they go on until they gain less than this.
_SAMPLE_GAIN = 1e-5

Take = Callable[[Indices], Frames]


@dataclass(frozen=True, eq=False)
class FoundCentres:
    """The result of a training.

    Attributes
    ----------
    centres
        float32, shape (k, dim).
    passes
        Passes over all frames.
    inertia
        Mean squared distance of a frame to its centre.
    counts
        Frames of each cluster, int64 (k,).
    reseeded
        How often a centre without frames was put elsewhere.
    """

    centres: Centres
    passes: int
    inertia: float
    counts: Indices
    reseeded: int


@dataclass(frozen=True)
class KMeans:
    """Finds ``k`` centres.

    Attributes
    ----------
    blocks
        All frames.
    take
        Returns the frames at sorted places, for the sample: float32 (n, dim).
    k, seed
        Number of centres, and seed of sample and start.
    threads
        Threads that share the blocks; they do not change the result.
    checkpoint
        Where the state is kept; None: nowhere.
    key
        What the state belongs to; a state with another key is not used.
    advance
        Called with the finished passes and the share of the present one.
    screens
        Returns a faster search for centres; None: float32. It does not change the result.
    """

    blocks: Blocks
    take: Take
    k: int
    seed: int
    threads: int = 1
    checkpoint: Checkpoint | None = None
    key: str = ""
    advance: Callable[[int, float], None] = lambda passes, share: None
    screens: Screens | None = None

    def fit(self) -> FoundCentres:
        """Return the centres; a training that was interrupted ends with the same ones.

        Raises
        ------
        UsageError
            There are fewer frames than centres.
        """
        if self.blocks.n_frames < self.k:
            raise UsageError(
                f"[quantiser] k = {self.k}: there are only {self.blocks.n_frames} frames to fit them to; set a lower k"
            )
        key = f"{self.key} k={self.k} seed={self.seed}"
        state = (self.checkpoint.load(key) if self.checkpoint else None) or self._from_sample()
        while True:
            for sums in self.blocks.sums(state.centres, self.threads, state.block, self.screens):
                state.sums.add(sums)
                state = _with_block(state, block=state.block + 1)
                self.advance(state.passes, state.block / len(self.blocks))
                if self.checkpoint:
                    self.checkpoint.save(key, state)
            if state.converged:
                return FoundCentres(
                    state.centres,
                    state.passes,
                    state.sums.inertia(state.centres),
                    state.sums.counts,
                    state.reseeded,
                )
            state = self._next(state)

    def _next(self, state: KMeansState) -> KMeansState:
        """Return the state at the start of the next pass."""
        inertia, passes = state.sums.inertia(state.centres), state.passes + 1
        centres = state.sums.means(state.centres)
        reseeded = 0
        if (state.sums.counts == 0).any():
            centres, reseeded = reseed(centres, state.sums.counts, self._sample())
        settled = inertia >= state.inertia * (1 - LEAST_GAIN) and not reseeded
        return KMeansState(
            centres,
            passes,
            0,
            ClusterSums.empty(self.k, self.blocks.dim),
            inertia,
            state.reseeded + reseeded,
            settled or passes >= _MOST_PASSES,
        )

    def _sample(self) -> Frames:
        n = self.blocks.n_frames
        size = min(n, max(self.k, min(_SAMPLE_FRAMES, _SAMPLE_BYTES // (4 * self.blocks.dim))))
        draw = np.random.default_rng(seed_of(self.seed, "sample"))
        return self.take(np.arange(n) if size == n else np.sort(draw.choice(n, size, replace=False, shuffle=False)))

    def _from_sample(self) -> KMeansState:
        sample = self._sample()
        centres = first_centres(sample, self.k, self.seed, self.threads)
        centres, inertia, reseeded = lloyd(sample, centres, _SAMPLE_PASSES, self.threads, _SAMPLE_GAIN, self.screens)
        # The sample may be all there is: then its passes were passes over all frames.
        whole = len(sample) == self.blocks.n_frames
        empty = ClusterSums.empty(self.k, self.blocks.dim)
        return KMeansState(centres, 0, 0, empty, inertia if whole else np.inf, reseeded, whole)


def _with_block(state: KMeansState, *, block: int) -> KMeansState:
    return KMeansState(state.centres, state.passes, block, state.sums, state.inertia, state.reseeded, state.converged)
