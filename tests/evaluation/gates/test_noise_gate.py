"""What the noise gate counts on recordings and probes, and what it says of a refusal."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ossicle.core.decisions.decision import Decision
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.records import Annotation, Recording
from ossicle.core.tracks import Event
from ossicle.evaluation.gates.noise_gate import (
    BETWEEN,
    EMPTY,
    events_in,
    excused_probes,
    firings_on_probe,
    firings_on_recordings,
    noise_gate_figures,
    refusal_of,
)
from ossicle.evaluation.ground_truth import Truth
from ossicle.inference.predictor import FakePredictor
from ossicle.metrics.noise.noise_gate import Firing, NoiseGateSettings, judge

PLAN = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=50, context_frames=5)
QUIET = Firing("hum", "50 Hz at -30 dBFS", "trill", 60.0, 0, 0.0)
LOUD = Firing("white_noise", "-20 dBFS", "trill", 60.0, 4, 0.4)
STUCK = Firing("speech_like", "-35 dBFS", "hum", 60.0, 1, 60.0)


def recording(name: str) -> Recording:
    return Recording(name, "root", f"{name}.wav", 8000, 1, 100 * 8000, name, reviewed=True)


def test_out_of_fold_events_count_where_nothing_is_annotated() -> None:
    recordings = {name: recording(name) for name in ("calls", "empty", "quiet")}
    notes = (Annotation("calls", 10.0, 20.0, "call"), Annotation("calls", 40.0, 50.0, "other"))
    events = {
        # A hit, one within the margin of a call, one on another label's call, a false alarm, one across a call's end.
        "calls": [Event(a, b, "call", 0.9) for a, b in ((12, 13), (20.05, 21), (44, 45), (70, 71), (49, 60))],
        "empty": [Event(5.0, 6.5, "call", 0.9), Event(50.0, 51.0, "other", 0.9)],
        "quiet": [],
    }
    truth = Truth(tuple(recordings), ("call", "other"), recordings, notes, {}, {})
    result = {
        (firing.part, firing.label): firing for firing in firings_on_recordings(truth, events, notes, margin_s=0.1)
    }
    all_empty = Firing("recordings", EMPTY, "call", 200.0, 0, 0.0)
    all_but_one_minute = replace(all_empty, seconds=140.0)
    assert result[EMPTY, "call"] == replace(all_empty, n_events=1, active_s=1.5, rests=(all_but_one_minute,))
    assert result[EMPTY, "other"] == replace(
        all_empty, label="other", n_events=1, active_s=1.0, rests=(replace(all_but_one_minute, label="other"),)
    )
    between = result[BETWEEN, "call"]
    assert between.seconds == pytest.approx(100 - 2 * 10.2)
    assert between.n_events == 1
    # Time counts wherever nothing is annotated, whole events or not.
    assert between.active_s == pytest.approx(0.9 + 1.0 + 9.9)
    assert result[BETWEEN, "other"].n_events == 0


def test_a_burst_in_one_minute_of_a_recording_warns_and_one_in_every_minute_refuses() -> None:
    recordings = {name: recording(name) for name in ("one", "two", "three")}
    truth = Truth(tuple(recordings), ("call",), recordings, (), {}, {})

    def refused(times: dict[str, list[float]]) -> tuple[bool, bool]:
        events = {name: [Event(at, at + 0.05, "call", 0.9) for at in times.get(name, [])] for name in recordings}
        firings = firings_on_recordings(truth, events, (), margin_s=0.1)
        result = judge(firings, NoiseGateSettings(recordings_per_hour=100))[0]
        return result.refused, result.one_minute

    burst = [61.0 + 0.5 * k for k in range(20)]
    assert refused({"two": burst}) == (False, True)
    # The same number in two recordings, or in two minutes of one, is no single burst.
    assert refused({"two": burst[:10], "three": burst[10:]}) == (True, False)
    assert refused({"two": [at - 30.0 for at in burst[:10]] + burst[10:]}) == (True, False)
    assert refused({"two": burst[:1]}) == (False, False)


def test_each_label_has_its_own_firings_on_a_probe() -> None:
    events = [Event(1.0, 2.0, "call", 0.9), Event(4.0, 4.5, "call", 0.8)]
    assert firings_on_probe("hum", "50 Hz", ("call", "other"), 60.0, events) == [
        Firing("hum", "50 Hz", "call", 60.0, 2, 1.5),
        Firing("hum", "50 Hz", "other", 60.0, 0, 0.0),
    ]


def test_events_in_samples_come_from_the_engine_that_reads_recordings() -> None:
    predictor = FakePredictor(("call",), PLAN)
    samples = np.zeros(30 * 8000, dtype=np.float32)
    samples[80000:84000] = 0.5 * np.random.default_rng(0).standard_normal(4000)
    (event,) = events_in(samples, predictor, {"call": Decision(on=0.5, off=0.5)})
    assert event.start_s == pytest.approx(10.0, abs=0.03)
    assert event.end_s == pytest.approx(10.5, abs=0.03)
    assert events_in(samples[:80000], predictor, {"call": Decision(on=0.5, off=0.5)}) == []


def found_of(*firings: Firing) -> dict[str, Any]:
    limits = NoiseGateSettings()
    return noise_gate_figures(judge(firings, limits), limits, "the final model", second_stage=False)


def test_the_figures_say_who_was_judged_and_whether_it_passed() -> None:
    result = found_of(QUIET, LOUD)
    assert result["passed"] is False
    assert set(result["judged_by"]) == {"recordings", "synthetic probes"}
    limits = NoiseGateSettings()
    both = noise_gate_figures(judge([QUIET], limits), limits, "the final model", second_stage=True)
    assert both["passed"] is True
    assert "second stage" in both["judged_by"]


def test_a_refusal_names_probe_label_rate_limit_and_remedy() -> None:
    refusal = refusal_of(found_of(QUIET, LOUD, STUCK), Path("data/bundle/1/bundle"))
    assert refusal is not None
    assert refusal.exit_code == 4
    assert str(refusal) == (
        "the noise gate refused this bundle: label 'trill' fires 240 times an hour (limit 60) on white noise (-20 "
        "dBFS), and 1 more in report.html; the bundle stays in data/bundle/1/bundle. Train with such sounds in "
        "reviewed-empty recordings or with more crops of noise ([augment] noise_share); if it may fire there, "
        "raise [noise_gate] "
        'white_noise_per_hour (and active_share) or put "white_noise" into [noise_gate] off'
    )
    stuck = str(refusal_of(found_of(STUCK), None))
    # 60 events an hour are within the limit, so the message does not name that limit.
    assert "label 'hum' fills 100 % of the time (limit 5 %) on speech-like noise (-35 dBFS). Train" in stuck
    assert refusal_of(found_of(QUIET), None) is None


def test_a_probe_is_excused_if_the_label_resembles_it_for_all_members() -> None:
    one = {"rain": {"resembles": ["white_noise", "hum"]}, "call": {"resembles": []}}
    other = {"rain": {"resembles": ["white_noise", "speech_like"]}, "call": {"resembles": ["hum"]}}
    assert excused_probes([one]) == {"rain": ["hum", "white_noise"]}
    assert excused_probes([one, other]) == {"rain": ["white_noise"]}
    # A model from before the measurement excuses nothing.
    assert excused_probes([one, {}]) == {}
    assert excused_probes([]) == {}


def test_an_excused_label_warns_and_passes_while_others_are_refused() -> None:
    limits = NoiseGateSettings()
    rain, call = replace(LOUD, label="rain"), replace(LOUD, label="call")
    resembles = {"rain": ["white_noise"]}
    passed = noise_gate_figures(
        judge([rain], limits, resembles), limits, "the final model", second_stage=False, resembles=resembles
    )
    assert passed["passed"] is True
    assert passed["resembles"] == resembles
    assert refusal_of(passed, None) is None
    mixed = noise_gate_figures(judge([rain, call], limits, resembles), limits, "the final model", second_stage=False)
    assert "label 'call'" in str(refusal_of(mixed, None))
