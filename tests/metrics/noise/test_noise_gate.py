from dataclasses import replace

import numpy as np
import pytest

from ossicle.metrics.noise.noise_gate import (
    LEAST_S,
    PROBES,
    Firing,
    Judged,
    NoiseGateSettings,
    judge,
    with_rests,
)

GATE = NoiseGateSettings()
QUIET = Firing("white_noise", "-20 dBFS", "call", seconds=60.0, n_events=0, active_s=0.0)


def refused(*firings: Firing, limits: NoiseGateSettings = GATE) -> list[bool]:
    return [one.refused for one in judge(firings, limits)]


def test_a_limit_is_met_not_passed() -> None:
    assert refused(QUIET, replace(QUIET, n_events=1), replace(QUIET, n_events=2)) == [False, False, True]


def test_silence_must_be_silent() -> None:
    assert refused(replace(QUIET, probe="silence", n_events=1)) == [True]


def test_one_event_without_end_is_refused_for_its_length() -> None:
    stuck = replace(QUIET, n_events=1, active_s=60.0)
    assert stuck.per_hour == GATE.white_noise_per_hour
    assert refused(stuck, replace(stuck, active_s=3.0)) == [True, False]


@pytest.mark.parametrize("probe", PROBES)
def test_every_probe_has_its_limit_and_its_switch(probe: str) -> None:
    loud = replace(QUIET, probe=probe, n_events=100)
    assert refused(loud) == [True]
    off = judge([loud], NoiseGateSettings(off=(probe,)))
    assert [(one.refused, one.limit_per_hour, one.firing) for one in off] == [(False, None, loud)]
    assert refused(loud, limits=NoiseGateSettings(**{f"{probe}_per_hour": 6000.0})) == [False]


def test_too_little_sound_is_shown_and_not_judged() -> None:
    short = Firing("recordings", "reviewed empty", "call", LEAST_S - 1, 50, 1.0)
    (judged,) = judge([short, replace(short, seconds=0.0)], GATE)
    assert (judged.refused, judged.limit_per_hour) == (False, None)
    assert judged.firing.per_hour > GATE.recordings_per_hour


def test_json_and_back() -> None:
    (one,) = judge([replace(QUIET, n_events=7, active_s=1 / 3)], GATE)
    values = one.to_json()
    assert values["per_hour"] == 420.0
    assert values["active_share"] == 0.005556
    assert Judged.from_json(values).to_json() == values


def test_an_unknown_probe_cannot_be_switched_off() -> None:
    with pytest.raises(ValueError, match="off = 'humm' is not one of: silence"):
        NoiseGateSettings(off=("humm",))


EMPTY_TAPES = Firing("recordings", "reviewed empty", "call", seconds=3600.0, n_events=400, active_s=400.0)


def without(n_events: int, active_s: float, seconds: float = 60.0) -> Firing:
    """``EMPTY_TAPES`` without a minute that holds so many events."""
    return replace(
        EMPTY_TAPES,
        seconds=EMPTY_TAPES.seconds - seconds,
        n_events=EMPTY_TAPES.n_events - n_events,
        active_s=EMPTY_TAPES.active_s - active_s,
    )


@pytest.mark.parametrize(
    ("rests", "one_minute"),
    [
        ((without(120, 300.0),), True),
        # The rate, or the share of the time, is exceeded without the minute too.
        ((without(100, 300.0),), False),
        ((without(120, 200.0),), False),
        # One minute holds the events and another one the time: that is no single minute.
        ((without(120, 0.0), without(0, 300.0)), False),
        ((without(120, 0.0), without(120, 300.0)), True),
        ((), False),
    ],
)
def test_no_single_minute_of_recordings_refuses(rests: tuple[Firing, ...], one_minute: bool) -> None:
    firing = replace(EMPTY_TAPES, rests=rests)
    (judged,) = judge([firing], GATE)
    assert (judged.refused, judged.one_minute) == (not one_minute, one_minute)
    assert Judged.from_json(judged.to_json()) == judged


def test_a_limit_of_no_event_allows_none_in_one_minute_either() -> None:
    firing = replace(EMPTY_TAPES, n_events=1, active_s=0.1, rests=(replace(EMPTY_TAPES, n_events=0, active_s=0.0),))
    assert judge([firing], NoiseGateSettings(recordings_per_hour=0))[0].refused
    assert not judge([firing], GATE)[0].one_minute


def test_one_minute_alone_cannot_be_confirmed() -> None:
    firing = replace(EMPTY_TAPES, seconds=119.0, n_events=60, active_s=100.0)
    short = with_rests(firing, np.array([60.0, 59.0]), np.array([30, 30]), np.array([51.0, 49.0]))
    assert [(rest.seconds, rest.n_events, rest.active_s) for rest in short.rests] == [(59.0, 30, 49.0)]
    assert judge([short], GATE)[0].one_minute
    long = with_rests(
        replace(firing, seconds=120.0), np.array([60.0, 60.0]), np.array([30, 30]), np.array([51.0, 49.0])
    )
    assert judge([long], GATE)[0].refused
    assert with_rests(firing, np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros(0)) == firing


def test_the_minutes_with_most_events_and_with_most_activity_are_left_out_one_at_a_time() -> None:
    minutes = np.full(3, 60.0), np.array([20, 1, 1]), np.array([1.0, 59.0, 0.1])
    firing = with_rests(replace(EMPTY_TAPES, seconds=180.0, n_events=22, active_s=60.1), *minutes)
    assert [(rest.n_events, rest.active_s) for rest in firing.rests] == [
        (2, pytest.approx(59.1)),
        (21, pytest.approx(1.1)),
    ]


def test_figures_of_earlier_versions_are_read() -> None:
    written = judge([EMPTY_TAPES], GATE)[0].to_json()
    for key in ("rests", "one_minute"):
        del written[key]
    assert Judged.from_json(written) == judge([EMPTY_TAPES], GATE)[0]


RESEMBLES = {"rain": ("white_noise", "silence", "recordings")}


@pytest.mark.parametrize(
    ("probe", "label", "refused", "excused"),
    [
        ("white_noise", "rain", False, True),
        ("white_noise", "call", True, False),
        ("speech_like", "rain", True, False),
        # Whatever is said of a label, silence and recordings can always refuse.
        ("silence", "rain", True, False),
        ("recordings", "rain", True, False),
    ],
)
def test_a_label_is_excused_on_what_its_own_sounds_resemble(
    probe: str, label: str, refused: bool, excused: bool
) -> None:
    (result,) = judge([Firing(probe, "loud", label, 600.0, 400, 590.0)], NoiseGateSettings(), RESEMBLES)
    assert (result.refused, result.excused) == (refused, excused)
    assert result.excess.startswith("fires 2400 times an hour")
    assert Judged.from_json(result.to_json()) == result


def test_only_exceeded_limits_are_named() -> None:
    settings = NoiseGateSettings()
    (often,) = judge([Firing("hum", "50 Hz", "call", 60.0, 4, 0.4)], settings)
    assert often.excess == "fires 240 times an hour (limit 60) on mains hum (50 Hz)"
    (stuck,) = judge([Firing("hum", "50 Hz", "call", 60.0, 1, 60.0)], settings)
    assert stuck.excess == "fills 100 % of the time (limit 5 %) on mains hum (50 Hz)"
    (quiet,) = judge([Firing("hum", "50 Hz", "call", 60.0, 1, 0.1)], settings)
    assert quiet.excess == ""


def test_the_events_that_a_rate_allows_may_fill_their_own_length() -> None:
    one = Firing("speech_like", "-35 dBFS", "dog", seconds=60.0, n_events=1, active_s=5.0)
    frames, windows = judge([one], NoiseGateSettings()), judge([one], NoiseGateSettings(), frame_s=5.0)
    assert [frames[0].refused, windows[0].refused] == [True, False]
    assert windows[0].limit_share == pytest.approx(1 / 12)
    assert windows[0].excess == ""
    # Two events, one long event, and any event in silence are refused whatever the length of a frame.
    for firing in (
        replace(one, n_events=2, active_s=10.0),
        replace(one, active_s=20.0),
        replace(one, probe="silence", part="all zeros"),
    ):
        assert judge([firing], NoiseGateSettings(), frame_s=5.0)[0].refused
