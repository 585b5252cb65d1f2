"""One answer per clip: the label with the highest score, its probability, and the loss."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_PROBABILITY = 1e-12
"""A probability below this counts as this, so the loss of a clip is at most 27.6."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The answer to each clip.

    Attributes
    ----------
    truth, answer
        int64 (n,): columns of the true label and of the answer.
    confidence
        float64 (n,): the probability of the answer, in [0, 1].
    loss
        float64 (n,): minus the natural logarithm of the probability of the true label.
    """

    truth: NDArray[np.int64]
    answer: NDArray[np.int64]
    confidence: NDArray[np.float64]
    loss: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.truth)


def probabilities(scores: NDArray[np.floating], known: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """Return scores as probabilities of labels that exclude each other: float64 (n, n_labels), rows sum to 1.

    Scores of a softmax stay what they are; scores of independent labels are divided by their sum.

    Parameters
    ----------
    scores
        Shape (n, n_labels), each at least 0. A row of zeros becomes even.
    known
        bool (n, n_labels): labels whose presence is unknown get the probability 0. By default all are known.

    >>> probabilities(np.array([[0.125, 0.375], [0.0, 0.0]])).tolist()
    [[0.25, 0.75], [0.5, 0.5]]
    """
    values = np.asarray(scores, dtype=np.float64)
    allowed = np.ones(values.shape, dtype=np.bool_) if known is None else known
    values = np.where(allowed, values, 0.0)
    totals = values.sum(axis=1, keepdims=True)
    even = allowed / np.maximum(allowed.sum(axis=1, keepdims=True), 1)
    shares: NDArray[np.float64] = np.where(totals > 0, values / np.where(totals > 0, totals, 1.0), even)
    return shares


def answers_of(
    scores: NDArray[np.floating], truth: NDArray[np.int64], known: NDArray[np.bool_] | None = None
) -> Answers:
    """Return the answers to clips: the label with the highest score, the first of equals.

    Parameters
    ----------
    scores
        Shape (n, n_labels), each at least 0.
    truth
        int64 (n,): the column of the true label.
    known
        As in :func:`probabilities`; an unknown label is no answer.
    """
    chances = probabilities(scores, known)
    answer = chances.argmax(axis=1).astype(np.int64)
    rows = np.arange(len(chances))
    loss = -np.log(np.maximum(chances[rows, truth], LEAST_PROBABILITY))
    return Answers(truth, answer, chances[rows, answer], loss)


def confusion_matrix(truth: NDArray[np.int64], answer: NDArray[np.int64], n_labels: int) -> NDArray[np.int64]:
    """Return how often each label got each answer: int64 (n_labels, n_labels), truth in rows.

    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    cells = np.bincount(truth * n_labels + answer, minlength=n_labels * n_labels)
    return cells.reshape(n_labels, n_labels).astype(np.int64)
