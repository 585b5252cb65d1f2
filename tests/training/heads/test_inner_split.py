import numpy as np

from ossicle.training.heads.inner_split import LEAST_GROUPS, inner_held_out


def split(n_groups: int, per_group: int = 3, seed: int = 0) -> tuple[str, ...]:
    """Groups with the label and groups without it, in turn."""
    targets = np.repeat(np.arange(n_groups) % 2, per_group)[:, None].astype(np.float32)
    groups = np.repeat([f"g{one:02d}" for one in range(n_groups)], per_group)
    return inner_held_out(targets, np.ones_like(targets, dtype=bool), groups, seed)


def test_about_a_fifth_with_both_sides_is_held_out() -> None:
    held_out = split(30)
    assert len(held_out) == 6
    numbers = {int(name[1:]) % 2 for name in held_out}
    assert numbers == {0, 1}
    assert list(held_out) == sorted(held_out)


def test_the_split_depends_on_the_seed_alone() -> None:
    assert split(30, per_group=3) == split(30, per_group=5)
    assert split(30) != split(30, seed=1)


def test_too_few_groups_of_a_side_hold_nothing_out() -> None:
    assert split(2 * LEAST_GROUPS - 1) == ()
    assert len(split(2 * LEAST_GROUPS)) == 2


def test_unknown_targets_are_no_side() -> None:
    targets = np.array([[0.0]] * 6 + [[1.0]] * 6, dtype=np.float32)
    groups = np.array([f"g{one}" for one in range(12)])
    assert inner_held_out(targets, np.ones((12, 1), dtype=bool), groups, 0) != ()
    assert inner_held_out(targets, np.arange(12)[:, None] < 10, groups, 0) == ()


def test_every_label_keeps_both_sides_on_both_sides_of_the_split() -> None:
    rng = np.random.default_rng(3)
    targets = rng.integers(0, 2, (60, 3)).astype(np.float32)
    groups = np.array([f"g{one}" for one in range(60)])
    inside = np.isin(groups, inner_held_out(targets, np.ones((60, 3), dtype=bool), groups, 5))
    assert inside.any()
    for part in (targets[inside], targets[~inside]):
        assert set(part.min(axis=0)) == {0.0}
        assert set(part.max(axis=0)) == {1.0}
