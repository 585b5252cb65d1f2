"""The rule that judges a fold, read from what the step ``state_decision`` wrote."""

from dataclasses import asdict

import pytest

from ossicle.core.decisions.states import StateRule
from ossicle.evaluation.states.judging_rule import judging_rule


def written(plateau: dict[str, float] | None) -> dict[str, object]:
    decision = {"rules": {"ac": asdict(StateRule(on=0.8, off=0.2))}, "masks": {"ac": ["fan"]}, "priority": ["ac"]}
    return {"decision": decision, "labels": {"ac": {"curve": {"plateau": plateau}}}}


def test_windows_are_judged_by_the_middle_of_the_plateau_and_states_by_the_rules() -> None:
    with pytest.raises(ValueError, match="masks names 'fan', which has no rule"):
        judging_rule(written({"middle": 0.6}))
    plain = written({"middle": 0.6})
    plain["decision"]["masks"] = {}  # type: ignore[index]
    rule = judging_rule(plain)
    assert rule.thresholds == {"ac": 0.6}
    assert (rule.decision.rules["ac"].on, rule.decision.priority) == (0.8, ("ac",))


def test_without_a_plateau_the_middle_of_the_rule_counts() -> None:
    plain = written(None)
    plain["decision"]["masks"] = {}  # type: ignore[index]
    assert judging_rule(plain).thresholds == {"ac": pytest.approx(0.5)}
