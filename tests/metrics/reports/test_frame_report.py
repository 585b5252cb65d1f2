"""Figures of frames over recordings: against scikit-learn on the frames themselves, and what is undefined."""

import json

import numpy as np
import pytest
import sklearn.metrics

from ossicle.metrics.frames import FrameScores
from ossicle.metrics.reports.frame_report import FrameTally


def test_recordings_add_up_to_their_frames() -> None:
    generator = np.random.default_rng(0)
    tally = FrameTally(["a", "b"])
    scores, truth, seconds = [], [], []
    for n in (30, 1, 12):
        edges = np.append(np.arange(n) * 0.5, n * 0.5 - 0.25)
        on = generator.integers(0, n + 1, 2)
        track = generator.random((n, 2)).astype(np.float32)
        tally.add(FrameScores(edges, track), {"a": np.array([[on.min() * 0.5, on.max() * 0.5]])})
        scores.append(track[:, 0])
        truth.append((np.arange(n) >= on.min()) & (np.arange(n) < on.max()))
        seconds.append(np.diff(edges))
    every, targets, weights = np.concatenate(scores), np.concatenate(truth), np.concatenate(seconds)
    report = tally.report()
    a = report.per_label["a"]
    assert a.average_precision == pytest.approx(sklearn.metrics.average_precision_score(targets, every), abs=1e-9)
    assert a.roc_auc == pytest.approx(sklearn.metrics.roc_auc_score(targets, every), abs=1e-9)
    assert a.calibration is not None
    expected = sklearn.metrics.brier_score_loss(targets, every, sample_weight=weights)
    assert a.calibration.brier == pytest.approx(expected, abs=1e-6)
    assert a.positive_s == pytest.approx(weights[targets].sum())
    # The other label has no annotations: nothing to rank, but its scores can still be too high.
    b = report.per_label["b"]
    assert np.isnan(b.average_precision)
    assert report.mean_average_precision.value == a.average_precision
    assert b.calibration is not None
    assert report.pooled is not None
    assert report.pooled.brier == pytest.approx((a.calibration.brier + b.calibration.brier) / 2)


def test_scores_that_are_no_probabilities_have_no_calibration() -> None:
    tally = FrameTally(["a"])
    tally.add(FrameScores(np.arange(4.0), np.array([[0.5], [0.1], [0.2]])), {"a": np.array([[0.0, 1.0]])})
    tally.add(FrameScores(np.arange(3.0), np.array([[3.0], [-2.0]])), {"a": np.array([[0.0, 1.0]])})
    out = tally.report().to_json()
    assert (out["average_precision"], out["ece"], out["brier"], out["reliability"]) == (1.0, None, None, [])
    json.dumps(out, allow_nan=False)


def test_nothing_at_all() -> None:
    out = FrameTally(["a"]).report().to_json()
    assert (out["average_precision"], out["per_label"]["a"]["ece"]) == (None, None)
    assert (out["absent"], out["everywhere"], out["macro"]["labels"]) == (
        ["a"],
        [],
        {"roc_auc": 0, "cmap": 0, "all": 1},
    )
    json.dumps(out, allow_nan=False)


def test_a_label_in_every_frame_has_no_ranking_and_is_not_in_the_means() -> None:
    tally = FrameTally(["always", "once"])
    scores = np.array([[0.9, 0.8], [0.2, 0.1], [0.7, 0.3]])
    tally.add(FrameScores(np.arange(4.0), scores), {"always": [(0.0, 3.0)], "once": [(0.0, 1.0)]})
    for out in (tally.report().to_json(), tally.report(["g"], 20, 0).to_json()):
        assert [out["per_label"]["always"][name] for name in ("average_precision", "roc_auc")] == [None, None]
        assert out["everywhere"] == ["always"]
        assert out["macro"]["cmap"]["value"] == out["average_precision"] == 1.0
        assert out["macro"]["labels"] == {"roc_auc": 1, "cmap": 1, "all": 2}
        json.dumps(out, allow_nan=False)


def test_means_have_intervals_of_groups_where_frames_are_few(monkeypatch):
    rng = np.random.default_rng(0)

    def tally() -> FrameTally:
        made = FrameTally(("a", "b", "never"))
        for _ in range(6):
            scores = rng.random((20, 3)).astype(np.float32)
            made.add(FrameScores(np.arange(21.0), scores), {"a": [(2.0, 9.0)], "b": [(0.0, 4.0)]})
        return made

    groups = [str(k) for k in range(6)]
    report = tally().report(groups, 100, 0)
    assert report.absent == ("never",)
    assert report.mean_roc_auc.low < report.mean_roc_auc.value < report.mean_roc_auc.high
    assert report.mean_roc_auc.value == pytest.approx(np.mean([report.per_label[one].roc_auc for one in "ab"]))
    assert report.mean_average_precision.value == pytest.approx(
        np.mean([report.per_label[one].average_precision for one in "ab"])
    )
    monkeypatch.setattr("ossicle.metrics.reports.frame_report.MOST_RESAMPLED", 359)
    assert np.isnan(tally().report(groups, 100, 0).mean_roc_auc.low)


def test_frames_of_labels_that_may_be_there_or_not_count_neither_way():
    rng = np.random.default_rng(1)
    first, second = (FrameScores(np.arange(11.0), rng.random((10, 2)).astype(np.float32)) for _ in range(2))
    frame_tally, doubtful = FrameTally(("a", "b")), FrameTally(("a", "b"))
    frame_tally.add(first, {"a": [(2.0, 5.0)], "b": [(0.0, 1.0)]})
    doubtful.add(first, {"a": [(2.0, 5.0)], "b": [(0.0, 1.0)]})
    doubtful.add(second, {"b": [(3.0, 6.0)]}, ["a"])
    frame_report, other = frame_tally.report(), doubtful.report(["x", "y"], 50, 0)
    assert frame_report.per_label["a"].average_precision == other.per_label["a"].average_precision
    assert frame_report.per_label["a"].calibration.brier == other.per_label["a"].calibration.brier
    assert frame_report.per_label["b"].average_precision != other.per_label["b"].average_precision
    assert other.mean_average_precision.value == pytest.approx(
        np.mean([other.per_label[label].average_precision for label in "ab"])
    )
