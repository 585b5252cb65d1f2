import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

from ossicle.inference.second_stage.trees import MAX_DEPTH, Trees, logit, sigmoid
from ossicle.training.second_stage.tree_fits import boosting_trees, forest_trees


def corpus(seed, n, n_features):
    generator = np.random.default_rng(seed)
    features = generator.standard_normal((n, n_features)) * 10.0 ** generator.integers(-3, 4, n_features)
    # Few distinct values in a column: many rows lie exactly on thresholds' sides.
    features[:, 0] = np.round(features[:, 0])
    true = features[:, 1] + features[:, 0] + generator.standard_normal(n) * np.std(features[:, 1]) > 0
    true[:2] = [False, True]
    return features, true


@settings(max_examples=12)
@given(st.integers(0, 1000), st.integers(20, 120), st.integers(2, 12), st.integers(1, 5))
def test_forests_say_what_scikit_learn_says(seed, n, n_features, min_leaf):
    features, true = corpus(seed, n, n_features)
    forest = RandomForestClassifier(15, min_samples_leaf=min_leaf, class_weight="balanced", random_state=seed)
    forest.fit(features, true)
    new = np.concatenate([features, corpus(seed + 1, 50, n_features)[0]])
    np.testing.assert_allclose(forest_trees(forest).predict(new), forest.predict_proba(new)[:, 1], atol=1e-6, rtol=0)


@settings(max_examples=12)
@given(st.integers(0, 1000), st.integers(20, 120), st.integers(2, 12), st.integers(1, 4))
def test_boostings_say_what_scikit_learn_says(seed, n, n_features, depth):
    features, true = corpus(seed, n, n_features)
    boosting = GradientBoostingClassifier(n_estimators=20, max_depth=depth, subsample=0.7, random_state=seed)
    boosting.fit(features, true)
    new = np.concatenate([features, corpus(seed + 1, 50, n_features)[0]])
    probabilities = boosting_trees(boosting).predict(new)
    np.testing.assert_allclose(probabilities, boosting.predict_proba(new)[:, 1], atol=1e-6, rtol=0)


def test_a_thousand_events_in_a_forest_of_hundreds_take_no_time():
    features, true = corpus(0, 1500, 90)
    trees = forest_trees(RandomForestClassifier(200, random_state=0, max_depth=12).fit(features[:500], true[:500]))
    began = time.process_time()
    trees.predict(features)
    assert time.process_time() - began < 2.0


def array(values, kind=np.int32):
    return np.array(values, dtype=kind)


def stump(**changes):
    """At most 0.5 in column 0: 1; else 2."""
    arrays = {
        "feature": array([0, -1, -1]),
        "threshold": array([0.5, 0, 0], np.float64),
        "left": array([1, -1, -1]),
        "right": array([2, -1, -1]),
        "value": array([0, 1, 2], np.float64),
        "roots": array([0]),
    }
    rest = {"n_features": 2, "offset": 0.0, "scale": 1.0, "logistic": False}
    return Trees(**(arrays | rest | changes))


def test_a_stump_by_hand():
    assert stump().predict(np.array([[0.5, 9], [0.6, 9], [-1, 9]])).tolist() == [1.0, 2.0, 1.0]
    assert stump(offset=-1.0, scale=2.0, logistic=True).predict(np.array([[0.5, 0]]))[0] == pytest.approx(0.731059)
    assert stump().predict(np.zeros((0, 2))).shape == (0,)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"left": array([0, -1, -1])}, "cycle"),
        ({"left": array([-5, -1, -1])}, "cycle, or out of bounds"),
        ({"right": array([3, -1, -1])}, "out of bounds"),
        ({"right": array([1, -1, -1])}, "two parents"),
        ({"feature": array([2, -1, -1])}, "none of 2"),
        ({"feature": array([-2, -1, -1])}, "none of 2"),
        ({"threshold": array([np.nan, 0, 0], np.float64)}, "threshold holds NaN"),
        ({"value": array([0, np.inf, 0], np.float64)}, "value holds NaN or infinity"),
        ({"value": array([0, 1], np.float64)}, "not an array of 3 nodes"),
        ({"left": array([1, -1, -1], np.int64)}, "left is int64"),
        ({"roots": array([])}, "at least one"),
        ({"roots": array([3])}, "root is out of bounds"),
        ({"roots": array([0, 0])}, "two parents"),
        ({"roots": array([0, 1])}, "two parents"),
        ({"scale": np.nan}, "NaN or infinite"),
    ],
)
def test_hostile_arrays_are_refused(changes, why):
    with pytest.raises(ValueError, match=why):
        stump(**changes)


def test_a_tree_like_a_rope_is_refused():
    n = 2 * (MAX_DEPTH + 2) + 1
    node = np.arange(n)
    inner = (node % 2 == 0) & (node < n - 1)
    rope = stump(
        feature=array([0, -1, -1]),
    )
    arrays = {
        "feature": np.where(inner, 0, -1).astype(np.int32),
        "left": np.where(inner, node + 1, -1).astype(np.int32),
        "right": np.where(inner, node + 2, -1).astype(np.int32),
        "threshold": np.zeros(n),
        "value": np.zeros(n),
    }
    with pytest.raises(ValueError, match="deeper than"):
        replace(rope, **arrays)


@pytest.mark.parametrize(
    ("features", "why"),
    [
        (np.zeros((3, 1)), "fitted on 2 columns"),
        (np.zeros(2), "fitted on 2 columns"),
        (np.array([[0.0, np.nan]]), "feature 1 is missing"),
        (np.array([[0.0, np.inf]]), "infinite"),
        (np.array([[0.0, 1e39]]), "beyond float32"),
    ],
)
def test_missing_features_are_refused(features, why):
    with pytest.raises(ValueError, match=why):
        stump().predict(features)


@given(st.floats(1e-5, 1 - 1e-5))
def test_sigmoid_undoes_logit(p):
    assert sigmoid(logit(np.array(p), 1e-6)) == pytest.approx(p, rel=1e-9)


def test_sigmoid_never_overflows():
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]
