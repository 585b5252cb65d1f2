"""A seeded fraction of clips, with a floor for each label.

A clip's place in the order of its label is a hash of the seed and its own name. So a fraction does not depend on which
other clips there are, and a smaller fraction of the same seed lies within a larger one.
"""

import hashlib
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def slice_of(
    label: NDArray[np.int64], names: Sequence[str], fraction: float, floor: int, seed: int
) -> NDArray[np.bool_]:
    """Return which clips belong to a fraction: bool (n,).

    Parameters
    ----------
    label
        int64 (n,): the label of each clip; each label is divided by itself.
    names
        The name of each clip, (n,): recording and onset.
    fraction
        Share of the clips of each label, in (0, 1]; rounded up.
    floor
        Least number of clips of a label; all of a label that has fewer.
    seed
        Seed of the choice.

    Raises
    ------
    ValueError
        For a fraction outside (0, 1] or a negative floor.

    Examples
    --------
    >>> slice_of(np.array([0] * 10 + [1] * 2), [str(n) for n in range(12)], 0.3, floor=2, seed=0).sum()
    np.int64(5)
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction = {fraction:g} must lie above 0 and at most at 1, as 0.3 does")
    if floor < 0:
        raise ValueError(f"floor = {floor} clips of a label must be at least 0")
    chosen = np.zeros(len(label), dtype=np.bool_)
    salt = seed.to_bytes(8, "little", signed=True)
    keys = np.array(
        [int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8, salt=salt).digest(), "big") for name in names],
        dtype=np.uint64,
    )
    for column in np.unique(label):
        rows = np.flatnonzero(label == column)
        n_chosen = min(max(math.ceil(round(fraction * len(rows), 9)), floor), len(rows))
        chosen[rows[np.argsort(keys[rows], kind="stable")[:n_chosen]]] = True
    return chosen
