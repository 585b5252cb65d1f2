"""What held-out scores of states are judged by: the decision over time, and one threshold for windows and files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ossicle.core.decisions.states import StateDecision, StateRule
from ossicle.inference.states.fit import rule_middle


@dataclass(frozen=True, eq=False)
class JudgingRule:
    """A fitted decision, and by label the threshold of windows and files.

    The threshold is the middle of the plateau of F1 over windows. The decision has thresholds of its own, because it
    sees several windows before it changes a state.
    """

    decision: StateDecision
    thresholds: Mapping[str, float]


def judging_rule(written: Mapping[str, Any]) -> JudgingRule:
    """Return the rule in ``state_decision.json``, or in one of its folds.

    Parameters
    ----------
    written
        ``decision`` and, by label in ``labels``, the ``curve`` with its ``plateau``.
    """
    value = written["decision"]
    rules = {label: StateRule(**rule) for label, rule in value["rules"].items()}
    masks = {label: tuple(hidden) for label, hidden in value["masks"].items()}
    thresholds = {}
    for label, rule in rules.items():
        plateau = written["labels"][label]["curve"]["plateau"]
        # Without a window that is on there is no plateau.
        thresholds[label] = rule_middle(rule) if plateau is None else float(plateau["middle"])
    return JudgingRule(StateDecision(rules, masks, tuple(value["priority"])), thresholds)
