import numpy as np
import pytest

from ossicle.core.decisions.states import OFF, ON, UNKNOWN, StateDecision, StateRule
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.inference.event_stream import EventStream
from ossicle.inference.predictor import FakePredictor
from ossicle.inference.states.finder import StateFinder
from ossicle.inference.states.stream import StateStream

RATE = 1000
LABELS = ("ac", "fridge")
RULE = StateRule(on=0.6, off=0.4, smoothing="median", frames=3, debounce=2)
DECISION = StateDecision(dict.fromkeys(LABELS, RULE), {"ac": ("fridge",)}, LABELS)


def predictor_of(window_s=2.0, hop_s=0.5, core=1):
    plan = ChunkPlan(
        rate=RATE,
        hop_samples=round(hop_s * RATE),
        window_samples=round(window_s * RATE),
        core_frames=core,
        context_frames=0,
    )
    return FakePredictor(LABELS, plan, threshold_db=-40.0)


def hums(*parts, rate=RATE):
    """Tones of 100 Hz (ac) and 400 Hz (fridge) over noise: rows of (seconds, ac, fridge)."""
    total = sum(seconds for seconds, *_ in parts)
    time = np.arange(round(total * rate)) / rate
    on = np.concatenate([np.tile([ac, fridge], (round(s * rate), 1)) for s, ac, fridge in parts])
    noise = np.random.default_rng(0).normal(0, 1e-3, len(time))
    return 0.1 * on[:, 0] * np.sin(628.3 * time) + 0.1 * on[:, 1] * np.sin(2513.3 * time) + noise


PARTS = [(7.3, 0, 0), (9.1, 0, 1), (8.2, 1, 1), (9.4, 0, 1), (8.0, 0, 0)]


def fed(stream, samples, feed_s):
    step = max(1, round(feed_s * stream.rate))
    out = [change for start in range(0, len(samples), step) for change in stream.feed(samples[start : start + step])]
    return out + stream.finish()


@pytest.mark.parametrize("core", [1, 4])
@pytest.mark.parametrize(("window_s", "hop_s"), [(2.0, 0.5), (2.0, 0.3), (1.0, 0.25)])
@pytest.mark.parametrize("rate", [RATE, 1600])
def test_a_stream_of_any_feed_gives_the_changes_of_the_whole(window_s, hop_s, core, rate):
    predictor, samples = predictor_of(window_s, hop_s, core), hums(*PARTS, rate=rate)
    whole = fed(StateStream(predictor, DECISION, rate, batch_chunks=8), samples, len(samples) / rate)
    assert [(change.label, change.state) for change in whole] == [
        ("ac", OFF),
        ("fridge", OFF),
        ("fridge", ON),
        ("ac", ON),
        ("fridge", UNKNOWN),
        ("ac", OFF),
        ("fridge", ON),
        ("fridge", OFF),
    ]
    for feed_s in (0.05, 0.25, 1.37, 5.0):
        assert fed(StateStream(predictor, DECISION, rate), samples, feed_s) == whole


def test_changes_are_timed_where_they_happen_and_decided_soon_after():
    stream = StateStream(predictor_of(), DECISION)
    changes = fed(stream, hums(*PARTS), 0.25)
    for change, true_s in zip(changes[2:], [7.3, 16.4, 16.4, 24.6, 24.6, 34.0], strict=True):
        # Half a window, one hop for the median, half a hop for the grid; the debounce waits one hop more.
        assert abs(change.time_s - true_s) <= 1.0 + 0.5 + 0.25
        assert true_s < change.decided_at_s <= true_s + 2.0 + 0.5 + 0.25 + 0.5


def test_no_window_beyond_the_ends_of_the_recording_decides():
    """The scorer pads both ends with zeros; a loud beginning must not look like a change from silence."""
    predictor = predictor_of()
    samples = hums((5.9, 1, 0))
    whole = fed(StateStream(predictor, DECISION), samples, 0.25)
    assert [(change.label, change.state, change.time_s, change.decided_at_s) for change in whole] == [
        ("ac", ON, 1.25, 2.25)
    ]
    assert fed(StateStream(predictor, DECISION), samples[: round(1.99 * RATE)], 0.25) == []


@pytest.mark.parametrize("lost", [[12.0], [0.0, 4.0, 8.0]])
def test_lost_sound_is_unknown_and_later_times_stay_true(lost):
    stream = StateStream(predictor_of(), DECISION)
    before = stream.feed(hums((10.1, 0, 1)))
    assert (stream.status, stream.states) == ("fridge-on", {"ac": OFF, "fridge": ON})
    during = [state_change for seconds in lost for state_change in stream.gap(seconds)]
    assert [(state_change.time_s, state_change.label, state_change.state) for state_change in during] == [
        (10.1, "ac", UNKNOWN),
        (10.1, "fridge", UNKNOWN),
    ]
    assert stream.status == "unknown"
    assert stream.heard_s == pytest.approx(22.1)
    after = stream.feed(hums((5.0, 1, 0))) + stream.finish()
    assert [(state_change.label, state_change.state) for state_change in before + after] == [
        ("ac", OFF),
        ("fridge", ON),
        ("ac", ON),
    ]
    assert after[0].time_s == pytest.approx(22.1 + 1.25)
    assert after[0].decided_at_s == pytest.approx(22.1 + 2.25)


def test_a_gap_of_a_resampled_stream_loses_no_sample():
    stream = StateStream(predictor_of(), DECISION, rate=1600)
    stream.feed(np.zeros(16001))
    stream.gap(1.0)
    stream.feed(np.zeros(16001))
    stream.finish()
    assert stream.heard_s == pytest.approx(2 * 16001 / 1600 + 1.0, abs=0.002)


def test_it_has_the_face_of_the_stream_of_events():
    def face(instance):
        return {name for name in dir(instance) if not name.startswith("_")}

    assert face(EventStream) <= face(StateStream)


def test_a_finished_stream_takes_no_more():
    with StateStream(predictor_of(), DECISION) as stream:
        stream.feed(np.zeros(10))
    for use in (lambda: stream.feed(np.zeros(1)), lambda: stream.gap(1.0), stream.finish):
        with pytest.raises(ValueError, match="has finished"):
            use()


@pytest.mark.parametrize("lost_s", [-1.0, float("nan"), True])
def test_an_impossible_gap_is_refused(lost_s):
    with pytest.raises(ValueError, match="lost_s"):
        StateStream(predictor_of(), DECISION).gap(lost_s)


def test_scores_are_kept_only_if_asked_and_only_of_a_whole_recording():
    predictor = predictor_of()
    finder = StateFinder(predictor, DECISION, keep_scores=True)
    finder.feed(hums((4.0, 0, 0)).astype(np.float32))
    finder.finish(4.0)
    assert finder.track().scores.shape == (8, 2)
    assert StateFinder(predictor, DECISION).track() is None
