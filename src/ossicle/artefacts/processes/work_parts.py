"""Cut work into parts, so that an interrupted build repeats little of it."""

from collections.abc import Sequence

LEAST_PARTS = 200
"""Two workers that are killed in parts of 1/200 of the work repeat at most 1 % of it."""


def items_per_part(count: int) -> int:
    """Return the most items of a part if there are ``count`` items: 1/200 of them, at least one.

    >>> items_per_part(2000), items_per_part(37)
    (10, 1)
    """
    return max(1, count // LEAST_PARTS)


def work_parts(seconds: Sequence[float], most_s: float, most_items: int) -> list[int]:
    """Return the number of the part to which each item belongs, in order, from 0.

    Parameters
    ----------
    seconds
        Length of each item in seconds.
    most_s
        Longest part in seconds; a longer item is a part by itself.
    most_items
        Most items in a part.

    Raises
    ------
    ValueError
        ``most_s`` or ``most_items`` is not positive.

    Examples
    --------
    >>> work_parts([20.0, 20.0, 20.0, 70.0, 20.0], most_s=60, most_items=9)
    [0, 0, 0, 1, 2]
    >>> work_parts([1.0] * 6, most_s=60, most_items=2)
    [0, 0, 1, 1, 2, 2]
    """
    if most_s <= 0 or most_items < 1:
        raise ValueError(f"most_s = {most_s:g} and most_items = {most_items} must be positive")
    parts: list[int] = []
    number, items, filled_s = -1, most_items, 0.0
    for length_s in seconds:
        if items == most_items or filled_s + length_s > most_s:
            number, items, filled_s = number + 1, 0, 0.0
        parts.append(number)
        items, filled_s = items + 1, filled_s + length_s
    return parts
