"""Simple models of clips to compare a network with: the majority label, and a random forest on fixed features."""

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

TREES = 300


def majority_scores(labels: NDArray[np.int64], n_labels: int, n: int) -> NDArray[np.float32]:
    """Return the share of each label in the training clips, for each of ``n`` clips: float32 (n, n_labels).

    The answer is then the most frequent label.

    >>> majority_scores(np.array([1, 1, 0, 2]), 3, 1).tolist()
    [[0.25, 0.5, 0.25]]
    """
    shares = np.bincount(labels, minlength=n_labels) / max(len(labels), 1)
    return np.tile(shares.astype(np.float32), (n, 1))


def forest_scores(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    judged: NDArray[np.float32],
    n_labels: int,
    seed: int,
    trees: int = TREES,
) -> NDArray[np.float32]:
    """Return the probabilities of a random forest with balanced classes: float32 (n, n_labels).

    Parameters
    ----------
    features, labels
        Features (m, k) and labels int64 (m,) of the training clips.
    judged
        Features (n, k) of the clips to score.
    n_labels
        Number of labels; one without training clips has the probability 0.
    seed
        Seed of the forest, below 2**32.
    trees
        Number of trees.
    """
    if len(judged) == 0:
        return np.zeros((0, n_labels), dtype=np.float32)
    forest = RandomForestClassifier(trees, class_weight="balanced", random_state=seed, n_jobs=1).fit(features, labels)
    scores = np.zeros((len(judged), n_labels), dtype=np.float32)
    scores[:, forest.classes_] = forest.predict_proba(judged)
    return scores
