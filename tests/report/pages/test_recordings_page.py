"""The page where recordings are judged as a whole: its tables, what it leaves out, and names that are text."""

import re
from dataclasses import replace

import numpy as np
import pytest

from ossicle.metrics.calibration.out_of_fold import Items
from ossicle.metrics.events import evaluate_events
from ossicle.metrics.matching.rules import RecordingMatch
from ossicle.metrics.reports.recording_report import RecordingReport, recording_report
from ossicle.report.data import CalibrationRow, ReliabilityBin, ReportData
from ossicle.report.pages.long_table import MOST_SHOWN
from ossicle.report.pages.page import render
from ossicle.report.pages.recording_tables import MOST_MATRIX, MOST_PAIRS, class_table

from .test_page import HOSTILE, report_data


def report(labels: tuple[str, ...], n: int = 40, several: bool = False) -> RecordingReport:
    rng = np.random.default_rng(len(labels))
    positive = np.eye(len(labels), dtype=bool)[rng.integers(0, len(labels) - 1, n)]
    if several:
        positive[0] = True
    scores = rng.random((n, len(labels))).astype(np.float32)
    items = Items(scores, positive, np.ones(n), np.arange(n) % 4)
    return recording_report(items, labels, [str(k % 10) for k in range(n)], "max", 100)


def page_data(labels: tuple[str, ...]) -> ReportData:
    result = report(labels)
    data = report_data(label=labels[0])
    recordings = [f"r{n}" for n in range(4)]
    whole = {key: {labels[0]: np.array([[0.0, 10.0]])} for key in recordings}
    metrics = evaluate_events(whole, whole, dict.fromkeys(recordings, 10.0), labels, RecordingMatch(), n_bootstrap=100)
    bins = [ReliabilityBin(0.0, 0.5, 30.0, 0.1, 0.2), ReliabilityBin(0.5, 1.0, 10.0, 0.8, 0.7)]
    return replace(
        data,
        metrics=metrics,
        in_sample=metrics,
        collar=None,
        iou_sweep=(),
        scores=[replace(score, psds=None) for score in data.scores],
        recordings=result,
        calibration=[
            CalibrationRow("before", 0.2, 0.25, 0.6, bins),
            CalibrationRow("after", 0.1, 0.2, 0.7, bins),
        ],
        calibrated="Scores as probabilities.",
        examples=[replace(example, kind="confused", label="a taken for b", iou=None) for example in data.examples],
    )


@pytest.fixture(scope="module")
def data() -> ReportData:
    return page_data(("robin", "wren", "absent one"))


def test_the_figures_are_those_of_the_report(data: ReportData) -> None:
    page = render(data)
    result = data.recordings
    assert result is not None
    assert result.accuracy is not None
    for figure in (result.accuracy.value, result.cmap.value, result.roc_auc.value):
        assert f"<b>{figure:.3f}</b>" in page
    for of in result.per_label.values():
        if np.isfinite(of.average_precision.value):
            assert f"{of.average_precision.value:.3f}" in page
    assert "No recording has absent one" in page
    assert result.confusion is not None
    for value in result.confusion[result.confusion > 0].tolist():
        assert f">{value}</td>" in page
    assert "Confusions" in page
    assert "Calibration" in page


def test_nothing_of_times_is_on_it(data: ReportData) -> None:
    page = render(data)
    for words in (
        "Accuracy of start and end times",
        "PSDS",
        "false/h",
        "lowest IoU",
        "event F1",
        "false alarms per hour",
    ):
        assert words not in page


def test_a_page_of_events_has_none_of_it() -> None:
    page = render(report_data())
    for words in ("By recording", "cmAP", "Confusions", "Most confused", "Calibration"):
        assert words not in page


def test_hostile_labels_are_text() -> None:
    page = render(page_data((HOSTILE, f'"{HOSTILE}', "c")))
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert page.count("<script") == 1


def test_several_labels_have_no_confusion() -> None:
    table = class_table(report(("a", "b", "c"), several=True))
    assert (list(table.confusion), list(table.pairs), table.fold_mean) == ([], [], None)


def test_of_very_many_labels_the_worst_are_shown() -> None:
    labels = tuple(f"label {k:03d}" for k in range(60))
    table = class_table(report(labels, n=400))
    assert (len(table.rows.shown), len(table.rows.rest)) == (MOST_SHOWN, 60 - MOST_SHOWN)
    shown = [of.average_precision.value for _, of in table.rows.shown if np.isfinite(of.average_precision.value)]
    assert shown == sorted(shown)
    assert not table.confusion
    assert len(table.pairs) == MOST_PAIRS
    assert len(labels) > MOST_MATRIX


def test_shares_of_the_confusion_are_of_the_truth(data: ReportData) -> None:
    result = data.recordings
    assert result is not None
    table = class_table(result)
    for row, (label, cells) in enumerate(table.confusion):
        assert label == result.labels[row]
        assert sum(part for _, part, _ in cells) == pytest.approx(1.0 if sum(value for value, *_ in cells) else 0.0)
        assert [right for *_, right in cells].index(True) == row
    assert re.search(r"rgba\(0,114,178", render(data))


def test_a_page_names_only_some_of_very_many_absent_labels() -> None:
    data = page_data(("robin", "wren", "absent one"))
    assert data.recordings is not None
    absent = tuple(f"absent {k:03d}" for k in range(500))
    page = render(replace(data, recordings=replace(data.recordings, absent=absent)))
    assert "absent 019 and 480 more, so these are not in the means" in page
    assert "absent 020" not in page


def test_long_names_make_no_tall_heads_of_the_confusions(data: ReportData) -> None:
    assert data.recordings is not None
    long = "Pipistrellus pipistrellus social call type B (recorded below the bridge)"
    page = render(replace(data, recordings=replace(data.recordings, labels=(long, *data.recordings.labels[1:]))))
    assert f'<span title="{long}">Pipistrellus pi…low the bridge)</span>' in page
