"""Bootstrap intervals: which method, what the weights are, whether intervals cover, how fast."""

import time

import numpy as np
import pytest

from ossicle.metrics.resampling.bootstrap import bootstrap_interval, resampled_weights


def f1(sums: np.ndarray) -> np.ndarray:
    tp, fp, fn = np.moveaxis(sums, -1, 0)
    return np.divide(2 * tp, 2 * tp + fp + fn, out=np.full(tp.shape, np.nan), where=tp + fp + fn > 0)


def all_weights(groups: list[str], n: int = 500, seed: int = 0) -> np.ndarray:
    return np.concatenate(list(resampled_weights(groups, n, seed)))


def test_within_groups_every_group_keeps_its_size() -> None:
    groups = ["a", "b", "a", "b", "b", "c"]
    weights = all_weights(groups)
    for group, size in (("a", 2), ("b", 3), ("c", 1)):
        assert (weights[:, [name == group for name in groups]].sum(axis=1) == size).all()
    assert len(np.unique(weights[:, :2], axis=0)) > 1


def test_two_stage_draws_groups_and_then_recordings() -> None:
    groups = [f"g{i // 3}" for i in range(24)]
    weights = all_weights(groups, 4000)
    of_group = weights.reshape(-1, 8, 3).sum(axis=2)
    assert (of_group % 3 == 0).all()  # whole groups are drawn
    assert (of_group.sum(axis=1) == 24).all()
    assert (weights.reshape(-1, 8, 3) != weights.reshape(-1, 8, 3)[:, :, :1]).any()  # and not as they were
    np.testing.assert_allclose(weights.mean(axis=0), 1.0, atol=0.1)
    assert of_group.var(axis=0).mean() == pytest.approx(9 * 7 / 8, rel=0.1)  # multinomial, threefold


@pytest.mark.parametrize(
    ("groups", "method", "few"),
    [
        ([f"g{i % 8}" for i in range(20)], "two-stage", False),
        ([f"g{i % 7}" for i in range(20)], "within-groups", True),
        ([f"g{i}" for i in range(7)], "recordings", True),
        ([f"g{i}" for i in range(8)], "two-stage", False),
    ],
)
def test_the_number_of_groups_chooses_the_method(groups: list[str], method: str, few: bool) -> None:
    interval = bootstrap_interval(np.ones((len(groups), 3), dtype=int), groups, f1, n=50)
    assert (interval.method, interval.few_groups, interval.n_groups) == (method, few, len(set(groups)))


def test_single_recordings_are_drawn_overall() -> None:
    weights = all_weights(["a", "b", "c", "d"])
    assert (weights.sum(axis=1) == 4).all()
    assert weights.max() > 1


def test_equals_a_plain_loop_over_the_same_weights() -> None:
    generator = np.random.default_rng(0)
    counts, groups = generator.poisson(4, (30, 5, 3)), [f"g{i % 10}" for i in range(30)]
    interval = bootstrap_interval(counts, groups, f1, n=200, seed=3)
    loop = np.array([f1(sum(w * c for w, c in zip(row, counts, strict=True))) for row in all_weights(groups, 200, 3)])
    np.testing.assert_allclose(interval.value, f1(counts.sum(axis=0)))
    np.testing.assert_allclose(interval.low, np.quantile(loop, 0.025, axis=0))
    np.testing.assert_allclose(interval.high, np.quantile(loop, 0.975, axis=0))


def test_same_seed_same_interval() -> None:
    counts, groups = np.random.default_rng(0).poisson(4, (12, 3)), [f"g{i}" for i in range(12)]
    first, again, other = (bootstrap_interval(counts, groups, f1, seed=seed) for seed in (1, 1, 2))
    assert (first.low, first.high) == (again.low, again.high)
    assert (first.low, first.high) != (other.low, other.high)


@pytest.mark.parametrize(("n_groups", "each"), [(40, 1), (30, 5), (12, 5)])
def test_intervals_cover_the_truth(n_groups: int, each: int) -> None:
    """Groups differ in how well they are detected; about 95 of 100 intervals must hold the population's F1."""
    generator = np.random.default_rng(7)
    groups = [f"g{i // each:02d}" for i in range(n_groups * each)]
    truth = 2 * 0.7 / (0.7 + 1 + 0.25)  # tp = 0.7 of the references, fp = 0.25 of their number
    trials, covered = 250, 0
    for _ in range(trials):
        skill = np.repeat(generator.beta(7, 3, n_groups), each)
        n_reference = generator.poisson(20, n_groups * each)
        tp = generator.binomial(n_reference, skill)
        counts = np.stack([tp, generator.poisson(5, n_groups * each), n_reference - tp], axis=1)
        interval = bootstrap_interval(counts, groups, f1, n=300, seed=int(generator.integers(1 << 30)))
        covered += bool(interval.low <= truth <= interval.high)
    # Five standard errors of a true 95 % at 250 trials are 7 %; percentile intervals of few groups run a little short.
    assert 0.88 <= covered / trials <= 0.995


def test_no_interval_where_nothing_can_be_drawn() -> None:
    bootstrap = bootstrap_interval(np.array([[3, 1, 1]]), ["a"], f1)
    none = bootstrap_interval(np.ones((4, 3), dtype=int), list("abcd"), f1, n=0)
    empty = bootstrap_interval(np.zeros((4, 3), dtype=int), list("abcd"), f1)
    nothing = bootstrap_interval(np.empty((0, 3), dtype=int), [], f1)
    assert float(bootstrap.value) == pytest.approx(0.75)
    for interval in (bootstrap, none, empty, nothing):
        assert np.isnan(interval.low)
        assert np.isnan(interval.high)
    assert np.isnan(empty.value)
    assert np.isnan(nothing.value)


def test_undefined_resamples_are_left_out() -> None:
    interval = bootstrap_interval(np.array([[5, 0, 0], [0, 0, 0], [0, 0, 0]]), list("abc"), f1, n=200)
    assert (interval.value, interval.low, interval.high) == (1.0, 1.0, 1.0)


def test_blocks_leave_no_resample_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ossicle.metrics.resampling.bootstrap._BLOCK_WEIGHTS", 100)
    assert all_weights(["a"] * 30, 100).shape == (100, 30)


def test_a_thousand_resamples_take_milliseconds() -> None:
    counts, groups = np.random.default_rng(0).poisson(4, (400, 10, 3)), [f"g{i % 40}" for i in range(400)]
    began = time.perf_counter()
    bootstrap_interval(counts, groups, f1, n=1000)
    assert time.perf_counter() - began < 2.0  # 30 ms on an idle 2-core machine; a loop takes seconds


def test_wrong_arguments_are_refused() -> None:
    counts = np.ones((3, 3), dtype=int)
    with pytest.raises(ValueError, match="3 recordings but 2 groups"):
        bootstrap_interval(counts, ["a", "b"], f1)
    with pytest.raises(ValueError, match="level = 95"):
        bootstrap_interval(counts, list("abc"), f1, level=95)
    with pytest.raises(ValueError, match="n = -1"):
        bootstrap_interval(counts, list("abc"), f1, n=-1)
