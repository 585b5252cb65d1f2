"""Forests and boosted trees, fitted by scikit-learn and converted to plain arrays."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

from ossicle.inference.second_stage.trees import LEAF, Trees, checked_features
from ossicle.training.second_stage.settings import SecondStageSettings


def fit_trees(
    features: NDArray[np.float64], true: NDArray[np.bool_], chosen: SecondStageSettings, seed: int, workers: int = 1
) -> Trees:
    """Fit trees that distinguish true from false candidates: ``features`` (n, n_features), ``true`` (n,).

    Both kinds must be present. ``seed`` is below 2**32; ``workers`` does not change the result. Raises ValueError for
    missing features.
    """
    rows = checked_features(features, features.shape[1])
    if chosen.kind == "forest":
        # Balanced: there may be a hundred false candidates for each true one. Calibration restores the odds.
        forest = RandomForestClassifier(
            n_estimators=chosen.trees,
            min_samples_leaf=chosen.min_leaf,
            max_depth=chosen.max_depth,
            class_weight="balanced",
            n_jobs=workers,
            random_state=seed,
        ).fit(rows, true)
        return forest_trees(forest)
    boosting = GradientBoostingClassifier(
        n_estimators=chosen.trees,
        min_samples_leaf=chosen.min_leaf,
        max_depth=chosen.boosting_depth,
        learning_rate=chosen.learning_rate,
        subsample=0.7,
        max_features="sqrt",
        random_state=seed,
    ).fit(rows, true)
    return boosting_trees(boosting)


def forest_trees(forest: Any) -> Trees:
    """Return a fitted binary ``RandomForestClassifier`` as arrays: the mean over its trees of the share of true
    candidates.
    """
    trees = [estimator.tree_ for estimator in forest.estimators_]
    values = [tree.value[:, 0, 1] / tree.value[:, 0].sum(axis=1) for tree in trees]
    return _joined_trees(trees, values, forest.n_features_in_, offset=0.0, scale=1 / len(trees), logistic=False)


def boosting_trees(boosting: Any) -> Trees:
    """Return a fitted binary ``GradientBoostingClassifier`` (its own start, log loss) as arrays."""
    trees = [estimator.tree_ for estimator in boosting.estimators_[:, 0]]
    share = float(boosting.init_.class_prior_[1])
    return _joined_trees(
        trees,
        [tree.value[:, 0, 0] for tree in trees],
        boosting.n_features_in_,
        offset=float(np.log(share) - np.log1p(-share)),
        scale=float(boosting.learning_rate),
        logistic=True,
    )


def _joined_trees(
    trees: Sequence[Any],
    values: Sequence[NDArray[np.float64]],
    n_features: int,
    *,
    offset: float,
    scale: float,
    logistic: bool,
) -> Trees:
    sizes = [tree.node_count for tree in trees]
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
    inner = np.concatenate([tree.children_left for tree in trees]) >= 0
    shift = np.repeat(roots, sizes)
    left, right = (
        np.where(inner, np.concatenate(children) + shift, LEAF).astype(np.int32)
        for children in ([tree.children_left for tree in trees], [tree.children_right for tree in trees])
    )
    return Trees(
        feature=np.where(inner, np.concatenate([tree.feature for tree in trees]), LEAF).astype(np.int32),
        threshold=np.where(inner, np.concatenate([tree.threshold for tree in trees]), 0.0),
        left=left,
        right=right,
        value=np.concatenate(values).astype(np.float64),
        roots=roots,
        n_features=n_features,
        offset=offset,
        scale=scale,
        logistic=logistic,
    )
