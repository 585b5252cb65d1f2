import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

from ossicle.metrics.curves.held_out import HeldOutCounts

LABELS = ("kick", "snare", "crash")


def one_label_each(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, n)
    scores = rng.random((n, 3)) + 0.5 * np.eye(3)[truth]
    return scores / 2, truth


def test_one_label_each_gives_the_figures_of_scikit_learn() -> None:
    scores, truth = one_label_each()
    counts = HeldOutCounts(3)
    for rows in np.array_split(np.arange(len(truth)), 7):
        # Positions of padding are not known, and do not count.
        padding = np.zeros((2, 3))
        counts.add(
            np.concatenate([scores[rows], padding]),
            np.concatenate([np.eye(3)[truth[rows]], padding]),
            np.concatenate([np.ones((len(rows), 3)), padding]),
        )
    result, answer = counts.figures(LABELS), scores.argmax(axis=1)
    assert result["val_accuracy"] == pytest.approx(accuracy_score(truth, answer))
    matrix = np.zeros((3, 3), dtype=int)
    for true, said, n in result["confusion"]:
        matrix[LABELS.index(true), LABELS.index(said)] = n
    assert (matrix == confusion_matrix(truth, answer)).all()
    assert [result["labels"][one]["f1"] for one in LABELS] == pytest.approx(f1_score(truth, answer, average=None))
    assert [result["labels"][one]["recall"] for one in LABELS] == pytest.approx(
        recall_score(truth, answer, average=None)
    )


def test_several_labels_are_decided_each_by_itself() -> None:
    counts = HeldOutCounts(2)
    counts.add([[0.9, 0.8], [0.2, 0.7], [0.6, 0.1]], [[1, 1], [0, 0], [0, 0]], [[1, 1], [1, 1], [1, 0]])
    result = counts.figures(("a", "b"))
    assert result["counts"] == {"a": {"tp": 1, "fp": 1, "fn": 0, "tn": 1}, "b": {"tp": 1, "fp": 1, "fn": 0, "tn": 0}}
    assert result["val_accuracy"] == 3 / 5
    assert result["labels"]["a"]["recall"] == 1.0
    assert "confusion" not in result


def test_scores_that_exclude_each_other_count_positions_with_one_label_alone() -> None:
    counts = HeldOutCounts(3, exclusive=True)
    counts.add([[0.4, 0.3, 0.3], [0.3, 0.4, 0.3]], [[1, 0, 0], [0, 0, 0]], np.ones((2, 3)))
    assert counts.figures(LABELS)["confusion"] == [["kick", "kick", 1]]
    assert counts.figures(LABELS)["val_accuracy"] == 1.0


def test_what_nothing_says_anything_about_is_none() -> None:
    assert HeldOutCounts(3).figures(LABELS) == {}
    counts = HeldOutCounts(3)
    counts.add([[0.9, 0.1, 0.1]], [[1, 0, 0]], np.ones((1, 3)))
    assert counts.figures(LABELS)["labels"]["crash"] == {"f1": None, "recall": None}


def test_a_single_label_has_no_confusion() -> None:
    counts = HeldOutCounts(1)
    counts.add([[0.9], [0.8]], [[1], [0]], [[1], [1]])
    assert counts.figures(("hum",))["counts"] == {"hum": {"tp": 1, "fp": 1, "fn": 0, "tn": 0}}
