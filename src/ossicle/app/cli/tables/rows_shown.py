"""Which labels and groups get a row in a printed table: more rows than a screen hide the headline."""

from collections.abc import Mapping, Sequence
from typing import Any

MOST_ROWS = 20
"""Rows of labels, and of groups, in a table."""
_LEAST = 5
"""Annotations below which the F1 of a label or group is mostly chance."""


def worst_shown(figures: Mapping[str, Any], noun: str) -> tuple[Mapping[str, Any], str]:
    """Return what gets a row, and a remark about the rest.

    Parameters
    ----------
    figures
        ``per_label`` or ``per_group`` of ``metrics.json``.
    noun
        "label" or "group".

    Returns
    -------
    tuple
        All of ``figures`` and "", or of more than :data:`MOST_ROWS` those with the lowest F1 among those with 5
        annotations or more, and what is left out.
    """
    n = len(figures)
    if n <= MOST_ROWS:
        return figures, ""
    telling = {name: one for name, one in figures.items() if one["n_reference"] >= _LEAST}
    everywhere = "metrics.json lists all"
    if not telling:
        return {}, f"not shown: {n} {noun}s with fewer than {_LEAST} annotations each; {everywhere}"
    f1 = {name: one["f1"]["value"] for name, one in telling.items()}
    worst = sorted(telling, key=lambda name: (f1[name] is None, f1[name] or 0.0, name))[:MOST_ROWS]
    note = f"shown: of {n} {noun}s, the {len(worst)} with the lowest F1 and {_LEAST} annotations or more"
    return {name: telling[name] for name in worst}, f"{note}; {everywhere}"


def names_in_words(names: Sequence[str]) -> str:
    """Return names for a sentence; of very many only the first.

    >>> names_in_words(["a", "b"]), names_in_words([str(n) for n in range(1000)])[-15:]
    ('a, b', '19 and 980 more')
    """
    more = f" and {len(names) - MOST_ROWS} more" if len(names) > MOST_ROWS else ""
    return ", ".join(names[:MOST_ROWS]) + more
