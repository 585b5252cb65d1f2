"""Segment counts against sed_eval and by hand."""

import numpy as np
import pytest

from ossicle.metrics.segments import active_segments, count_segments


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
        assert count_segments(*lists, 20.5, segment_s) == (counts["Ntp"], counts["Nfp"], counts["Nfn"])


def test_decimal_noise_does_not_activate_a_neighbour() -> None:
    noisy = np.array([[0.1 * 3, 0.1 * 6]])  # 0.30000000000000004 to 0.6000000000000001
    assert np.flatnonzero(active_segments(noisy, 1.0, 0.1)).tolist() == [3, 4, 5]


def test_events_beyond_the_recording_are_cut() -> None:
    assert active_segments(np.array([[-2.0, 0.5], [2.5, 9.0], [20.0, 21.0]]), 3.0).tolist() == [True, False, True]


def test_nothing_at_all() -> None:
    assert count_segments(np.empty((0, 2)), np.empty((0, 2)), 0.0) == (0, 0, 0)


def test_impossible_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="segment_s = 0 s"):
        active_segments(np.empty((0, 2)), 3.0, 0.0)
