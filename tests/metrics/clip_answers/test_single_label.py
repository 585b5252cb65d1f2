"""Figures of one answer per clip, against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, precision_recall_fscore_support

from ossicle.metrics.clip_answers.answers import Answers, answers_of, probabilities
from ossicle.metrics.clip_answers.single_label import SingleLabelReport, single_label_report

LABELS = ("crash", "kick", "snare", "tom")


def scored(n: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores (n, 4) of clips with three of four labels, their labels, and their recordings."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    scores = rng.random((n, 4)) + 0.7 * np.eye(4)[truth]
    return scores, truth, np.sort(rng.integers(0, 30, n))


def report(n_bootstrap: int = 50) -> tuple[SingleLabelReport, Answers]:
    scores, truth, recording = scored()
    answers = answers_of(scores, truth)
    groups = [f"machine {row % 10}" for row in range(30)]
    return single_label_report(answers, LABELS, recording, groups, n_bootstrap), answers


def test_figures_equal_those_of_scikit_learn() -> None:
    result, answers = report()
    columns = list(range(4))
    precision, recall, f1, support = precision_recall_fscore_support(
        answers.truth, answers.answer, labels=columns, zero_division=0
    )
    assert result.accuracy.value == pytest.approx(accuracy_score(answers.truth, answers.answer))
    assert list(result.support.values()) == support.tolist()
    assert [estimate.value for estimate in result.f1.values()] == pytest.approx(f1.tolist())
    assert [estimate.value for estimate in result.precision.values()] == pytest.approx(precision.tolist())
    # The last label has no clip, so it has no recall.
    assert [estimate.value for estimate in result.recall.values()][:3] == pytest.approx(recall[:3].tolist())
    assert np.isnan(result.recall["tom"].value)
    assert result.macro_f1.value == pytest.approx(f1[:3].mean())
    assert result.macro_recall.value == pytest.approx(recall[:3].mean())
    assert result.weighted_f1.value == pytest.approx(np.average(f1[:3], weights=support[:3]))
    assert result.confusion.tolist() == confusion_matrix(answers.truth, answers.answer, labels=columns).tolist()
    scores, truth, _ = scored()
    assert result.loss.value == pytest.approx(log_loss(truth, probabilities(scores), labels=columns), abs=1e-6)


def test_intervals_hold_their_figure_and_few_groups_are_named() -> None:
    result, _ = report()
    for estimate in (result.accuracy, result.macro_f1, result.loss, result.f1["kick"]):
        assert estimate.low <= estimate.value <= estimate.high
    assert (result.n_groups, result.few_groups) == (10, False)
    scores, truth, recording = scored()
    few = single_label_report(answers_of(scores, truth), LABELS, recording, ["one"] * 30, 20)
    assert few.few_groups


def test_plain_values_name_labels_that_are_never_named_and_absent_ones() -> None:
    answers = answers_of(np.array([[0.9, 0.1, 0.0], [0.8, 0.2, 0.0]]), np.array([0, 1]))
    result = single_label_report(answers, LABELS[:3], np.array([0, 1]), ["a", "b"], 10).to_json()
    assert (result["never_named"], result["absent"]) == (["kick"], ["snare"])
    assert result["f1"]["snare"] == {"value": None, "low": None, "high": None}
    assert result["f1"]["kick"]["value"] == 0.0
    assert result["macro_f1"]["value"] == pytest.approx(1 / 3, abs=1e-6)
    assert result["confusion"] == {"labels": ["crash", "kick", "snare"], "counts": [[1, 0, 0], [1, 0, 0], [0, 0, 0]]}


def test_softmax_scores_keep_their_probabilities_and_unknown_labels_are_no_answer() -> None:
    scores = np.array([[0.7, 0.2, 0.1]])
    assert probabilities(scores).tolist() == [pytest.approx([0.7, 0.2, 0.1])]
    answers = answers_of(scores, np.array([1]), np.array([[False, True, True]]))
    assert (answers.answer.tolist(), answers.confidence.tolist()) == ([1], [pytest.approx(2 / 3)])
    assert answers.loss.tolist() == [pytest.approx(-np.log(2 / 3))]


def test_a_true_label_without_any_score_costs_a_bounded_loss() -> None:
    assert answers_of(np.array([[1.0, 0.0]]), np.array([1])).loss.tolist() == [pytest.approx(27.631021)]


def test_without_clips_every_figure_is_undefined() -> None:
    empty = answers_of(np.zeros((0, 2)), np.zeros(0, dtype=np.int64))
    result = single_label_report(empty, LABELS[:2], np.zeros(0, dtype=np.int64), [], 10).to_json()
    assert (result["n"], result["absent"]) == (0, ["crash", "kick"])
    assert result["accuracy"] == result["f1"]["kick"] == {"value": None, "low": None, "high": None}
