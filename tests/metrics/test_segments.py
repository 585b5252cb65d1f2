"""Segment counts against sed_eval and by hand."""

import numpy as np
import pytest

from ossicle.core.errors import UsageError
from ossicle.metrics.segments import active_segments, count_segments, evaluate_segments


@pytest.mark.parametrize("segment_s", [1.0, 0.25])
def test_equals_sed_eval(sed_eval, segment_s: float) -> None:
    generator = np.random.default_rng(0)
    for _ in range(100):
        lists = []
        for n in generator.integers(0, 10, 2):
            start = np.round(generator.uniform(0, 18, n) * 4) / 4 if generator.random() < 0.5 else generator.random(n)
            lists.append(np.stack([start, start + generator.choice([0.25, 0.7, 1.0, 3.0], n)], axis=1))
        metrics = sed_eval.sound_event.SegmentBasedMetrics(event_label_list=["a"], time_resolution=segment_s)
        as_dicts = [
            [{"event_label": "a", "event_onset": s, "event_offset": e, "file": "f"} for s, e in events.tolist()]
            for events in lists
        ]
        metrics.evaluate(*as_dicts, evaluated_length_seconds=20.5)
        counts = metrics.class_wise["a"]
        expected = tuple(counts[name] for name in ("Ntp", "Nfp", "Nfn", "Ntn"))
        assert count_segments(*lists, 20.5, segment_s) == expected


def test_decimal_noise_does_not_activate_a_neighbour() -> None:
    noisy = np.array([[0.1 * 3, 0.1 * 6]])  # 0.30000000000000004 to 0.6000000000000001
    assert np.flatnonzero(active_segments(noisy, 1.0, 0.1)).tolist() == [3, 4, 5]


def test_events_beyond_the_recording_are_cut() -> None:
    assert active_segments(np.array([[-2.0, 0.5], [2.5, 9.0], [20.0, 21.0]]), 3.0).tolist() == [True, False, True]


def test_nothing_at_all() -> None:
    assert count_segments(np.empty((0, 2)), np.empty((0, 2)), 0.0) == (0, 0, 0, 0)


def test_impossible_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="segment_s = 0 s"):
        active_segments(np.empty((0, 2)), 3.0, 0.0)


def test_rates_of_many_recordings_equal_sed_eval(sed_eval) -> None:
    """Micro and class-wise F1 over recordings, empty ones among them; events of a class overlap and touch."""
    generator = np.random.default_rng(3)
    labels = ["hum", "trill", "buzz"]
    for case in range(200):
        names = [f"r{number}" for number in range(generator.integers(1, 4))]
        durations = {name: float(generator.choice([4.0, 7.3])) for name in names}
        sides: list[dict[str, dict[str, np.ndarray]]] = [{}, {}]
        for name in names:
            for side in sides:
                side[name] = {label: draw_events(generator, durations[name]) for label in labels}
        metrics = sed_eval.sound_event.SegmentBasedMetrics(event_label_list=labels, time_resolution=0.5)
        for name in names:
            metrics.evaluate(*(as_dicts(side[name], name) for side in sides), durations[name])
        report = evaluate_segments(*sides, durations, labels, segment_s=0.5, n_bootstrap=0)
        micro = metrics.overall["Ntp"], metrics.overall["Nfp"], metrics.overall["Nfn"]
        assert (report.pooled.tp, report.pooled.fp, report.pooled.fn) == micro, case
        expected = metrics.results_overall_metrics()["f_measure"]["f_measure"]
        if any(micro):
            assert report.pooled.rates.f1.value == pytest.approx(np.nan_to_num(expected), abs=1e-6)
        for label in labels:
            peer_f1 = metrics.results_class_wise_metrics()[label]["f_measure"]["f_measure"]
            if (
                report.per_label[label].n_reference
                and metrics.class_wise[label]["Nfp"] + metrics.class_wise[label]["Ntn"]
            ):
                assert report.per_label[label].rates.f1.value == pytest.approx(np.nan_to_num(peer_f1), abs=1e-6)


def draw_events(generator: np.random.Generator, duration_s: float) -> np.ndarray:
    n = int(generator.integers(0, 5))
    start = np.round(generator.uniform(0, duration_s - 1, n), 2)
    events = np.stack([start, start + generator.choice([0.25, 0.5, 1.0], n)], axis=1)
    return np.concatenate(
        [events, events[:1] + np.array([0.0, 0.3]), np.stack([events[:1, 1], events[:1, 1] + 0.2], axis=1)]
    )


def as_dicts(by_label: dict[str, np.ndarray], name: str) -> list[dict[str, object]]:
    return [
        {"event_label": label, "event_onset": start, "event_offset": end, "file": name}
        for label, events in by_label.items()
        for start, end in events.tolist()
    ]


def test_a_label_in_every_segment_has_no_f1() -> None:
    whole = {"a": {"hum": np.array([[0.0, 4.0]]), "trill": np.array([[0.0, 1.0]])}}
    report = evaluate_segments(whole, whole, {"a": 4.0}, ["hum", "trill"], n_bootstrap=10)
    assert np.isnan(report.per_label["hum"].rates.f1.value)
    assert report.per_label["hum"].rates.recall.value == 1.0
    assert report.to_json()["macro"]["labels"] == {"f1": 1, "precision": 1, "recall": 2, "all": 2}


def test_segments_of_groups_and_strangers() -> None:
    events = {"a": {"x": np.array([[0.0, 1.0]])}, "b": {}}
    report = evaluate_segments(events, {"a": {}, "b": events["a"]}, {"a": 2.0, "b": 2.0}, ["x"], {"a": "A", "b": "B"})
    assert (report.per_group["A"].fn, report.per_group["B"].fp, report.pooled.tp) == (1, 1, 0)
    with pytest.raises(UsageError, match="no duration"):
        evaluate_segments(events, {}, {"b": 2.0}, ["x"])
