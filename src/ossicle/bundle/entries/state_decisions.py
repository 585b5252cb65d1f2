"""The decision about states as a bundle's ``states``: ``rules``, ``masks`` and ``priority``.

``rules`` maps each label to a ``core.decisions.states.StateRule``; an empty object says that the decision is not
fitted.
"""

import dataclasses
from typing import Any

from ossicle.bundle.reading import Reader
from ossicle.core.decisions.states import StateDecision, StateRule


def states_to_json(decision: StateDecision) -> dict[str, Any]:
    """Return plain values, the inverse of :func:`read_states`."""
    return {
        "rules": {label: dataclasses.asdict(rule) for label, rule in decision.rules.items()},
        "masks": {label: list(hidden) for label, hidden in decision.masks.items()},
        "priority": list(decision.priority),
    }


def read_states(reader: Reader, labels: tuple[str, ...]) -> StateDecision:
    """Return the value of ``states`` for the labels of the bundle; raises BundleError naming the key."""
    reader.only({"rules", "masks", "priority"})
    rules, masks = reader.table("rules"), reader.table("masks")
    if rules.value:
        rules.only(set(labels))
    _refuse_unknown_labels(masks, "masks", tuple(masks.value), labels)
    hidden = {label: _labels(masks, label, labels) for label in masks.value}
    priority = _labels(reader, "priority", labels)
    state_rules = {label: rules.settings(label, StateRule) for label in labels if label in rules.value}
    try:
        return StateDecision(state_rules, hidden, priority)
    except ValueError as error:
        raise reader.refuse("masks", f"cannot be used: {error}") from error


def _labels(reader: Reader, key: str, labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return a list of labels of the bundle, possibly empty."""
    if reader.value[key] == []:
        return ()
    named_labels = reader.texts(key, len(labels), max(map(len, labels)))
    _refuse_unknown_labels(reader, key, named_labels, labels)
    return named_labels


def _refuse_unknown_labels(reader: Reader, key: str, named_labels: tuple[str, ...], labels: tuple[str, ...]) -> None:
    for label in named_labels:
        if label not in labels:
            raise reader.refuse(key, f"names the label {label!r}, which the bundle does not have")
