"""Which combinations of labels no recording has, by group: what a model is then never trained or judged on."""

from collections.abc import Mapping, Sequence
from itertools import combinations, product

from ossicle.core.decisions.states import OFF, ON

MOST_LABELS = 3
"""Up to this many labels all combinations are looked for, beyond it those of every pair."""


def missing_combinations(
    states: Sequence[tuple[str, Mapping[str, str]]], labels: Sequence[str]
) -> list[tuple[str, dict[str, str]]]:
    """Return the combinations of on and off that a group lacks.

    Parameters
    ----------
    states
        The group of each recording, and the state of each label in it: ``on``, ``off`` or ``unknown``.
    labels
        The labels.

    Returns
    -------
    list
        The group and the missing states of labels, in the order of groups and labels.

    Examples
    --------
    >>> missing_combinations([("day", {"ac": "on"}), ("night", {"ac": "on"}), ("night", {"ac": "off"})], ["ac"])
    [('day', {'ac': 'off'})]
    """
    wanted = [tuple(labels)] if len(labels) <= MOST_LABELS else list(combinations(labels, 2))
    out = []
    for group in sorted({group for group, _ in states}):
        own = [one for name, one in states if name == group]
        for chosen in wanted:
            there = {tuple(one.get(label) for label in chosen) for one in own}
            out += [
                (group, dict(zip(chosen, values, strict=True)))
                for values in product((ON, OFF), repeat=len(chosen))
                if values not in there
            ]
    return out
