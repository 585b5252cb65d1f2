"""The best matching among allowed pairs: most pairs, then the greatest total gain."""

import numpy as np
import scipy
from numpy.typing import NDArray

Pairs = NDArray[np.int64]

# Components with more cells than this are solved with sparse matrices.
_DENSE_CELLS = 1 << 14


def best_matching(pairs: Pairs, gain: NDArray[np.float64]) -> Pairs:
    """Return the matching with most pairs and then the greatest total ``gain``.

    Each connected component of the graph of allowed pairs is solved by itself. If one side of a component is a single
    event, it takes its best pair; the others are assignment problems.

    Parameters
    ----------
    pairs
        Allowed pairs, shape (k, 2).
    gain
        Gain of each pair in [0, 1], shape (k,).

    Returns
    -------
    ndarray
        The chosen pairs, sorted by the first column.
    """
    shared = contested(pairs)
    chosen = np.concatenate([np.flatnonzero(~shared), _chosen_pairs(pairs, gain, np.flatnonzero(shared))])
    matching = pairs[chosen]
    chosen_pairs: Pairs = matching[np.argsort(matching[:, 0])]
    return chosen_pairs


def contested(pairs: Pairs) -> NDArray[np.bool_]:
    """Return whether an event of each pair is in another pair too, shape (k,); other pairs need no choice.

    >>> contested(np.array([[0, 0], [1, 1], [1, 2]])).tolist()
    [False, True, True]
    """
    if len(pairs) == 0:
        return np.zeros(0, dtype=np.bool_)
    rows, cols = pairs[:, 0], pairs[:, 1]
    shared: NDArray[np.bool_] = (np.bincount(rows)[rows] > 1) | (np.bincount(cols)[cols] > 1)
    return shared


def _chosen_pairs(pairs: Pairs, gain: NDArray[np.float64], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of the chosen pairs among those at ``places``."""
    if len(places) == 0:
        return places
    pairs, gain = pairs[places], gain[places]
    rows, cols = _compact(pairs)
    n_rows, n_cols = int(rows.max()) + 1, int(cols.max()) + 1
    graph = scipy.sparse.coo_array(
        (np.ones(len(pairs)), (rows, n_rows + cols)), shape=(n_rows + n_cols, n_rows + n_cols)
    )
    n_components, of_event = scipy.sparse.csgraph.connected_components(graph, directed=False)
    narrow = np.minimum(
        np.bincount(of_event[:n_rows], minlength=n_components), np.bincount(of_event[n_rows:], minlength=n_components)
    )
    component = of_event[rows]
    order = np.lexsort((cols, rows, -gain, component))
    first = np.flatnonzero(np.diff(component[order], prepend=-1))
    single = narrow[component[order[first]]] == 1
    chosen = [order[first[single]]]
    for begin, end in np.stack([first, np.append(first[1:], len(order))], axis=1)[~single].tolist():
        edges = order[begin:end]
        chosen.append(edges[_assign(*_compact(pairs[edges]), gain[edges])])
    chosen_places: NDArray[np.int64] = places[np.concatenate(chosen)]
    return chosen_places


def _compact(pairs: Pairs) -> tuple[Pairs, Pairs]:
    """Return the rows and columns of ``pairs``, renumbered from 0 without gaps."""
    return (
        np.unique(pairs[:, 0], return_inverse=True)[1].astype(np.int64),
        np.unique(pairs[:, 1], return_inverse=True)[1].astype(np.int64),
    )


def _assign(rows: Pairs, cols: Pairs, gain: NDArray[np.float64]) -> Pairs:
    """Return the indices of the edges of one component's best matching; one more pair outweighs any gain."""
    n_rows, n_cols = int(rows.max()) + 1, int(cols.max()) + 1
    bonus = float(min(n_rows, n_cols) + 1)
    if n_rows * n_cols > _DENSE_CELLS:
        return _assign_sparse(rows, cols, gain, bonus)
    worth = np.zeros((n_rows, n_cols))
    worth[rows, cols] = bonus + gain
    edge = np.full((n_rows, n_cols), -1, dtype=np.int64)
    edge[rows, cols] = np.arange(len(rows))
    used = edge[scipy.optimize.linear_sum_assignment(worth, maximize=True)]
    return used[used >= 0]


def _assign_sparse(rows: Pairs, cols: Pairs, gain: NDArray[np.float64], bonus: float) -> Pairs:
    """Do the same for a large component (Jonker-Volgenant for sparse costs); a row may stay unmatched, at a high
    cost.
    """
    n_rows, n_cols = int(rows.max()) + 1, int(cols.max()) + 1
    alone = np.arange(n_rows)
    cost = np.concatenate([2.0 - gain, np.full(n_rows, 2.0 + bonus)])
    ends = (np.concatenate([rows, alone]), np.concatenate([cols, n_cols + alone]))
    taken_rows, taken_cols = scipy.sparse.csgraph.min_weight_full_bipartite_matching(
        scipy.sparse.csr_array((cost, ends), shape=(n_rows, n_cols + n_rows))
    )
    key = rows * n_cols + cols
    order = np.argsort(key)
    real = taken_cols < n_cols
    wanted_keys = taken_rows[real].astype(np.int64) * n_cols + taken_cols[real]
    matched_pairs: Pairs = order[np.searchsorted(key, wanted_keys, sorter=order)]
    return matched_pairs
