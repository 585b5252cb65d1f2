import numpy as np

from ossicle.training.heads.balance import balanced_weights


def weigh(targets: list[float], groups: list[str], known: list[bool] | None = None, weights: list[float] | None = None):  # type: ignore[no-untyped-def]
    given = np.array(targets, dtype=np.float32)[:, None]
    mask = np.ones(len(given), dtype=bool) if known is None else np.array(known)
    own = np.ones(len(given)) if weights is None else np.array(weights)
    return balanced_weights(given, mask[:, None], own.astype(np.float32), np.array(groups))[:, :, 0]


def test_both_sides_count_equally_whatever_their_number() -> None:
    result = weigh([1, 0, 0, 0], ["a", "b", "b", "b"])
    np.testing.assert_allclose(result, [[2, 0, 0, 0], [0, 2 / 3, 2 / 3, 2 / 3]], rtol=1e-6)


def test_groups_within_a_side_count_equally() -> None:
    result = weigh([1, 1, 1, 0], ["a", "a", "b", "b"])
    np.testing.assert_allclose(result[0], [0.5, 0.5, 1, 0], rtol=1e-6)


def test_a_window_of_a_tiny_group_is_bounded() -> None:
    result = weigh([1.0] * 101 + [0.0], ["a"] * 100 + ["b", "a"])
    # Equal groups would give it 100 times the weight of the others.
    np.testing.assert_allclose(result[0, 100] / result[0, 0], 4 / 0.505, rtol=1e-5)
    np.testing.assert_allclose(result.sum(axis=1), [51, 51], rtol=1e-6)


def test_unknown_targets_and_weightless_windows_count_for_nothing() -> None:
    result = weigh([1, float("nan"), 0, 0], ["a"] * 4, known=[True, False, True, True], weights=[1, 1, 1, 0])
    np.testing.assert_allclose(result, [[2, 0, 0, 0], [0, 0, 2, 0]], rtol=1e-6)


def test_the_only_side_has_all_the_weight_and_a_label_that_nobody_knows_none() -> None:
    np.testing.assert_allclose(weigh([1, 1], ["a", "b"]), [[1, 1], [0, 0]])
    np.testing.assert_allclose(weigh([1, 1], ["a", "b"], known=[False, False]), np.zeros((2, 2)))


def test_a_soft_target_counts_for_both_sides() -> None:
    result = weigh([0.75, 0.25], ["a", "a"])
    np.testing.assert_allclose(result, [[0.75, 0.25], [0.25, 0.75]], rtol=1e-6)
