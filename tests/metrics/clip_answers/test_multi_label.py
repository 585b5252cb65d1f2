"""Figures of clips with several labels, against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, multilabel_confusion_matrix, precision_recall_fscore_support

from ossicle.metrics.clip_answers.multi_label import MultiLabelItems, multi_label_report
from ossicle.metrics.clips import best_f1_threshold

LABELS = ("kick", "snare", "tom")


def items(n: int = 90) -> MultiLabelItems:
    rng = np.random.default_rng(4)
    targets = rng.random((n, 3)) < (0.4, 0.5, 0.3)
    scores = np.clip(0.4 * targets + 0.6 * rng.random((n, 3)), 0, 1)
    known = np.ones((n, 3), dtype=np.bool_)
    recording = np.sort(rng.integers(0, 20, n))
    return MultiLabelItems(scores, targets, known, recording % 3, recording)


def decided(of: MultiLabelItems) -> np.ndarray:
    """What is predicted, threshold by threshold from the other folds."""
    out = np.zeros(of.targets.shape, dtype=np.bool_)
    for fold in range(3):
        here = of.folds == fold
        for column in range(3):
            limit = best_f1_threshold(of.scores[~here, column], of.targets[~here, column])
            out[here, column] = of.scores[here, column] >= limit
    return out


def test_figures_equal_those_of_scikit_learn() -> None:
    of = items()
    report, predicted = multi_label_report(of, LABELS, [0, 1, 2], ["g"] * 20, 30), decided(of)
    assert report.exact_match.value == pytest.approx(accuracy_score(of.targets, predicted))
    precision, recall, f1, _ = precision_recall_fscore_support(of.targets, predicted)
    assert [estimate.value for estimate in report.precision.values()] == pytest.approx(precision.tolist())
    assert [estimate.value for estimate in report.recall.values()] == pytest.approx(recall.tolist())
    assert [estimate.value for estimate in report.f1.values()] == pytest.approx(f1.tolist())
    assert report.macro_f1.value == pytest.approx(f1_score(of.targets, predicted, average="macro"))
    assert report.micro_f1.value == pytest.approx(f1_score(of.targets, predicted, average="micro"))
    assert report.confusion.tolist() == multilabel_confusion_matrix(of.targets, predicted).tolist()
    assert report.exact_match.low <= report.exact_match.value <= report.exact_match.high
    assert report.n_simultaneous == int((of.targets.sum(axis=1) > 1).sum())


def test_folds_that_only_choose_thresholds_are_not_judged() -> None:
    of = items()
    report = multi_label_report(of, LABELS, [2], ["g"] * 20, 10)
    assert report.n == int((of.folds == 2).sum())
    predicted = decided(of)[of.folds == 2]
    assert report.exact_match.value == pytest.approx(accuracy_score(of.targets[of.folds == 2], predicted))


def test_a_label_without_positives_elsewhere_has_no_threshold_and_is_listed() -> None:
    of = items()
    of.targets[of.folds != 1, 2] = False
    result = multi_label_report(of, LABELS, [0, 1, 2], ["g"] * 20, 10).to_json()
    assert result["without_threshold"] == ["tom"]


def test_unknown_targets_count_nowhere() -> None:
    of = items()
    of.known[:, 0] = False
    result = multi_label_report(of, LABELS, [0, 1, 2], ["g"] * 20, 10).to_json()
    assert result["f1"]["kick"]["value"] is None
    assert result["confusion"]["kick"] == [[0, 0], [0, 0]]
