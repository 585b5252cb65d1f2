"""Unit sequences with planted motifs, and how many of them a vocabulary finds again."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.units.bpe.learning import LearnedMerges
from ossicle.units.motifs import TokenUses, token_uses
from ossicle.units.sequences import Runs, runs_of

N_UNITS, MOTIFS = 100, 40
FEWEST, MOST = 20, 600
"""Occurrences of the rarest and of the most frequent motif; the others lie between, evenly on a log scale."""
SUBSTITUTED = 0.05
LONG_FRAMES, SEGMENT_FRAMES = 6000, 300
"""The first segment has 120 s, the others 6 s."""
LEAST_USES = 20


@dataclass(frozen=True)
class Planted:
    """Segments frame by frame, and where motifs were planted: rows of (segment, first frame, frames)."""

    frames: list[NDArray[np.int64]]
    motifs: list[tuple[int, ...]]
    places: NDArray[np.int64]

    def runs(self) -> list[Runs]:
        return [runs_of(frame) for frame in self.frames]

    def shuffled(self, seed: int) -> list[Runs]:
        """The same runs in random order, each with its frames, and the same number of runs in each segment."""
        runs = self.runs()
        units, frames = (np.concatenate([getattr(run, name) for run in runs]) for name in ("units", "frames"))
        order = np.random.default_rng(seed).permutation(len(units))
        ends = np.cumsum([len(run.units) for run in runs])[:-1]
        parts = zip(np.split(units[order], ends), np.split(frames[order], ends), strict=True)
        return [runs_of(np.repeat(one, two)) for one, two in parts]


def planted(n_frames: int, seed: int) -> Planted:
    """Plant motifs of 3 to 6 units in random units; every unit lasts 1 to 3 frames: 2, or one more or less."""
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.full(N_UNITS, 5.0))
    motifs = [_motif(rng, int(rng.integers(3, 7))) for _ in range(MOTIFS)]
    times = rng.permutation(np.geomspace(FEWEST, MOST, MOTIFS).round().astype(int))
    chosen = rng.permutation(np.repeat(np.arange(MOTIFS), times))
    lengths = [LONG_FRAMES] + [SEGMENT_FRAMES] * max(1, (n_frames - LONG_FRAMES) // SEGMENT_FRAMES)
    owner = rng.choice(len(lengths), len(chosen), p=np.array(lengths) / sum(lengths))
    frames, places = [], []
    for segment, length in enumerate(lengths):
        own_motifs = [motifs[motif_number] for motif_number in chosen[owner == segment]]
        rest = max(0, length - 2 * sum(map(len, own_motifs)))
        pieces: list[NDArray[np.int64]] = []
        for motif, before in zip([*own_motifs, ()], _filling(rng, share, rest, len(own_motifs) + 1), strict=True):
            units = np.array(motif, np.int64)
            changed = rng.random(len(units)) < SUBSTITUTED
            units[changed] = rng.integers(0, N_UNITS, changed.sum())
            heard = np.repeat(units, rng.integers(1, 4, len(units)))
            if motif:
                places.append((segment, sum(map(len, pieces)) + len(before), len(heard)))
            pieces += [before, heard]
        frames.append(np.concatenate(pieces))
    return Planted(frames, motifs, np.array(places))


def recall(corpus: Planted, learned: LearnedMerges) -> float:
    """Share of the motifs whose units lie in a row in some token."""
    tokens = [expansion for expansion in learned.merges.expansions if len(expansion) > 1]
    return float(np.mean([any(_inside(motif, token) for token in tokens) for motif in corpus.motifs]))


@dataclass(frozen=True)
class Precision:
    """Of the multi-unit tokens with at least 20 uses: how many, and the share of them that overlaps a planted motif.

    ``mostly`` counts a token only if most of its uses do, ``inside`` only if most lie wholly in one.
    """

    tokens: int
    overlaps: float
    mostly: float
    inside: float


def precision(corpus: Planted, runs: list[Runs], learned: LearnedMerges) -> Precision:
    uses: TokenUses = token_uses(learned.tokens, [run.frames for run in runs], learned.merges)
    offset = np.cumsum([0, *map(len, corpus.frames)])
    cover = np.zeros(offset[-1] + 1, np.int64)
    for segment, first, n in corpus.places:
        cover[offset[segment] + first : offset[segment] + first + n] = 1
    total = np.concatenate([[0], np.cumsum(cover)])
    start = offset[uses.segment] + uses.first_frame
    covered = total[start + uses.frames] - total[start]
    n = learned.merges.n_tokens
    count = np.bincount(uses.token, minlength=n)
    touching = np.bincount(uses.token, weights=covered > 0, minlength=n)
    within = np.bincount(uses.token, weights=covered == uses.frames, minlength=n)
    used_often = (np.arange(n) >= N_UNITS) & (count >= LEAST_USES)
    if not used_often.any():
        return Precision(0, float("nan"), float("nan"), float("nan"))
    touching, within, count = touching[used_often], within[used_often], count[used_often]
    shares = (touching > 0, touching >= count / 2, within >= count / 2)
    return Precision(int(used_often.sum()), *(float(share.mean()) for share in shares))


def _inside(motif: tuple[int, ...], token: tuple[int, ...]) -> bool:
    return any(token[i : i + len(motif)] == motif for i in range(len(token) - len(motif) + 1))


def _motif(rng: np.random.Generator, length: int) -> tuple[int, ...]:
    units = [int(rng.integers(N_UNITS))]
    while len(units) < length:
        nxt = int(rng.integers(N_UNITS))
        units += [nxt] if nxt != units[-1] else []
    return tuple(units)


def _filling(
    rng: np.random.Generator, share: NDArray[np.float64], n_frames: int, n_parts: int
) -> list[NDArray[np.int64]]:
    units = rng.choice(N_UNITS, n_frames, p=share)
    frames = np.repeat(units, rng.integers(1, 4, n_frames))[:n_frames]
    return np.split(frames, np.sort(rng.integers(0, n_frames + 1, n_parts - 1)))
