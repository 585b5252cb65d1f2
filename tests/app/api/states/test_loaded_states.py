"""``LoadedBundle.states``: states as objects."""

from pathlib import Path

import numpy as np
import pytest

from ossicle.app.api.bundles.loaded_bundle import load_bundle
from ossicle.app.api.states.state_prediction import StatePrediction
from ossicle.audio.wav import write_wav
from ossicle.core.decisions.states import OFF, ON, UNKNOWN, StateChange
from ossicle.core.errors import UsageError

from ....made_up.state_bundle import LABELS, RATE, hums, write_state_bundle


@pytest.fixture
def bundle(tmp_path):
    return load_bundle(write_state_bundle(tmp_path / "bundle").folder)


SOUND = hums((5.0, 0, 1), (5.0, 1, 1), (6.0, 0, 0))


def test_files_arrays_and_streams_give_one_result(bundle, tmp_path):
    write_wav(tmp_path / "a.wav", SOUND, RATE, "FLOAT")
    (of_file,) = bundle.states.predict(tmp_path / "a.wav", keep_scores=True)
    of_array = bundle.states.predict_samples(SOUND, RATE)
    assert of_file.changes == of_array.changes
    with bundle.states.stream() as live:
        streamed = [one for at in range(0, len(SOUND), 700) for one in live.feed(SOUND[at : at + 700])]
        assert live.status == "both-off"
        streamed += live.finish()
    assert tuple(streamed) == of_file.changes
    played = bundle.states.stream_file(tmp_path / "a.wav", 0.3)
    assert tuple(one for moment in played for one in moment) == of_file.changes
    assert of_file.scores.scores.shape == (32, 2)
    assert bundle.states.score_file(tmp_path / "a.wav").scores.scores.tolist() == of_file.scores.scores.tolist()


def test_a_bundle_of_one_kind_refuses_the_methods_of_the_other(bundle):
    for use in (
        lambda: bundle.predict((SOUND, RATE)),
        lambda: bundle.predict_file("a.wav"),
        bundle.stream,
        lambda: next(bundle.stream_file("a.wav")),
    ):
        with pytest.raises(UsageError, match="knows states and not events"):
            use()
    events = load_bundle(Path(__file__).resolve().parents[3] / "data" / "bundles" / "0.1.0" / "bundle")
    assert (bundle.gives_states, events.gives_states) == (True, False)
    with pytest.raises(UsageError, match="finds events and knows no states"):
        events.states  # noqa: B018


def prediction(*changes, end_s=10.0, priority=LABELS):
    return StatePrediction("a.wav", changes, LABELS, priority, "ok", "", end_s)


def test_the_state_of_a_file_is_the_one_it_has_for_most_of_the_known_time():
    result = prediction(
        StateChange(4.0, "ac", ON, 0.9, 5.0),
        StateChange(4.0, "fridge", UNKNOWN, 0.9, 5.0),
        StateChange(7.5, "ac", OFF, 0.1, 8.0),
        StateChange(8.0, "fridge", ON, 0.9, 9.0),
    )
    assert result.states == {"ac": ON, "fridge": ON}
    assert result.overall == "ac-on"
    assert prediction().states == {"ac": UNKNOWN, "fridge": UNKNOWN}
    assert (prediction().overall, prediction(priority=()).overall) == ("unknown", "")


def test_the_overall_status_is_counted_moment_by_moment():
    rng = np.random.default_rng(0)
    for _ in range(20):
        times = np.sort(rng.integers(0, 20, 8)).tolist()
        changes = [
            StateChange(float(t), LABELS[int(rng.integers(2))], [ON, OFF, UNKNOWN][int(rng.integers(3))], 0.5, 20.0)
            for t in times
        ]
        result = prediction(*changes, end_s=20.0)
        seconds = {}
        for second in range(20):
            states = dict.fromkeys(LABELS, UNKNOWN)
            for change in changes:
                if change.time_s <= second:
                    states[change.label] = change.state
            word = (
                "ac-on"
                if states["ac"] == ON
                else UNKNOWN
                if states["ac"] == UNKNOWN
                else {ON: "fridge-on", OFF: "both-off", UNKNOWN: UNKNOWN}[states["fridge"]]
            )
            seconds[word] = seconds.get(word, 0) + 1
        known = {word: n for word, n in seconds.items() if word != UNKNOWN}
        best = max(known.values(), default=0)
        assert result.overall in ({word for word, n in known.items() if n == best} or {UNKNOWN})


def test_channels_and_damage_are_reported_as_for_events(bundle, tmp_path):
    left = hums((4.0, 0, 1))
    result = bundle.states.predict_samples(np.stack([left, -left], axis=1), RATE)
    assert result.channels_cancel_db is not None
    missing = bundle.states.predict_file(tmp_path / "away.wav")
    assert (missing.status, missing.states["ac"]) == ("left_out", UNKNOWN)
    assert "away.wav" in missing.reason
