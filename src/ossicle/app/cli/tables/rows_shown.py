"""Which labels and groups get a row in a printed table: more rows than a screen hide the headline."""

from collections.abc import Mapping, Sequence
from typing import Any

MOST_ROWS = 20
"""Rows of labels, and of groups, in a table."""
_LEAST = 5
"""Annotations below which the F1 of a label or group is mostly chance."""


def lowest_shown(
    figures: Mapping[str, float | None], remark: str, everywhere: str, noun: str = "label"
) -> tuple[list[str], str]:
    """Return the names that get a row, and a remark about the rest.

    Parameters
    ----------
    figures
        The figure of each name; None is the highest.
    remark
        What the names that are shown have in common: "with the lowest F1".
    everywhere
        Where all are listed: "--json lists all".
    noun
        What the names are, in the singular.

    Returns
    -------
    tuple
        All names and "", or the :data:`MOST_ROWS` with the lowest figures and what is left out.

    Examples
    --------
    >>> lowest_shown({"a": 0.5, "b": None}, "with the lowest F1", "--json lists all")
    (['a', 'b'], '')
    >>> lowest_shown({str(n): -n for n in range(1000)}, "with the lowest F1", "--json lists all")[1]
    'shown: of 1000 labels, the 20 with the lowest F1; --json lists all'
    """
    if len(figures) <= MOST_ROWS:
        return list(figures), ""
    order = sorted(figures, key=lambda name: (figures[name] is None, figures[name] or 0.0, name))
    return order[:MOST_ROWS], f"shown: of {len(figures)} {noun}s, the {MOST_ROWS} {remark}; {everywhere}"


def worst_shown(
    figures: Mapping[str, Any], noun: str, everywhere: str = "metrics.json lists all"
) -> tuple[Mapping[str, Any], str]:
    """Return what gets a row, and a remark about the rest.

    Parameters
    ----------
    figures
        ``per_label`` or ``per_group`` of ``metrics.json``.
    noun
        "label" or "group".
    everywhere
        Where all are listed.

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
