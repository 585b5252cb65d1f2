import math
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.decisions.states import OFF, ON, UNKNOWN, StateChange, StateDecision, StateRule
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.inference.states.fold import StateFold

RATE = 1000


def plan_of(hop_s=0.5, window_s=2.0, core_frames=1):
    hop, window = round(hop_s * RATE), round(window_s * RATE)
    return ChunkPlan(rate=RATE, hop_samples=hop, window_samples=window, core_frames=core_frames, context_frames=0)


levels = st.sampled_from([0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0])
rows = st.lists(st.lists(levels, min_size=3, max_size=3), max_size=40)


@st.composite
def rules(draw):
    kind = draw(st.sampled_from(["none", "median", "ema"]))
    on = draw(st.sampled_from([0.4, 0.5, 0.6, 0.9]))
    return StateRule(
        on=on,
        off=on * draw(st.sampled_from([0.0, 0.5, 1.0])),
        smoothing=kind,
        frames=draw(st.sampled_from([1, 3, 5, 7])),
        min_on_s=draw(st.sampled_from([0.0, 0.5, 1.2])),
        min_off_s=draw(st.sampled_from([0.0, 0.5, 1.2])),
        debounce=draw(st.sampled_from([1, 2, 3])),
    )


def slow_smooth(x, rule):
    out = []
    for k in range(len(x)):
        if rule.smoothing == "median":
            out.append(float(median(x[max(0, k - rule.frames + 1) : k + 1])))
        elif rule.smoothing == "ema" and k:
            out.append(out[-1] + 2 / (rule.frames + 1) * (x[k] - out[-1]))
        else:
            out.append(x[k])
    return out


def slow_label(x, rule, hop_s):
    """The states of one label without masks: rows of (frame decided, frame in whose middle it began, state)."""
    y = slow_smooth(x, rule)
    if not y:
        return []
    state = ON if y[0] >= rule.on else OFF
    decided = began = 0
    switches = [(0, 0, state)]
    while True:
        hold = math.ceil((rule.min_on_s if state == ON else rule.min_off_s) / hop_s - 1e-6)
        against = [value < rule.off if state == ON else value >= rule.on for value in y]
        ready = (
            f
            for f in range(decided + rule.debounce, len(y))
            if all(against[f - rule.debounce + 1 : f + 1]) and f >= began + hold
        )
        f = next(ready, None)
        if f is None:
            return switches
        crossed = f
        while crossed - 1 > decided and against[crossed - 1]:
            crossed -= 1
        decided, began, state = f, max(crossed, began + hold), OFF if state == ON else ON
        switches.append((decided, began, state))


def slow_states(scores, decision, labels, plan):
    """Frame by frame from the states of each label: what is hidden is unknown, and times never go back."""
    first = math.ceil((plan.window_samples - plan.hop_samples) / 2 / plan.hop_samples)
    own = {
        label: slow_label([float(v) for v in scores[first:, c]], decision.rules[label], plan.hop_s)
        for c, label in enumerate(labels)
    }
    smoothed = {
        label: slow_smooth([float(v) for v in scores[first:, c]], decision.rules[label])
        for c, label in enumerate(labels)
    }
    shown = dict.fromkeys(labels, UNKNOWN)
    latest_s = dict.fromkeys(labels, 0.0)
    changes = []
    for f in range(max(0, len(scores) - first)):
        now = {label: [row for row in own[label] if row[0] <= f][-1] for label in labels}
        state = {label: row[2] for label, row in now.items()}
        # "a" may hide "b" and "c", "b" may hide "c".
        for hider in ("a", "b"):
            if state[hider] == ON:
                state |= dict.fromkeys(decision.masks.get(hider, ()), UNKNOWN)
        new = []
        for label in labels:
            if state[label] == shown[label]:
                continue
            hiders = [hider for hider in ("a", "b") if label in decision.masks.get(hider, ())]
            if state[label] == UNKNOWN:
                time = min(latest_s[hider] for hider in hiders if state[hider] == ON)
            else:
                middle = (first + now[label][1] + 0.5) * plan.hop_s
                time = max([middle, *(latest_s[hider] for hider in hiders)])
            latest_s[label] = max(latest_s[label], time)
            shown[label] = state[label]
            last = first + f - (first + f) % plan.core_frames + plan.core_frames - 1
            arrived = (last + 0.5) * plan.hop_s + plan.window_samples / plan.rate / 2
            new.append(StateChange(latest_s[label], label, state[label], smoothed[label][f], arrived))
        changes += new
    return changes


def same(found, expected):
    assert [(change.label, change.state) for change in found] == [(change.label, change.state) for change in expected]
    for name in ("time_s", "score", "decided_at_s"):
        np.testing.assert_allclose(
            [getattr(change, name) for change in found], [getattr(change, name) for change in expected]
        )


MASKS = [{}, {"a": ("b",)}, {"a": ("b", "c")}, {"a": ("b",), "b": ("c",)}, {"b": ("c",)}]


@settings(deadline=None, max_examples=300)
@given(
    values=rows,
    own=st.lists(rules(), min_size=3, max_size=3),
    masks=st.sampled_from(MASKS),
    cuts=st.lists(st.integers(0, 40), max_size=6),
    core=st.sampled_from([1, 4]),
)
def test_any_feed_gives_what_the_words_say(values, own, masks, cuts, core):
    scores = np.array(values, np.float32).reshape(-1, 3)
    labels, plan = ("a", "b", "c"), plan_of(core_frames=core)
    decision = StateDecision(dict(zip(labels, own, strict=True)), masks)
    whole = StateFold(decision, labels, plan).feed(scores)
    same(whole, slow_states(scores, decision, labels, plan))
    for places in (sorted(min(cut, len(scores)) for cut in cuts), range(len(scores))):
        fold = StateFold(decision, labels, plan)
        assert [state_change for block in np.split(scores, places) for state_change in fold.feed(block)] == whole


def one_label(rule, scores, plan):
    return StateFold(StateDecision({"ac": rule}), ("ac",), plan).feed(np.array(scores, np.float32)[:, None])


def test_the_first_state_comes_with_the_first_full_window():
    """The old system said nothing for 6 s + 6 hops of 1.5 s = 15 s, until its median had seven windows."""
    plan = plan_of(hop_s=1.5, window_s=6.0)
    rule = StateRule(on=0.8, off=0.6, smoothing="median", frames=7, debounce=2)
    (first,) = one_label(rule, [0.9] * 12, plan)
    assert (first.state, first.time_s, first.decided_at_s) == (ON, 3.75, 6.75)


@pytest.mark.parametrize(("window_s", "hop_s"), [(6.0, 1.4), (2.0, 0.3), (1.0, 0.7), (0.5, 2.0)])
def test_a_window_that_is_no_multiple_of_the_hop_fills(window_s, hop_s):
    """The old system trimmed whole blocks, so that such a window never filled."""
    plan = plan_of(hop_s, window_s)
    (first,) = one_label(StateRule(), [0.9] * 9, plan)
    assert first.state == ON
    assert window_s <= first.decided_at_s < window_s + max(hop_s, 0.75 + 0.5)
    assert first.decided_at_s == pytest.approx(first.time_s + window_s / 2)


@pytest.mark.parametrize("kind", ["none", "median", "ema"])
def test_smoothing_works_from_the_first_frame_on(kind):
    rule = StateRule(on=0.5, off=0.5, smoothing=kind, frames=7)
    changes_found = one_label(rule, [0.0, 1.0, 1.0, 1.0, 1.0, 1.0], plan_of(hop_s=0.5, window_s=0.5))
    assert [change.state for change in changes_found] == [OFF, ON]
    # A median of 1 of 2 scores is 0.5; an EMA of span 7 from 0 needs three scores of 1.
    assert changes_found[1].time_s == {"none": 0.75, "median": 0.75, "ema": 1.75}[kind]


def test_hysteresis_debounce_and_holds():
    plan = plan_of(hop_s=1.0, window_s=1.0)

    def changes(rule, scores):
        return [(change.time_s, change.state, change.decided_at_s) for change in one_label(rule, scores, plan)][1:]

    up = [0.1, 0.7, 0.5, 0.5, 0.3, 0.1]
    assert changes(StateRule(on=0.6, off=0.4), up) == [(1.5, ON, 2.0), (4.5, OFF, 5.0)]
    flicker = [0.1, 0.9, 0.1, 0.9, 0.9, 0.1, 0.9]
    assert changes(StateRule(debounce=2), flicker) == [(3.5, ON, 5.0)]
    assert changes(StateRule(min_on_s=3.0), [0.1, 0.9, 0.1, 0.1, 0.1, 0.1]) == [(1.5, ON, 2.0), (4.5, OFF, 5.0)]
    assert changes(StateRule(min_off_s=3.0), [0.1, 0.9, 0.9, 0.9, 0.9]) == [(3.5, ON, 4.0)]


def test_a_gap_makes_everything_unknown_and_begins_again():
    plan = plan_of(hop_s=1.0, window_s=2.0)
    decision = StateDecision({"ac": StateRule(smoothing="ema", frames=99), "fridge": StateRule(min_on_s=60.0)})
    fold = StateFold(decision, ("ac", "fridge"), plan)
    before = fold.feed(np.full((5, 2), 0.9, np.float32))
    assert [(state_change.label, state_change.state) for state_change in before] == [("ac", ON), ("fridge", ON)]
    lost = fold.gap(5.0, 100.0)
    assert [
        (state_change.time_s, state_change.label, state_change.state, state_change.decided_at_s)
        for state_change in lost
    ] == [
        (5.0, "ac", UNKNOWN, 5.0),
        (5.0, "fridge", UNKNOWN, 5.0),
    ]
    assert fold.gap(6.0, 200.0) == []
    after = fold.feed(np.full((3, 2), 0.1, np.float32))
    assert [(state_change.time_s, state_change.label, state_change.state) for state_change in after] == [
        (201.5, "ac", OFF),
        (201.5, "fridge", OFF),
    ]


def test_a_label_without_a_rule_is_named():
    with pytest.raises(ValueError, match="no state rule for the labels: fridge"):
        StateFold(StateDecision({"ac": StateRule()}), ("ac", "fridge"), plan_of())
