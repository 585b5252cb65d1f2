import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.core.decisions.decision import Decision
from ossicle.core.tracks import Event, ScoreTrack, event_order
from ossicle.inference.decisions.decide import Decider, decide
from ossicle.inference.decisions.smooth import smooth

HOP = 0.01
levels = st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, 0.6, 0.7, 0.9, 1.0])
score_lists = st.lists(st.lists(levels, min_size=2, max_size=2), max_size=50)


@st.composite
def decisions(draw):
    kind = draw(st.sampled_from(["none", "median", "ema"]))
    frames = draw(st.sampled_from([1, 3, 5, 7])) if kind == "median" else draw(st.integers(1, 6))
    on = draw(st.sampled_from([0.3, 0.5, 0.7, 0.9]))
    return Decision(
        on=on,
        off=on * draw(st.sampled_from([0.0, 0.5, 1.0])),
        smoothing=kind,
        smoothing_frames=frames,
        min_length_s=draw(st.sampled_from([0.0, 0.01, 0.03, 0.045])),
        min_gap_s=draw(st.sampled_from([0.0, 0.01, 0.02, 0.055])),
    )


def slow_smooth(scores, decision):
    n, out = decision.smoothing_frames, []
    for k in range(len(scores)):
        if decision.smoothing == "median":
            out.append(
                sorted(scores[min(max(j, 0), len(scores) - 1)] for j in range(k - n // 2, k + n // 2 + 1))[n // 2]
            )
        elif decision.smoothing == "ema" and k > 0:
            a = 2 / (n + 1)
            out.append(a * float(scores[k]) + (1 - a) * out[-1])
        else:
            out.append(float(scores[k]))
    return [np.float32(value) for value in out]


def slow_decide(scores, decision, label, hop_s, duration_s):
    """Frame by frame, from the words of ``core.decisions.decision``."""
    smoothed, regions, k = slow_smooth(scores, decision), [], 0
    while k < len(scores):
        if smoothed[k] >= np.float32(decision.off):
            end = k
            while end < len(scores) and smoothed[end] >= np.float32(decision.off):
                end += 1
            if any(value >= np.float32(decision.on) for value in smoothed[k:end]):
                regions.append([k, end])
            k = end
        else:
            k += 1
    joined = []
    for start, end in regions:
        if joined and (start - joined[-1][1]) * hop_s <= decision.min_gap_s + 1e-9:
            joined[-1][1] = end
        else:
            joined.append([start, end])
    return [
        Event(start * hop_s, min(end * hop_s, duration_s), label, float(max(scores[start:end])))
        for start, end in joined
        if (end - start) * hop_s >= decision.min_length_s - 1e-9
    ]


def folded(track, by_label, cuts):
    decider = Decider(track.labels, by_label, track.hop_s)
    events = []
    for block in np.split(track.scores, sorted(cuts)):
        events += decider.feed(block)
    return sorted(events + decider.finish(track.duration_s), key=event_order)


@settings(deadline=None, max_examples=400)
@given(rows=score_lists, a=decisions(), b=decisions(), cuts=st.lists(st.integers(0, 50), max_size=8))
def test_any_blocks_give_what_the_words_say(rows, a, b, cuts):
    scores = np.array(rows, np.float32).reshape(-1, 2)
    track = ScoreTrack(("x", "y"), scores, HOP, max(0.0, len(scores) * HOP - 0.004))
    by_label = {"x": a, "y": b}
    expected = sorted(
        slow_decide(scores[:, 0], a, "x", HOP, track.duration_s)
        + slow_decide(scores[:, 1], b, "y", HOP, track.duration_s),
        key=event_order,
    )
    assert decide(track, by_label) == expected
    assert folded(track, by_label, [min(cut, len(scores)) for cut in cuts]) == expected
    assert folded(track, by_label, range(len(scores))) == expected


def test_labels_that_never_reach_their_threshold_cost_little():
    labels = tuple(f"class {number}" for number in range(1000))
    scores = np.random.default_rng(0).uniform(0, 0.4, (1, len(labels))).astype(np.float32)
    scores[0, 7] = 0.9
    track, by_label = ScoreTrack(labels, scores, 5.0, 5.0), dict.fromkeys(labels, Decision(on=0.5, off=0.4))

    def seconds(function):
        began = time.process_time()
        found = function()
        return time.process_time() - began, found

    quick_s, quick = min((seconds(lambda: decide(track, by_label)) for _ in range(3)), key=lambda timed: timed[0])
    slow_s, slow = min((seconds(lambda: folded(track, by_label, [])) for _ in range(3)), key=lambda timed: timed[0])
    assert [event.label for event in quick] == ["class 7"]
    assert quick == slow
    assert quick_s < slow_s / 5


@settings(deadline=None, max_examples=100)
@given(scores=st.lists(levels, min_size=1, max_size=40), decision=decisions())
def test_smoothing_equals_its_definition(scores, decision):
    smoothed = smooth(np.array(scores, np.float32), decision)
    np.testing.assert_allclose(smoothed, slow_smooth(np.array(scores, np.float32), decision), atol=1e-6)


def test_events_come_as_soon_as_they_are_certain():
    decision = Decision(on=0.5, off=0.5, smoothing="median", smoothing_frames=3, min_gap_s=0.02)
    decider = Decider(("a",), {"a": decision}, HOP)
    assert decider.delay_s == pytest.approx(0.04)
    scores = np.zeros((40, 1), np.float32)
    scores[10:20] = 0.8
    known = [k for k in range(40) if decider.feed(scores[k : k + 1])]
    last_frame = 19
    assert known == [last_frame + round(decider.delay_s / HOP)]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 40])
def test_the_score_of_a_joined_event_is_the_highest_frame_in_it_gap_included(size):
    decision = Decision(on=0.5, off=0.5, smoothing="median", smoothing_frames=5, min_gap_s=0.1)
    scores = np.zeros((40, 1), np.float32)
    scores[5:10] = scores[17:22] = 0.6
    scores[12] = 0.95
    track = ScoreTrack(("a",), scores, HOP, 0.4)
    assert folded(track, {"a": decision}, range(0, 40, size)) == [Event(0.05, 0.22, "a", float(np.float32(0.95)))]


def test_a_stored_score_meets_the_same_threshold_in_text():
    track = ScoreTrack(("a",), np.array([[0.7]], np.float32), HOP, HOP)
    assert decide(track, {"a": Decision(on=0.7, off=0.7)}) == [Event(0.0, HOP, "a", float(np.float32(0.7)))]


def test_a_label_without_a_decision_is_named():
    with pytest.raises(ValueError, match="b"):
        Decider(("a", "b"), {"a": Decision()}, HOP)


def test_ten_hours_are_decided_in_half_a_second():
    rng = np.random.default_rng(0)
    scores = rng.random((3_600_000, 1), dtype=np.float32) * 0.4
    for start in rng.integers(0, 3_599_000, 3000):
        scores[start : start + 12] += 0.5
    track = ScoreTrack(("a",), scores, HOP, 36000.0)
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        events = decide(track, {"a": Decision(on=0.5, off=0.5, min_gap_s=0.02, min_length_s=0.03)})
        times.append(time.perf_counter() - begin)
    assert 2900 < len(events) < 3000
    # The aim is 0.5 s; the margin is for a machine that does other things at the same time.
    assert min(times) < 1.0
