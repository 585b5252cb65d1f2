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
    chosen_labels = [tuple(labels)] if len(labels) <= MOST_LABELS else list(combinations(labels, 2))
    missing = []
    for group in sorted({group for group, _ in states}):
        own_states = [states_of_recording for name, states_of_recording in states if name == group]
        for chosen in chosen_labels:
            present = {tuple(states_of_recording.get(label) for label in chosen) for states_of_recording in own_states}
            missing += [
                (group, dict(zip(chosen, values, strict=True)))
                for values in product((ON, OFF), repeat=len(chosen))
                if values not in present
            ]
    return missing
