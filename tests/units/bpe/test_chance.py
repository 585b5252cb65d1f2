import numpy as np

from ossicle.units.bpe.chance import ChancePairs, more_than_chance


def pairs(sequence: np.ndarray, n: int) -> np.ndarray:
    counts = np.zeros((n, n), np.int64)
    np.add.at(counts, (sequence[:-1], sequence[1:]), 1)
    return counts


def test_collapsed_repeats_leave_more_room_for_other_pairs() -> None:
    """Of a unit with 40 % of all frames, the plain product of shares expects too few followers."""
    rng = np.random.default_rng(0)
    frames = rng.choice(4, 400_000, p=[0.4, 0.3, 0.2, 0.1])
    runs = frames[np.r_[True, np.diff(frames) != 0]]
    counts = pairs(runs, 4)
    expected = ChancePairs(4, 4).expected(counts)
    apart = ~np.eye(4, dtype=bool)
    assert (abs(counts - expected)[apart] < 4 * np.sqrt(expected[apart])).all()
    assert (np.diag(expected) == 0).all()
    naive = np.outer(counts.sum(1), counts.sum(0)) / counts.sum()
    assert (abs(counts - naive)[apart] > 4 * np.sqrt(naive[apart])).any()


def test_expected_counts_have_the_sums_of_the_found_ones() -> None:
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 6, 5000)
    counts = pairs(frames[np.r_[True, np.diff(frames) != 0]], 6)
    expected = ChancePairs(6, 6).expected(counts)
    assert np.allclose(expected.sum(0), counts.sum(0), rtol=1e-3)
    assert np.allclose(expected.sum(1), counts.sum(1), rtol=1e-3)


def test_a_merged_pair_cannot_occur_again() -> None:
    chance = ChancePairs(3, 5)
    chance.merge(0, 1, 3)
    counts = np.ones((4, 4), np.int64)
    expected = chance.expected(counts)
    assert expected[0, 1] == 0
    # The new token ends with unit 1 and begins with unit 0: no repeat follows it or comes before it.
    assert (expected[3, 1], expected[0, 3]) == (0, 0)
    assert expected[3, 3] > 0


def test_only_counts_that_chance_does_not_explain_are_kept() -> None:
    counts, expected = np.array([[30, 14, 3, 0]]), np.array([[10.0, 10.0, 0.05, 0.0]])
    assert more_than_chance(counts, expected, 1e-3).tolist() == [[True, False, True, False]]
