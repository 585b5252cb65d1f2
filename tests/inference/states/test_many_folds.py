import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.decisions.states import ON, StateRule
from ossicle.inference.states.fold import LabelFold
from ossicle.inference.states.many_folds import ManyFolds

levels = st.sampled_from([0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0])


@st.composite
def rules(draw):
    on = draw(st.sampled_from([0.4, 0.5, 0.6, 0.9]))
    return StateRule(
        on=on,
        off=on * draw(st.sampled_from([0.0, 0.5, 1.0])),
        smoothing=draw(st.sampled_from(["none", "median", "ema"])),
        frames=draw(st.sampled_from([1, 3, 5])),
        min_on_s=draw(st.sampled_from([0.0, 0.5, 1.2])),
        min_off_s=draw(st.sampled_from([0.0, 0.5, 1.2])),
        debounce=draw(st.sampled_from([1, 2, 3])),
    )


@settings(deadline=None, max_examples=200)
@given(st.lists(levels, max_size=40), st.lists(rules(), min_size=1, max_size=6))
def test_many_rules_at_once_decide_as_each_alone(scores, given_rules):
    many, alone = ManyFolds(given_rules, 0.5), [LabelFold(rule, 0.5) for rule in given_rules]
    for frame, score in enumerate(scores):
        changed = many.step(score)
        each = [fold.step(score, frame) for fold in alone]
        assert changed.tolist() == (each if frame else [False] * len(each))
        assert many.state.tolist() == [fold.state == ON for fold in alone]


def test_a_thousand_thresholds_split_at_the_score():
    many = ManyFolds([StateRule(on=t, off=t) for t in np.linspace(0, 1, 1000)], 0.5)
    assert many.step(0.25).tolist() == [False] * 1000
    assert many.state.sum() == 250
    assert many.step(0.5).sum() == 250
