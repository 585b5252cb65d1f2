"""Counts, rates and the pooled evaluation: conventions by hand, pooling against sed_eval and scikit-learn."""

import json
import math

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ossicle.core.errors import UsageError
from ossicle.metrics.columns.event_lists import EventLists
from ossicle.metrics.columns.matching import matched_at
from ossicle.metrics.events import (
    boundary_errors,
    count_events,
    evaluate_events,
    macro,
    precision_recall_f1,
)
from ossicle.metrics.matching.rules import CollarMatch, IouMatch, match

EMPTY = np.empty((0, 2))
LABELS = ("call", "song", "wing")


def random_set(generator: np.random.Generator, n_recordings: int, span_s: float = 20.0) -> dict:
    out: dict = {}
    for recording in range(n_recordings):
        out[f"r{recording:02d}"] = {}
        for label in LABELS:
            start = generator.uniform(0, span_s, generator.integers(0, 8))
            out[f"r{recording:02d}"][label] = np.stack([start, start + 0.5 + generator.random(len(start))], axis=1)
    return out


def shifted(events: dict, generator: np.random.Generator, spread_s: float = 0.2) -> dict:
    return {
        recording: {
            label: np.maximum(each + generator.normal(0, spread_s, (len(each), 1)), 0)[: generator.integers(0, 9)]
            for label, each in by_label.items()
        }
        for recording, by_label in events.items()
    }


@pytest.mark.parametrize(
    ("tp", "fp", "fn", "precision", "recall", "f1"),
    [
        (3, 1, 2, 0.75, 0.6, 6 / 9),
        (0, 0, 0, math.nan, math.nan, math.nan),  # a correct silence
        (0, 0, 4, math.nan, 0.0, 0.0),  # all missed, nothing predicted
        (0, 4, 0, 0.0, math.nan, 0.0),  # nothing to find
        (0, 2, 3, 0.0, 0.0, 0.0),
        (5, 0, 0, 1.0, 1.0, 1.0),
    ],
)
def test_rates_by_hand(tp: int, fp: int, fn: int, precision: float, recall: float, f1: float) -> None:
    assert precision_recall_f1(tp, fp, fn) == pytest.approx((precision, recall, f1), nan_ok=True)
    arrays = precision_recall_f1(*(np.full((2, 3), count) for count in (tp, fp, fn)))
    for got, want in zip(arrays, (precision, recall, f1), strict=True):
        np.testing.assert_array_equal(got, np.full((2, 3), want))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_rates_equal_scikit_learn_where_it_defines_them(pairs: list[tuple[bool, bool]]) -> None:
    truth, predicted = np.array(pairs).T
    tp, fp, fn = (truth & predicted).sum(), (predicted & ~truth).sum(), (truth & ~predicted).sum()
    precision, recall, f1 = precision_recall_f1(tp, fp, fn)
    if truth.any():
        assert recall == pytest.approx(sklearn.metrics.recall_score(truth, predicted))
        expected = sklearn.metrics.precision_score(truth, predicted, zero_division=np.nan)
        assert precision == pytest.approx(expected, nan_ok=True)
        assert f1 == pytest.approx(sklearn.metrics.f1_score(truth, predicted))


def test_macro_is_over_labels_that_have_references() -> None:
    values = np.array([[0.5, 1.0, 0.0], [np.nan, np.nan, 0.0]])
    assert macro(values, np.array([[3, 1, 0], [0, 0, 0]])) == pytest.approx([0.75, math.nan], nan_ok=True)
    assert macro(np.array([0.5, np.nan]), np.array([3, 1])) == 0.5


@pytest.mark.parametrize("tn", [0, 1])
def test_without_negatives_there_is_a_recall_only(tn: int) -> None:
    precision, recall, f1 = precision_recall_f1(3, 0, 1, tn)
    assert recall == 0.75
    assert (precision, f1) == pytest.approx((1.0, 6 / 7) if tn else (math.nan, math.nan), nan_ok=True)
    assert precision_recall_f1(3, 1, 1, 0)[2] == 6 / 8


def test_means_say_over_how_many_labels_they_are() -> None:
    references = {"r": {label: np.array([[0.0, 1.0]]) for label in ("found", "silent")}}
    predictions = {"r": {"found": np.array([[0.0, 1.0]]), "never": np.array([[3.0, 4.0]])}}
    report = evaluate_events(references, predictions, {"r": 9.0}, ["found", "silent", "never"], IouMatch())
    macro_report = report.to_json()["macro"]
    assert macro_report["labels"] == {"f1": 2, "precision": 1, "recall": 2, "all": 3}
    assert [macro_report[name]["value"] for name in ("f1", "precision", "recall")] == [0.5, 1.0, 0.5]


def test_counts_of_empty_lists() -> None:
    interval = np.array([[0.0, 1.0]])
    assert count_events(EMPTY, EMPTY, IouMatch()) == (0, 0, 0)
    assert count_events(interval, EMPTY, IouMatch()) == (0, 0, 1)
    assert count_events(EMPTY, interval, IouMatch()) == (0, 1, 0)


def test_boundary_errors_are_predicted_minus_reference() -> None:
    reference, predicted = np.array([[0.0, 1.0], [5.0, 6.0]]), np.array([[4.9, 6.2], [0.1, 0.9]])
    start, end = boundary_errors(reference, predicted, match(reference, predicted, IouMatch()))
    assert start == pytest.approx([0.1, -0.1])
    assert end == pytest.approx([-0.1, 0.2])


def test_sweep_equals_one_threshold_at_a_time() -> None:
    generator = np.random.default_rng(0)
    thresholds = [0.1, 0.5, 0.3, 0.9, 1.0]
    for _ in range(50):
        reference, predicted = (np.sort(generator.uniform(0, 5, (n, 2)), axis=1) for n in generator.integers(0, 12, 2))
        swept = matched_at(EventLists.of([reference]), EventLists.of([predicted]), thresholds)
        each = [count_events(reference, predicted, IouMatch(threshold=threshold))[0] for threshold in thresholds]
        assert swept.tolist() == each
    assert matched_at(EventLists.of([EMPTY]), EventLists.of([EMPTY]), []).shape == (0,)


def test_pool_equals_sed_eval(sed_eval) -> None:
    generator = np.random.default_rng(1)
    references = random_set(generator, 12)
    predictions = shifted(references, generator)
    metrics = sed_eval.sound_event.EventBasedMetrics(
        event_label_list=list(LABELS), t_collar=0.2, percentage_of_length=0.5, event_matching_type="optimal"
    )
    for recording in references:
        metrics.evaluate(as_dicts(references, recording), as_dicts(predictions, recording))
    durations = dict.fromkeys(references, 20.0)
    report = evaluate_events(references, predictions, durations, LABELS, CollarMatch(), n_bootstrap=20)
    assert 0.2 < report.pooled.rates.f1.value < 0.95
    for label in LABELS:
        want, scores = metrics.class_wise[label], report.per_label[label]
        assert (scores.tp, scores.fp, scores.fn) == (want["Ntp"], want["Nfp"], want["Nfn"])
        assert scores.rates.f1.value == pytest.approx(metrics.class_wise_f_measure(label)["f_measure"])
    assert report.pooled.tp == sum(metrics.class_wise[label]["Ntp"] for label in LABELS)
    assert report.pooled.rates.f1.value == pytest.approx(metrics.overall_f_measure()["f_measure"])
    average = metrics.results_class_wise_average_metrics()
    assert report.macro.f1.value == pytest.approx(average["f_measure"]["f_measure"])
    assert report.macro.recall.value == pytest.approx(average["f_measure"]["recall"])


def as_dicts(events: dict, recording: str) -> list[dict]:
    return [
        {"event_label": label, "event_onset": start, "event_offset": end, "file": recording}
        for label, each in events[recording].items()
        for start, end in each.tolist()
    ]


def test_report_adds_up_and_reads_as_agreed() -> None:
    generator = np.random.default_rng(2)
    references = random_set(generator, 20)
    predictions = shifted(references, generator, 0.4)
    durations = dict.fromkeys(references, 1800.0) | {"reviewed-empty": 1800.0}
    groups = {recording: recording[-1] for recording in durations}
    report = evaluate_events(references, predictions, durations, LABELS, IouMatch(), groups, n_bootstrap=200)
    assert (report.n_groups, report.method, report.few_groups) == (11, "two-stage", False)
    for part in (report.per_label, report.per_group):
        for count in ("tp", "fp", "fn", "n_reference", "n_predicted"):
            assert sum(getattr(scores, count) for scores in part.values()) == getattr(report.pooled, count)
    assert report.pooled.n_reference == sum(len(e) for by_label in references.values() for e in by_label.values())
    assert report.pooled.false_alarms_per_hour == pytest.approx(report.pooled.fp / (21 * 0.5))
    f1 = report.pooled.rates.f1
    assert f1.low < f1.value < f1.high
    text = report.to_json()
    assert json.loads(json.dumps(text, allow_nan=False)) == text
    assert text["events"]["f1"] == {"value": round(f1.value, 6), "low": round(f1.low, 6), "high": round(f1.high, 6)}
    assert set(text["events"]) == {"f1", "precision", "recall"}
    assert text["per_group"]["y"]["f1"] == {"value": None, "low": None, "high": None}  # one recording, reviewed empty
    assert text["n_reference"] == report.pooled.n_reference
    assert text["bootstrap"] == {"method": "two-stage", "n": 200, "groups": 11, "level": 0.95}
    assert list(text["boundary_errors"]["start_s"]) == ["0.05", "0.25", "0.5", "0.75", "0.95"]


def test_identity_is_perfect_and_silence_is_not() -> None:
    references = random_set(np.random.default_rng(3), 9)
    durations = dict.fromkeys(references, 20.0)
    perfect = evaluate_events(references, references, durations, LABELS, IouMatch(threshold=1.0))
    rates = perfect.pooled.rates
    assert {rates.f1.low, rates.precision.value, rates.recall.high, perfect.macro.f1.value} == {1.0}
    assert perfect.boundaries.start_s == (0.0,) * 5
    silent = evaluate_events(references, {}, durations, LABELS, IouMatch())
    assert (silent.pooled.rates.f1.value, silent.pooled.rates.recall.value, silent.pooled.tp) == (0.0, 0.0, 0)
    assert np.isnan(silent.pooled.rates.precision.value)
    assert np.isnan(silent.boundaries.end_s).all()


def test_nothing_at_all_is_nan_without_warnings() -> None:
    report = evaluate_events({}, {}, {}, ["call"], IouMatch())
    assert math.isnan(report.pooled.rates.f1.value)
    assert math.isnan(report.pooled.false_alarms_per_hour)
    assert report.to_json()["events"]["f1"]["value"] is None


def test_order_of_the_mappings_does_not_matter() -> None:
    generator = np.random.default_rng(4)
    references = random_set(generator, 10)
    predictions = shifted(references, generator)
    durations = dict.fromkeys(references, 20.0)
    first = evaluate_events(references, predictions, durations, LABELS, IouMatch())
    turned = [dict(reversed(each.items())) for each in (references, predictions, durations)]
    assert evaluate_events(*turned, LABELS, IouMatch()).to_json() == first.to_json()


@pytest.mark.parametrize(
    ("references", "predictions", "groups", "words"),
    [
        ({"x": {"call": EMPTY}}, {}, None, "recording x has references but no duration"),
        ({}, {"x": {"call": EMPTY}}, None, "recording x has predictions but no duration"),
        ({"r": {"bark": EMPTY}}, {}, None, "the references have the label 'bark'"),
        ({}, {}, {"other": "g"}, "recording r has no group"),
    ],
)
def test_strange_names_are_refused(references: dict, predictions: dict, groups: dict | None, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        evaluate_events(references, predictions, {"r": 10.0}, ["call"], IouMatch(), groups)
    with pytest.raises(UsageError, match="occurs twice"):
        evaluate_events({}, {}, {"r": 10.0}, ["call", "call"], IouMatch())


def test_touching_events_are_not_merged() -> None:
    touching: NDArray = np.array([[0.0, 1.0], [1.0, 2.0]])
    assert count_events(touching, np.array([[0.0, 2.0]]), IouMatch(threshold=0.5)) == (1, 0, 1)
