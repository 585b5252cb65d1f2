"""Inner held-out groups, on which the number of epochs is chosen within a training set."""

import numpy as np
from numpy.typing import NDArray

from ossicle.core.digest import seed_of

LEAST_GROUPS = 5
"""Groups that each side of every label needs before some of them can be held out."""

_SHARE = 0.2
_CERTAIN = 0.5


def inner_held_out(
    targets: NDArray[np.float32], known: NDArray[np.bool_], groups: NDArray[np.str_], seed: int
) -> tuple[str, ...]:
    """Return about a fifth of the groups, with both sides of every label on both sides of the split.

    Returns
    -------
    tuple of str
        Names of groups, sorted; empty if some side of a label has fewer than :data:`LEAST_GROUPS` groups, or if no
        such split is found. The order in which groups are tried depends only on ``seed``.
    """
    names = sorted(set(groups.tolist()))
    order = [names[index] for index in np.random.default_rng(seed_of(seed, "head", "inner")).permutation(len(names))]
    has = {name: _sides(targets[groups == name], known[groups == name]) for name in names}
    counts = np.sum([has[name] for name in names], axis=0)
    if counts.min() < LEAST_GROUPS:
        return ()
    chosen: list[str] = []
    covered = np.zeros_like(counts)
    for name in order:
        if bool(((covered == 0) & has[name]).any()):
            chosen.append(name)
            covered += has[name]
    rest = [name for name in order if name not in chosen]
    chosen += rest[: max(0, round(_SHARE * len(names)) - len(chosen))]
    left = np.sum([has[name] for name in names if name not in chosen], axis=0) if len(chosen) < len(names) else 0
    if np.min(left) == 0 or len(chosen) > len(names) / 2:
        return ()
    return tuple(sorted(chosen))


def _sides(targets: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return, as 0 or 1, whether a group has the positive and the negative side of each label: (2, n_labels)."""
    high = (known & (targets >= _CERTAIN)).any(axis=0)
    low = (known & (targets < _CERTAIN)).any(axis=0)
    return np.stack([high, low]).astype(np.int64)
