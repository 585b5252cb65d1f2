"""Every rule against its closed form, and ranks against scipy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import gmean, rankdata

from ossicle.core.errors import UsageError
from ossicle.core.scores.combination import RULES, Combination
from ossicle.inference.ensembles.combining import columns_by_name, combine, rank_table, ranks

UNIT = st.floats(0, 1, width=32)
MEMBERS = arrays(np.float32, (3, 5, 2), elements=UNIT)
SCORES = np.random.default_rng(0).random((3, 50, 4)).astype(np.float32)


def tables_of(scores):
    return np.stack([rank_table(score) for score in scores])


def test_the_rules_by_hand():
    scores = np.array([[[0.2]], [[0.8]]], dtype=np.float32)

    def by(rule, **more):
        return float(combine(scores, Combination(rule=rule, **more))[0, 0])

    rms = np.sqrt((0.04 + 0.64) / 2)
    assert by("mean") == pytest.approx(0.5)
    assert by("mean", weights=(3.0, 1.0)) == pytest.approx(0.35)
    assert by("learned", weights=(0.25, 0.75)) == pytest.approx(0.65)
    assert by("geometric") == pytest.approx(0.4)
    assert by("geometric", weights=(1.0, 3.0)) == pytest.approx(0.2**0.25 * 0.8**0.75)
    assert by("power") == pytest.approx(rms)
    assert by("power", exponent=1.0) == pytest.approx(0.5)
    assert by("power", exponent=3.0) == pytest.approx(((0.008 + 0.512) / 2) ** (1 / 3))
    assert by("vlom") == pytest.approx((0.4 + rms) / 2)


@given(scores=MEMBERS)
def test_the_rules_against_other_libraries(scores):
    whole = scores.astype(np.float64)
    np.testing.assert_allclose(combine(scores, Combination()), whole.mean(axis=0), atol=1e-6)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(combine(scores, Combination(rule="geometric")), gmean(whole, axis=0), atol=1e-6)
    rms = np.sqrt((whole**2).mean(axis=0))
    np.testing.assert_allclose(combine(scores, Combination(rule="power")), rms, atol=1e-6)


@given(scores=MEMBERS, rule=st.sampled_from([rule for rule in RULES if rule != "rank"]), weight=st.floats(0.1, 5))
def test_what_all_rules_have_in_common(scores, rule, weight):
    how = Combination(rule=rule, weights=(weight, 1.0, 0.0))
    combined = combine(scores, how)
    heard = scores[:2]
    assert combined.dtype == np.float32
    assert (combined >= heard.min(axis=0) - 1e-6).all()
    assert (combined <= heard.max(axis=0) + 1e-6).all()
    # A member without weight has no say, and equal members say what one says.
    np.testing.assert_array_equal(combined, combine(heard, Combination(rule=rule, weights=(weight, 1.0))))
    np.testing.assert_allclose(combine(np.stack([scores[0]] * 3), how), scores[0], atol=1e-6)


@given(values=arrays(np.float32, (12, 2), elements=st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])))
def test_ranks_in_their_own_set_are_average_ranks(values):
    expected = np.stack([(rankdata(values[:, label]) - 0.5) / 12 for label in range(2)], axis=1)
    np.testing.assert_allclose(ranks(values, rank_table(values)), expected)


def test_the_rank_rule_is_the_mean_of_ranks_and_blind_to_scale():
    combined = combine(SCORES, Combination(rule="rank"), tables_of(SCORES))
    expected = np.stack([ranks(one, rank_table(one)) for one in SCORES]).mean(axis=0)
    np.testing.assert_allclose(combined, expected, atol=1e-6)
    squeezed = SCORES.copy()
    squeezed[1] = squeezed[1] ** 8 / 100
    np.testing.assert_allclose(combine(squeezed, Combination(rule="rank"), tables_of(squeezed)), combined, atol=1e-6)


def test_a_large_set_is_told_by_its_quantiles():
    values = np.random.default_rng(1).random((50_000, 1)).astype(np.float32)
    table = rank_table(values)
    assert len(table) == 2001
    exact = (rankdata(values[:, 0]) - 0.5) / len(values)
    assert np.abs(ranks(values, table)[:, 0] - exact).max() < 6e-4


def test_a_frame_means_the_same_whatever_stands_beside_it():
    tables = tables_of(SCORES)
    whole = combine(SCORES, Combination(rule="rank"), tables)
    blocks = [combine(SCORES[:, a : a + 7], Combination(rule="rank"), tables) for a in range(0, 50, 7)]
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="the length 2, but there are 3 members"):
        combine(SCORES, Combination(weights=(1.0, 2.0)))
    with pytest.raises(ValueError, match="needs tables"):
        combine(SCORES, Combination(rule="rank"))
    with pytest.raises(ValueError, match="takes no tables"):
        combine(SCORES, Combination(), tables_of(SCORES))
    with pytest.raises(ValueError, match="do not fit"):
        combine(SCORES, Combination(rule="rank"), tables_of(SCORES)[:2])
    with pytest.raises(ValueError, match="more than 0"):
        Combination(weights=(0.0, 0.0))


def test_labels_are_matched_by_name_and_strangers_named():
    labels, places = columns_by_name({"a": ("x", "y", "z"), "b": ("z", "x", "y")})
    assert labels == ("x", "y", "z")
    assert places == {"a": [0, 1, 2], "b": [1, 2, 0]}
    with pytest.raises(UsageError, match="'b' are not those of 'a': it lacks 'y' and also has 'w'"):
        columns_by_name({"a": ("x", "y"), "b": ("x", "w")})
