"""What is given out of scores: calibrated after the decision, or decided for the recording as a whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.decisions.decision import Decision
from ossicle.core.scores.pooling import as_judged
from ossicle.core.scores.score_map import Isotonic, Platt
from ossicle.core.tracks import Event, ScoreTrack
from ossicle.inference.decisions.decide import decide
from ossicle.inference.delivery import Delivery, RecordingDecider


def track(seed: int, n: int) -> ScoreTrack:
    scores = np.random.default_rng(seed).random((n, 2)).astype(np.float32)
    return ScoreTrack(("a", "b"), scores, 0.5, 0.5 * n - 0.2)


@given(st.integers(0, 1000), st.integers(1, 40), st.lists(st.integers(0, 9), max_size=8), st.floats(0.3, 0.7))
@settings(deadline=None, max_examples=60)
def test_a_recording_is_decided_alike_in_blocks_of_any_size(seed: int, n: int, sizes: list[int], on: float) -> None:
    score_track = track(seed, n)
    decisions = dict.fromkeys("ab", Decision(on=on, off=on))
    # Not on the very threshold: the mean's last bit depends on the blocks.
    level = as_judged(score_track, "mean").scores[0]
    if np.any(np.abs(level - on) < 1e-6):
        return
    fold, events, start = Delivery("mean").decider(("a", "b"), decisions, 0.5), [], 0
    for size in (*sizes, n):
        events += fold.feed(score_track.scores[start : start + size])
        start = min(start + size, n)
    assert events == []
    events = fold.finish(score_track.duration_s)
    expected = decide(as_judged(score_track, "mean"), decisions)
    assert [(event.start_s, event.end_s, event.label) for event in events] == [
        (event.start_s, event.end_s, event.label) for event in expected
    ]
    assert [event.label for event in events] == [
        label for label, label_level in zip("ab", level, strict=True) if label_level >= on
    ]
    assert all((event.start_s, event.end_s) == (0.0, score_track.duration_s) for event in events)


def test_a_recording_without_samples_has_no_event() -> None:
    fold = RecordingDecider(("a",), {"a": Decision()}, 1.0)
    assert fold.finish(0.0) == []


def test_calibration_changes_scores_and_nothing_else() -> None:
    maps = {"a": Platt(0.5, -1.0)}
    events = [Event(0.0, 1.0, "a", 0.9), Event(2.0, 3.0, "b", 0.9)]
    event, other = Delivery(maps=maps).given(events)
    assert (event.start_s, event.end_s, event.label) == (0.0, 1.0, "a")
    assert event.score == pytest.approx(float(maps["a"](np.array([0.9]))[0]))
    assert other == events[1]
    assert Delivery().given(events) is events


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=40)
def test_the_score_of_an_event_is_its_highest_calibrated_frame(seed: int) -> None:
    score_track = track(seed, 60)
    # Level stretches: many scores become one, and still every decision is the one before.
    line = Isotonic((-1.0, -0.5, 0.5, 2.0), (0.1, 0.4, 0.4, 0.9))
    decisions = dict.fromkeys("ab", Decision(on=0.55, off=0.4))
    raw = decide(score_track, decisions)
    for before, after in zip(raw, Delivery(maps={"a": line, "b": line}).given(raw), strict=True):
        first, last = round(before.start_s / 0.5), int(np.ceil(before.end_s / 0.5))
        frames = line(score_track.scores[first:last, "ab".index(before.label)])
        assert after.score == pytest.approx(frames.max())
        assert (after.start_s, after.end_s) == (before.start_s, before.end_s)
