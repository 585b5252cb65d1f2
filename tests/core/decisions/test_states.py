import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.decisions.states import (
    OFF,
    ON,
    UNKNOWN,
    StateChange,
    StateDecision,
    StateRule,
    masking_order,
    overall_status,
    state_stretches,
)


@pytest.mark.parametrize(
    ("given_values", "message"),
    [
        ({"on": 0.4, "off": 0.5}, r"off = 0\.5 must not be above on = 0\.4"),
        ({"on": 1.5}, r"on = 1\.5 must be at most 1"),
        ({"smoothing": "mean"}, "smoothing = 'mean' is not one of: none, median, ema"),
        ({"smoothing": "median", "frames": 4}, "frames = 4 must be odd for a median"),
        ({"frames": 0}, "frames = 0 must be at least 1"),
        ({"min_on_s": -1.0}, r"min_on_s = -1\.0 s must be at least 0 s"),
        ({"min_off_s": 1e9}, "min_off_s"),
        ({"debounce": 0}, "debounce = 0 must be at least 1"),
    ],
)
def test_an_impossible_rule_is_refused(given_values, message):
    with pytest.raises(ValueError, match=message):
        StateRule(**given_values)


RULES = {"ac": StateRule(), "fridge": StateRule(), "fan": StateRule()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((RULES, {"ac": ("tv",)}), "masks names 'tv', which has no rule"),
        ((RULES, {}, ("ac", "tv")), "priority names 'tv', which has no rule"),
        ((RULES, {}, ("ac", "ac")), "priority lists a label twice"),
        ((RULES, {"ac": ("ac",)}), "'ac' is hidden by a label that it hides"),
        ((RULES, {"ac": ("fan",), "fan": ("ac",)}), "is hidden by a label that it hides"),
    ],
)
def test_an_impossible_decision_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        StateDecision(*arguments)


def test_a_decision_without_rules_is_not_fitted():
    assert not StateDecision(masks={"ac": ("fridge",)}, priority=("ac", "fridge")).fitted
    assert StateDecision(RULES).fitted


def test_a_hidden_label_is_unknown_and_never_off():
    decision = StateDecision(RULES, {"ac": ("fridge",)})
    for fridge in (ON, OFF, UNKNOWN):
        assert decision.hidden({"ac": ON, "fridge": fridge})["fridge"] == UNKNOWN
        assert decision.hidden({"ac": OFF, "fridge": fridge})["fridge"] == fridge


def test_a_hidden_label_hides_nothing():
    decision = StateDecision(RULES, {"ac": ("fan",), "fan": ("fridge",)})
    assert decision.hidden({"ac": ON, "fan": ON, "fridge": OFF}) == {"ac": ON, "fan": UNKNOWN, "fridge": OFF}
    assert decision.hidden({"ac": OFF, "fan": ON, "fridge": OFF}) == {"ac": OFF, "fan": ON, "fridge": UNKNOWN}


@given(
    st.permutations(["a", "b", "c"]), st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), max_size=6)
)
def test_who_hides_comes_before_whom_it_hides(names, pairs):
    order = {name: index for index, name in enumerate(names)} | {"d": 3}
    masks = {}
    for hider, hidden in pairs:
        if order[hider] < order[hidden]:
            masks.setdefault(hider, []).append(hidden)
    labels = masking_order(masks)
    assert sorted(labels) == sorted(masks)
    assert all(labels.index(a) < labels.index(b) for a in masks for b in masks[a] if b in masks)


@pytest.mark.parametrize(
    ("ac", "fridge", "status"),
    [
        (ON, UNKNOWN, "ac-on"),
        (ON, OFF, "ac-on"),
        (OFF, ON, "fridge-on"),
        (OFF, OFF, "both-off"),
        (OFF, UNKNOWN, "unknown"),
        (UNKNOWN, ON, "unknown"),
    ],
)
def test_the_status_follows_the_priority(ac, fridge, status):
    assert overall_status({"ac": ac, "fridge": fridge}, ("ac", "fridge")) == status


def test_the_status_of_other_numbers_of_labels():
    assert overall_status({"fridge": OFF}, ("fridge",)) == "fridge-off"
    assert overall_status(dict.fromkeys("abc", OFF), tuple("abc")) == "all-off"
    assert overall_status({"a": ON}, ()) == ""


def test_stretches_cover_the_recording_and_leave_out_empty_ones():
    changes = [
        StateChange(1.0, "ac", ON, 0.9, 2.0),
        StateChange(1.5, "fridge", ON, 0.8, 2.0),
        StateChange(1.5, "fridge", UNKNOWN, 0.8, 2.5),
        StateChange(9.0, "ac", OFF, 0.1, 10.0),
    ]
    stretches_found = [
        (state_stretch.start_s, state_stretch.end_s, state_stretch.label, state_stretch.state)
        for state_stretch in state_stretches(changes, ["ac", "fridge"], 8.0)
    ]
    assert stretches_found == [
        (0.0, 1.0, "ac", UNKNOWN),
        (1.0, 8.0, "ac", ON),
        (0.0, 1.5, "fridge", UNKNOWN),
        (1.5, 8.0, "fridge", UNKNOWN),
    ]


@pytest.mark.parametrize(
    "values",
    [(-1.0, "a", ON, 0.5, 1.0), (1.0, "", ON, 0.5, 1.0), (1.0, "a", "up", 0.5, 1.0), (1.0, "a", ON, float("nan"), 1.0)],
)
def test_an_impossible_change_is_refused(values):
    with pytest.raises(ValueError, match="StateChange"):
        StateChange(*values)
