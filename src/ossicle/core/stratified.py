"""Draw a share of each stratum (class, kind) with a floor, the same for the same seed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.core.digest import seed_of


def stratified_rows(
    stratum: NDArray[np.integer], names: Sequence[str], share: float, seed: int, floor: int = 1
) -> NDArray[np.int64]:
    """Return the rows of a seeded share of each stratum, ascending.

    What is drawn from a stratum depends on its own rows, its name and the seed alone, and a smaller share is part of
    a larger one.

    Parameters
    ----------
    stratum
        Integers (n,): place of the stratum of each row in ``names``.
    names
        The strata.
    share
        Share of the rows of each, in (0, 1], rounded to whole rows.
    seed
        Seed of the draw.
    floor
        Rows to draw from each at least, if it has so many.

    Examples
    --------
    >>> stratified_rows(np.array([0, 1, 1, 1, 1]), ("rare", "common"), 0.5, seed=0)
    array([0, 3, 4])
    """
    chosen: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
    order = np.argsort(stratum, kind="stable")
    sizes = np.bincount(stratum, minlength=len(names))
    for name, rows in zip(names, np.split(order, np.cumsum(sizes)[:-1]), strict=True):
        n_rows = min(len(rows), max(floor, round(share * len(rows))))
        drawn = np.random.default_rng(seed_of(seed, "stratified", name)).permutation(len(rows))[:n_rows]
        chosen.append(rows[drawn].astype(np.int64))
    return np.sort(np.concatenate(chosen))
