"""Simple models of clips."""

import numpy as np

from ossicle.training.clip_baseline import forest_scores, majority_scores


def test_the_majority_is_the_answer_everywhere() -> None:
    scores = majority_scores(np.array([2, 2, 0]), 4, 5)
    assert scores.shape == (5, 4)
    assert set(scores.argmax(axis=1).tolist()) == {2}
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-6)


def test_a_forest_distinguishes_what_its_features_distinguish_and_is_the_same_each_time() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 80) * 2
    features = (rng.standard_normal((80, 5)) + labels[:, None]).astype(np.float32)
    first, second = (forest_scores(features[:60], labels[:60], features[60:], 3, seed=4, trees=20) for _ in range(2))
    assert (first.argmax(axis=1) == labels[60:]).mean() > 0.8
    # A label without training clips.
    assert first[:, 1].max() == 0
    np.testing.assert_array_equal(first, second)
    assert forest_scores(features, labels, features[:0], 3, seed=4).shape == (0, 3)
