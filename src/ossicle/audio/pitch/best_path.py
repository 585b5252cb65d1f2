"""The most probable contour through the candidates of each frame (Viterbi), with unvoiced stretches."""

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.pitch.candidates import MOST, Candidates

# Chosen where pYIN and swift_f0 agree on real speech (benchmarks/bench_pitch.py): not a property of speech.
_SWITCH = 0.01
"""Chance that voicing changes from one frame to the next."""
_UNVOICED = 0.003
"""Weight of an unvoiced frame against a dip of the same probability."""
_PER_OCTAVE = 12.0
"""Log probability that a change of an octave from one frame to the next costs."""


def best_path(candidates: Candidates) -> NDArray[np.int64]:
    """Return for each frame the candidate on the best path, int64 (n,); -1 where the frame is unvoiced.

    Parameters
    ----------
    candidates
        Candidates of consecutive frames, 10 ms apart.
    """
    n = len(candidates.f0_hz)
    if not n:
        return np.zeros(0, dtype=np.int64)
    voiced = np.log(np.maximum(candidates.probability, 1e-12)).astype(np.float64)
    voiced[candidates.probability <= 0] = -np.inf
    silent = np.log(np.maximum(1 - candidates.probability.sum(axis=1, dtype=np.float64), 1e-3) * _UNVOICED)
    octaves = np.log2(candidates.f0_hz.astype(np.float64))
    stay, switch = np.log1p(-_SWITCH), np.log(_SWITCH)
    back = np.empty((n, MOST + 1), dtype=np.int8)
    score = np.append(voiced[0], silent[0])
    moves = np.empty((MOST + 1, MOST + 1))
    moves[:, MOST] = switch
    moves[MOST, :MOST] = switch
    moves[MOST, MOST] = stay
    for frame in range(1, n):
        jump = np.abs(octaves[frame - 1][:, None] - octaves[frame][None, :])
        moves[:MOST, :MOST] = stay - _PER_OCTAVE * jump
        ways = score[:, None] + moves
        came = ways.argmax(axis=0)
        back[frame] = came
        score = ways[came, np.arange(MOST + 1)]
        score[:MOST] += voiced[frame]
        score[MOST] += silent[frame]
        score -= score.max()
    state = int(score.argmax())
    path = np.empty(n, dtype=np.int64)
    for frame in range(n - 1, -1, -1):
        path[frame] = state
        state = int(back[frame, state])
    path[path == MOST] = -1
    return path
