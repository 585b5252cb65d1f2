"""Candidates of all recordings are compared at once, as one recording after another would be."""

import numpy as np
from numpy.typing import NDArray

from ossicle.core.intervals import Intervals
from ossicle.inference.decisions.fit import choose
from ossicle.inference.decisions.grid import DecisionGrid
from ossicle.metrics.matching.rules import IouMatch, match
from ossicle.training.second_stage.label_fits import THRESHOLDS, Material, fit_threshold, matched

RULE = IouMatch(threshold=0.3)
IDS = [f"r{number}" for number in range(6)]


def events(generator: np.random.Generator, n: int) -> Intervals:
    starts = generator.uniform(0, 8, n)
    return np.stack([starts, starts + generator.exponential(0.5, n)], axis=1)


def one_after_another(material: Material, scores: NDArray[np.float64]) -> tuple[list[bool], float]:
    """Return which candidates match, and the best threshold, by a loop over recordings and thresholds."""
    true, counts = np.zeros(len(scores), dtype=np.bool_), np.zeros((len(THRESHOLDS), 3), dtype=np.int64)
    for key, wanted in material.references.items():
        rows = np.flatnonzero(material.recordings == key)
        true[rows[match(wanted, material.times[rows], RULE)[:, 1]]] = True
        for place, threshold in enumerate(THRESHOLDS):
            kept = material.times[rows][scores[rows] >= threshold]
            tp = len(match(wanted, kept, RULE))
            counts[place] += tp, len(kept) - tp, len(wanted) - tp
    grid = DecisionGrid(on=THRESHOLDS, off_ratio=(1.0,), min_length_s=(0.0,), min_gap_s=(0.0,))
    return true.tolist(), THRESHOLDS[choose(counts, grid)]


def test_candidates_and_thresholds_are_those_of_loops() -> None:
    for seed in range(20):
        generator = np.random.default_rng(seed)
        n = int(generator.integers(0, 60))
        # The last recording has candidates and is not asked for.
        references = {key: events(generator, int(generator.integers(0, 8))) for key in IDS[:-1]}
        recordings = np.array([IDS[place] for place in generator.integers(0, len(IDS), n)], dtype=np.str_)
        nothing = np.zeros(n, dtype=np.bool_)
        material = Material(recordings, events(generator, n), np.zeros((n, 1)), nothing, references, {})
        scores = generator.random(n)
        true, threshold = one_after_another(material, scores)
        assert matched(recordings, material.times, references, RULE).tolist() == true
        assert fit_threshold(material, scores, RULE) == threshold
