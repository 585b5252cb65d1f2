from itertools import product

import numpy as np
import pytest

from ossicle.audio.pitch.best_path import _PER_OCTAVE, _SWITCH, _UNVOICED, best_path
from ossicle.audio.pitch.candidates import MOST, Candidates


def made(generator, n):
    probability = generator.dirichlet(np.full(MOST + 1, 0.3), n)[:, :MOST]
    probability[generator.random((n, MOST)) < 0.5] = 0.0
    f0_hz = np.where(probability > 0, generator.uniform(60, 400, (n, MOST)), 1.0)
    return Candidates(f0_hz.astype(np.float32), probability.astype(np.float32))


def log_probability(found, path):
    """The log probability of a path, step by step."""
    total = 0.0
    for frame, state in enumerate(path):
        chances = found.probability[frame].astype(float)
        if state < 0:
            total += np.log(max(1 - chances.sum(), 1e-3) * _UNVOICED)
        elif chances[state] == 0:
            return -np.inf
        else:
            total += np.log(chances[state])
        if not frame:
            continue
        if (state < 0) != (path[frame - 1] < 0):
            total += np.log(_SWITCH)
        else:
            total += np.log1p(-_SWITCH)
            if state >= 0:
                ratio = float(found.f0_hz[frame, state]) / float(found.f0_hz[frame - 1, path[frame - 1]])
                total -= _PER_OCTAVE * abs(np.log2(ratio))
    return total


@pytest.mark.parametrize("seed", range(8))
def test_no_path_is_more_probable_than_the_best_one(seed):
    result = made(np.random.default_rng(seed), 4)
    best = max(log_probability(result, path) for path in product(range(-1, MOST), repeat=4))
    assert log_probability(result, best_path(result).tolist()) == pytest.approx(best, abs=1e-6)


def test_frames_without_candidates_are_unvoiced():
    nothing = Candidates(np.ones((5, MOST), np.float32), np.zeros((5, MOST), np.float32))
    assert best_path(nothing).tolist() == [-1] * 5
    assert len(best_path(Candidates(np.ones((0, MOST), np.float32), np.zeros((0, MOST), np.float32)))) == 0
