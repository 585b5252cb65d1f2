import numpy as np

from ossicle.evaluation.units.inventory import heard_segments, inventory, longest_runs


def test_counts_equal_those_of_the_frames():
    generator = np.random.default_rng(0)
    runs = [generator.integers(6, size=n) for n in (5, 0, 9)]
    frames = [generator.integers(1, 4, size=len(run)) for run in runs]
    result = inventory(runs, frames, 7)
    whole = [np.repeat(run, of) for run, of in zip(runs, frames, strict=True)]
    assert result.frames.tolist() == np.bincount(np.concatenate(whole), minlength=7).tolist()
    assert result.runs.tolist() == np.bincount(np.concatenate(runs), minlength=7).tolist()
    assert result.segments.tolist() == [sum(unit in set(run.tolist()) for run in runs) for unit in range(7)]
    assert result.first_segment[6] == -1


def test_every_unit_can_be_heard():
    runs = [np.array([0])] * 50 + [np.array([1])] + [np.array([0])] * 50 + [np.array([2])]
    result = inventory(runs, [np.array([3])] * 102, 3)
    heard = heard_segments(result, 102, most=4, seed=0)
    assert {50, 101} <= set(heard)
    assert len(heard) <= 8
    assert heard == sorted(heard)
    assert heard_segments(inventory([], [], 3), 0, 4, 0) == []


def test_the_longest_uses_come_first():
    runs, frames = np.array([5, 1, 5, 1, 5]), np.array([2, 9, 7, 1, 3])
    assert [*longest_runs(runs, frames, 2)] == [(1, 2, 9), (1, 18, 1), (5, 11, 7), (5, 19, 3)]
    assert [*longest_runs(np.zeros(0, dtype=int), np.zeros(0, dtype=int), 2)] == []
