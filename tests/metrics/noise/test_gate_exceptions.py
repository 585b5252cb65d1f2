"""What a passed noise gate did not judge is named."""

from dataclasses import replace
from typing import Any

import pytest

from ossicle.core.settings import digestible
from ossicle.metrics.noise.gate_exceptions import gate_exceptions
from ossicle.metrics.noise.noise_gate import LEAST_S, PROBES, Firing, NoiseGateSettings, judge

STUCK = Firing("white_noise", "-20 dBFS", "call", seconds=60.0, n_events=1, active_s=60.0)
QUIET = replace(STUCK, n_events=0, active_s=0.0)


def gate(limits: NoiseGateSettings, *firings: Firing) -> dict[str, Any]:
    return {"limits": digestible(limits), "firings": [one.to_json() for one in judge(firings, limits)]}


@pytest.mark.parametrize("probe", PROBES)
def test_a_probe_that_is_off_is_named_with_what_the_detector_does_there(probe: str) -> None:
    stuck, loud = replace(STUCK, probe=probe), replace(STUCK, probe=probe, n_events=15, active_s=2.0, label="trill")
    (result,) = gate_exceptions(gate(NoiseGateSettings(off=(probe,)), replace(QUIET, probe=probe), loud, stuck))
    assert result.startswith(f"{PROBES[probe]} is switched off: ")
    # Filling the whole minute is further beyond its limit than 900 events an hour; on silence the events are.
    assert ("'trill' fires 900 times" if probe == "silence" else "100 % of the time") in result


def test_a_probe_that_is_off_is_named_even_where_nothing_fires() -> None:
    (result,) = gate_exceptions(gate(NoiseGateSettings(off=("hum",)), replace(QUIET, probe="hum"), QUIET))
    assert result == "mains hum is switched off, and the detector stays within the default limits there"


def test_raised_limits_that_let_a_detector_pass_are_named() -> None:
    raised = NoiseGateSettings(white_noise_per_hour=1e6, active_share=1.0)
    (result,) = gate_exceptions(gate(raised, STUCK))
    assert result.startswith("white noise has limits above the default ones: 'call' fires 60 times an hour")
    assert gate_exceptions(gate(raised, QUIET)) == ()


def test_a_label_that_fires_on_what_its_own_sounds_are_like_is_named_apart_from_limits() -> None:
    firings = [replace(STUCK, label="rain", part=part) for part in ("-40 dBFS", "-20 dBFS")]
    judged = judge([*firings, QUIET], NoiseGateSettings(), {"rain": ("white_noise",)})
    (result,) = gate_exceptions({"limits": {"off": []}, "firings": [one.to_json() for one in judged]})
    assert result == (
        "'rain' fires 60 times an hour on white noise (-40 dBFS), 100 % of the time; its own sounds are like that, so "
        "this refuses no bundle"
    )
    quiet = judge([replace(QUIET, label="rain")], NoiseGateSettings(), {"rain": ("white_noise",)})
    assert gate_exceptions({"limits": {"off": []}, "firings": [one.to_json() for one in quiet]}) == ()


BURST = Firing("recordings", "reviewed empty", "call", seconds=600.0, n_events=140, active_s=7.0)


def calm(seconds: float = 540.0, n_events: int = 0) -> tuple[Firing, ...]:
    return (replace(BURST, seconds=seconds, n_events=n_events, active_s=0.0),)


def test_a_burst_in_one_minute_is_named_for_each_label() -> None:
    bursts = [replace(BURST, rests=calm()), replace(BURST, label="trill", n_events=150, rests=calm())]
    assert gate_exceptions(gate(NoiseGateSettings(), *bursts, QUIET)) == tuple(
        f"'{label}' fires {rate} times an hour on recordings without the target (reviewed empty), 1 % of the time; "
        "one minute of one recording makes it so, which refuses no bundle"
        for label, rate in (("call", 840), ("trill", 900))
    )
    assert gate_exceptions(gate(NoiseGateSettings(), replace(BURST, rests=calm(n_events=140)))) == ()


def test_too_little_sound_beside_one_minute_is_named_as_such() -> None:
    (named,) = gate_exceptions(gate(NoiseGateSettings(), replace(BURST, seconds=60.0, rests=calm(seconds=0.0))))
    assert named.endswith(
        "; without one minute of one recording too little sound is left to confirm it, which refuses no bundle"
    )


def test_a_raised_limit_is_named_beside_a_burst_that_exceeds_it() -> None:
    # 900 an hour in all, 500 without the burst: beyond the default limit of 300, but not beyond 600.
    raised = NoiseGateSettings(recordings_per_hour=600.0)
    burst = replace(BURST, n_events=150, rests=calm(n_events=75))
    assert len(gate_exceptions(gate(raised, burst))) == 2
    (named,) = gate_exceptions(gate(raised, replace(burst, rests=calm(n_events=15))))
    assert "one minute of one recording makes it so" in named


def test_windows_that_the_default_limits_let_pass_are_no_raised_limit() -> None:
    # One event a minute is allowed, and with windows of 5 s it fills 8 % of the time.
    limits, window = NoiseGateSettings(), replace(STUCK, active_s=5.0)
    (judged,) = judge([window], limits, frame_s=5.0)
    assert not judged.refused
    assert gate_exceptions({"limits": digestible(limits), "firings": [judged.to_json()]}) == ()


def test_what_the_default_limits_judged_is_no_exception() -> None:
    usual = NoiseGateSettings()
    assert gate_exceptions(gate(usual, QUIET, replace(QUIET, n_events=1, active_s=1.0))) == ()
    # A refusal is told as such, and a part that is too short to judge was not switched off.
    assert gate_exceptions(gate(usual, STUCK, replace(STUCK, probe="recordings", seconds=LEAST_S - 1))) == ()
