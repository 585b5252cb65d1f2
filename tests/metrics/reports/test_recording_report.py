"""Figures by recording against scikit-learn, with absent labels, folds of one label and ties."""

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    confusion_matrix,
    f1_score,
    roc_auc_score,
)

from ossicle.metrics.calibration.out_of_fold import Items
from ossicle.metrics.reports.recording_report import recording_report, top_labels


def items_of(scores: np.ndarray, positive: np.ndarray, folds: np.ndarray) -> Items:
    return Items(scores.astype(np.float32), positive, np.ones(len(scores)), folds.astype(np.int64))


def case(seed: int, single: bool) -> Items:
    rng = np.random.default_rng(seed)
    n, n_labels = int(rng.integers(6, 50)), int(rng.integers(2, 6))
    scores = rng.integers(0, 12, (n, n_labels)) / 11
    if single:
        # Fewer labels than columns: the last is absent.
        positive = np.eye(n_labels, dtype=bool)[rng.integers(0, n_labels - 1, n)]
    else:
        positive = rng.random((n, n_labels)) < rng.choice([0.0, 0.2, 0.6], n_labels)
    # By label where single: folds that hold one label only.
    folds = positive.argmax(axis=1) % 3 if single and seed % 2 else rng.integers(0, 3, n)
    return items_of(scores, positive, folds)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("single", [True, False])
def test_every_figure_is_that_of_scikit_learn(seed: int, single: bool) -> None:
    items = case(seed, single)
    labels = [f"label {k}" for k in range(items.scores.shape[1])]
    scores, positive = items.scores.astype(np.float64), items.positive
    report = recording_report(items, labels, ["g"] * len(scores), "max", n_bootstrap=0).to_json()
    present = [k for k in range(len(labels)) if positive[:, k].any()]
    ranked = [k for k in present if not positive[:, k].all()]
    assert report["absent"] == [labels[k] for k in range(len(labels)) if k not in present]
    assert report["everywhere"] == [labels[k] for k in present if k not in ranked]
    for k in present:
        label_report = report["per_label"][labels[k]]
        # Without negatives scikit-learn gives 1, whatever the scores.
        expected = average_precision_score(positive[:, k], scores[:, k]) if k in ranked else None
        assert label_report["average_precision"]["value"] == (
            expected if expected is None else pytest.approx(expected, abs=1e-6)
        )
        assert label_report["brier"] == pytest.approx(brier_score_loss(positive[:, k], scores[:, k]), abs=1e-6)
        limits = label_report["thresholds"]
        if None not in limits.values():
            own = np.array([limits[str(fold)] for fold in items.folds])
            # Figures in JSON have six decimals.
            predicted = scores[:, k] >= own - 1e-6
            assert label_report["f1"]["value"] == pytest.approx(f1_score(positive[:, k], predicted), abs=1e-6)
            for fold, limit in limits.items():
                others = items.folds != int(fold)
                limits_tried = np.unique(scores[others, k])
                tried = [
                    f1_score(positive[others, k], scores[others, k] >= limit_tried) for limit_tried in limits_tried
                ]
                f1_at_limit = f1_score(positive[others, k], scores[others, k] >= limit - 1e-6)
                assert f1_at_limit == pytest.approx(max(tried), abs=1e-9)
        else:
            assert label_report["f1"]["value"] is None
            assert labels[k] in report["without_threshold"]
    if ranked:
        # A macro average with the zeros of absent classes would be lower: they have no part in it.
        expected = np.mean([average_precision_score(positive[:, k], scores[:, k]) for k in ranked])
        assert report["macro"]["cmap"]["value"] == pytest.approx(expected, abs=1e-6)
        assert report["macro"]["labels"]["cmap"] == report["macro"]["labels"]["roc_auc"] == len(ranked)
        expected = roc_auc_score(positive[:, ranked], scores[:, ranked], average="macro")
        assert report["macro"]["roc_auc"]["value"] == pytest.approx(expected, abs=1e-6)
    if single:
        truth, predicted = positive.argmax(axis=1), scores.argmax(axis=1)
        assert report["accuracy"]["value"] == pytest.approx(accuracy_score(truth, predicted), abs=1e-6)
        expected = confusion_matrix(truth, predicted, labels=range(len(labels)))
        assert report["confusion"]["counts"] == expected.tolist()
        for row in report["per_fold"]:
            in_fold = items.folds == row["fold"]
            assert row["accuracy"] == pytest.approx(accuracy_score(truth[in_fold], predicted[in_fold]), abs=1e-6)
    elif not np.all(positive.sum(axis=1) == 1):
        assert report["accuracy"] is report["confusion"] is None


def test_three_recordings_have_figures_like_three_thousand() -> None:
    # The old pipeline gives -1 for fewer than 100 files.
    truth = np.array([[True, False], [False, True], [True, False]])
    items = items_of(np.array([[0.9, 0.1], [0.2, 0.7], [0.4, 0.6]]), truth, np.arange(3))
    report = recording_report(items, ["a", "b"], ["x", "y", "z"], "max", n_bootstrap=200)
    assert report.roc_auc.value == 1.0
    assert report.accuracy is not None
    assert report.accuracy.value == pytest.approx(2 / 3)
    assert 0 <= report.accuracy.low <= report.accuracy.value <= report.accuracy.high <= 1


def test_absent_labels_change_no_mean() -> None:
    rng = np.random.default_rng(3)
    scores, positive, folds = rng.random((40, 3)), np.eye(3, dtype=bool)[rng.integers(0, 3, 40)], np.arange(40) % 4
    groups = [f"g{k}" for k in range(40)]
    report = recording_report(items_of(scores, positive, folds), ["a", "b", "c"], groups, "max", 100)
    more = np.concatenate([scores, rng.random((40, 2))], axis=1)
    wider = np.concatenate([positive, np.zeros((40, 2), dtype=bool)], axis=1)
    two = recording_report(items_of(more, wider, folds), ["a", "b", "c", "d", "e"], groups, "max", 100)
    assert two.absent == ("d", "e")
    for name in ("roc_auc", "cmap", "macro_f1"):
        assert getattr(report, name) == getattr(two, name)
    assert two.to_json()["per_label"]["d"]["average_precision"]["value"] is None


def test_a_label_of_every_recording_has_no_figure_that_could_not_be_lower() -> None:
    rng = np.random.default_rng(1)
    positive = np.stack([np.ones(12, dtype=bool), np.arange(12) % 3 == 0], axis=1)
    items = items_of(rng.random((12, 2)), positive, np.arange(12) % 2)
    report = recording_report(items, ["always", "some"], ["g"] * 12, "max", 50).to_json()
    always = report["per_label"]["always"]
    none = {"value": None, "low": None, "high": None}
    assert always["f1"] == always["average_precision"] == always["roc_auc"] == none
    assert always["threshold"] is None
    assert (report["everywhere"], report["without_threshold"]) == (["always"], ["always"])
    assert report["macro"]["cmap"]["value"] == report["per_label"]["some"]["average_precision"]["value"]
    assert report["macro"]["labels"] == {"roc_auc": 1, "cmap": 1, "f1": 1, "all": 2}


def test_intervals_are_of_groups() -> None:
    # Every recording of a group is alike: its figure is as uncertain as that of one recording a group.
    rng = np.random.default_rng(0)
    right = rng.random(12) < 0.6
    positive = np.tile(np.array([[True, False]]), (12, 1))
    scores = np.where(right[:, None], [[0.9, 0.1]], [[0.1, 0.9]])
    folds, groups = np.arange(12) % 2, [str(k) for k in range(12)]
    single = recording_report(items_of(scores, positive, folds), ["a", "b"], groups, "max")
    each = np.repeat(np.arange(12), 10)
    repeated = items_of(scores[each], positive[each], folds[each])
    many = recording_report(repeated, ["a", "b"], [groups[k] for k in each], "max")
    assert single.accuracy is not None
    assert many.accuracy is not None
    assert many.accuracy.low == pytest.approx(single.accuracy.low, abs=0.1)
    assert many.accuracy.high - many.accuracy.low > 0.3


def test_top_labels_only_where_each_recording_has_one() -> None:
    scores, folds = np.array([[0.5, 0.5], [0.1, 0.2]]), np.zeros(2)
    assert top_labels(items_of(scores, np.array([[True, True], [True, False]]), folds)) is None
    assert top_labels(items_of(scores, np.array([[False, False], [True, False]]), folds)) is None
    assert top_labels(items_of(scores[:, :1], np.array([[True], [True]]), folds)) is None
    labels = top_labels(items_of(scores, np.array([[False, True], [False, True]]), folds))
    assert labels is not None
    # Of equal scores the first label counts, as numpy and scikit-learn have it.
    assert labels[1].tolist() == [0, 1]


@pytest.mark.parametrize("seed", range(10))
def test_labels_that_a_recording_may_have_or_not_count_neither_way(seed: int) -> None:
    items = case(seed, single=False)
    rng = np.random.default_rng(seed)
    known = rng.random(items.scores.shape) < 0.7
    labels, groups = [f"label {k}" for k in range(items.scores.shape[1])], [str(k) for k in range(len(items.scores))]

    def report(positive: np.ndarray, scores: np.ndarray) -> dict[str, object]:
        known_items = Items(scores.astype(np.float32), positive, items.weights, items.folds, known)
        return recording_report(known_items, labels, groups, "max", 50).to_json()

    plain_report = report(items.positive, items.scores)
    # Whatever is said of them, and whatever their scores are, no figure moves.
    assert plain_report == report(items.positive ^ ~known, np.where(known, items.scores, 1 - items.scores))
    for k, label in enumerate(labels):
        is_known = known[:, k]
        if 0 < items.positive[is_known, k].sum() < is_known.sum():
            expected = average_precision_score(items.positive[is_known, k], items.scores[is_known, k])
            label_report = plain_report["per_label"][label]  # type: ignore[index]
            assert label_report["average_precision"]["value"] == pytest.approx(expected, abs=1e-6)
            assert label_report["n_positive"] + label_report["n_negative"] == is_known.sum()


def test_no_recording_is_refused() -> None:
    with pytest.raises(ValueError, match="no recording"):
        recording_report(items_of(np.zeros((0, 1)), np.zeros((0, 1), bool), np.zeros(0)), ["a"], [], "max")
