"""Every gate passes what it should, and can fail: none is inert."""

import json
import math
from collections.abc import Collection
from typing import Any

import pytest

from ossicle.corpus.health.gates.figures import event_figures
from ossicle.corpus.health.gates.gates import Gate, health_gates
from ossicle.corpus.health.gates.judged_events import JudgedEvents
from ossicle.corpus.health.gates.settings import HealthSettings
from ossicle.corpus.health.gates.totals import Total

from .made_events import columns


def judged(table: JudgedEvents, *totals: Total, not_asked: Collection[str] = (), **settings: Any) -> dict[str, Gate]:
    chosen = HealthSettings(**settings)
    gates = health_gates(event_figures(table, chosen), chosen, totals, not_asked=not_asked)
    assert len({gate.name for gate in gates}) == len(gates)
    assert all(gate.passed is (not gate.reasons) for gate in gates)
    json.dumps([gate.to_json() for gate in gates])
    return {gate.name: gate for gate in gates}


SOUND = [("a.wav", float(n), "kick") for n in range(8)] + [("a.wav", 0.0, "snare"), ("b.wav", 0.0, "snare")]


# Each gate by a setting that it passes, one that it fails, the data, and a word of its reason.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], JudgedEvents, str]] = {
    "class_minimum": ({"class_min": 2}, {"class_min": 3}, columns(SOUND), "'snare' has 2, needs 3"),
    "required_labels": (
        {"required_labels": ("snare",)},
        {"required_labels": ("crash",)},
        columns(SOUND),
        "label 'crash' is absent",
    ),
    "required_techniques": (
        {"required_techniques": ("flam",)},
        {"required_techniques": ("flam", "roll")},
        columns(SOUND, techniques={"flam": 1}),
        "technique 'roll' is absent",
    ),
    "unknown_labels": (
        {"labels": ("kick", "snare")},
        {"labels": ("kick",)},
        columns(SOUND),
        "'snare' (2 events) is not in labels",
    ),
    "repeated_events": (
        {"max_repeated_events": 0.5},
        {"max_repeated_events": 0.4},
        columns(SOUND * 2),
        "'kick' at 0.000 s of a.wav",
    ),
    "repeated_event_id": (
        {"max_repeated_ids": 0.5},
        {"max_repeated_ids": 0.0},
        columns(SOUND, event_id=[*range(9), 0]),
        "event_id of an earlier one",
    ),
    "repeated_sample_id": (
        {"max_repeated_ids": 0.5},
        {"max_repeated_ids": 0.0},
        columns(SOUND, sample_id=[*range(9), 0]),
        "sample_id of an earlier one",
    ),
    "repeated_audio": (
        {"max_repeated_audio": 0.5},
        {"max_repeated_audio": 0.0},
        columns(SOUND, digests=["x", "x"]),
        "for example 1.wav",
    ),
    "quiet": (
        {"max_quiet": 0.5},
        {"max_quiet": 0.5, "quiet_db": -10.0},
        columns(SOUND, sounds=[(-20.0, -1.0), (-70.0, -1.0)]),
        "2 of 2 sounds are below -10 dB",
    ),
    "overdriven": (
        {"max_overdriven": 0.5},
        {"max_overdriven": 0.4},
        columns(SOUND, sounds=[(-20.0, -1.0), (-20.0, 0.0)]),
        "1 of 2 sounds have a peak",
    ),
    "durations": (
        {"shortest_s": 0.1, "longest_s": 0.3},
        {"shortest_s": 0.1, "longest_s": 0.2},
        columns(SOUND, lengths_s=[0.1] * 9 + [0.3]),
        "longer than 0.2 s",
    ),
    "overlap": ({"max_overlap": 0.2}, {"max_overlap": 0.1}, columns(SOUND), "within 30 ms of one with another label"),
}


@pytest.mark.parametrize("name", CASES)
def test_every_gate_passes_and_fails(name: str) -> None:
    good, bad, table, message = CASES[name]
    assert judged(table, **good)[name].passed
    failed = judged(table, **bad)[name]
    assert not failed.passed
    assert any(message in reason for reason in failed.reasons), failed.reasons


def test_a_minimum_of_an_absent_class_fails_by_its_name() -> None:
    gate = judged(columns(SOUND), class_minimums={"crash": 200, "kick": 8}, class_min=1)["class_minimum"]
    assert gate.reasons == ("'crash' is absent, needs 200",)
    assert "'tom' is absent, needs 1" in judged(columns(SOUND), labels=("tom",), class_min=1)["class_minimum"].reasons


def test_more_than_half_repeated_fails_without_any_setting() -> None:
    assert judged(columns(SOUND * 2))["repeated_events"].passed
    assert not judged(columns(SOUND * 3))["repeated_events"].passed


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"max_repeated_ids": 0.005}, "repeated_ids"),
        ({"max_repeated_audio": 0.1}, "repeated_audio"),
        ({"max_quiet": 0.1}, "quiet"),
        ({"max_overdriven": 0.1}, "overdriven"),
        ({"shortest_s": 0.1}, "durations"),
        ({"required_techniques": ("flam",)}, "required_techniques"),
    ],
)
def test_a_limit_on_what_the_data_do_not_hold_fails(settings: dict[str, Any], name: str) -> None:
    # The script before counted sample ids where manifests had event ids, and passed everything.
    gate = judged(columns(SOUND), **settings)[name]
    assert not gate.passed


def test_a_manifest_is_not_asked_for_bytes_of_audio() -> None:
    assert "repeated_audio" not in judged(columns(SOUND), max_repeated_audio=0.1, not_asked=("repeated_audio",))
    copies = columns(SOUND, digests=["x", "x"])
    assert not judged(copies, max_repeated_audio=0.1, not_asked=("repeated_audio",))["repeated_audio"].passed


def test_gates_without_a_limit_are_not_there() -> None:
    assert set(judged(columns(SOUND))) == {"repeated_events"}
    every = dict.fromkeys(("max_repeated_events", "max_repeated_ids", "max_repeated_audio"), 1.0)
    assert judged(columns(SOUND, digests=["x"] * 5, event_id=[1] * 10), **every) == {}


def test_totals_that_differ_fail_with_what_to_do() -> None:
    same = Total("manifest_total", "lines of the manifest", 5, 5, "copy it again")
    less = Total("manifest_total", "lines of the manifest", 4, 5, "copy it again")
    more = Total("manifest_total", "lines of the manifest", 6, 5, "copy it again")
    assert judged(columns(SOUND), same)["manifest_total"].passed
    for total in (less, more):
        assert judged(columns(SOUND), total)["manifest_total"].reasons == ("copy it again",)
    assert Total("left_out", "x", 90, 100, "r", tolerance=0.1).agrees
    assert not Total("left_out", "x", 89, 100, "r", tolerance=0.1).agrees
    assert "left_out" not in judged(columns(SOUND), Total("left_out", "x", 0, 100, "r", tolerance=1.0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"class_minimums": {"kick": 0}}, "class_minimums: 'kick' = 0"),
        ({"class_minimums": {" ": 5}}, "give a label and a number"),
        ({"labels": ("kick", "")}, "labels contains an empty name"),
        ({"required_techniques": (" ",)}, "required_techniques contains an empty name"),
        ({"shortest_s": 2.0, "longest_s": 1.0}, "longest_s = 1 s must not be below"),
        ({"max_quiet": 1.5}, "must be at most 1"),
        ({"class_min": -1}, "must be at least 0"),
    ],
)
def test_impossible_limits_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HealthSettings(**settings)


def test_nan_is_not_measured() -> None:
    table = columns(SOUND, sounds=[(math.nan, math.nan)])
    assert not judged(table, max_quiet=0.5)["quiet"].passed
    assert judged(table, max_quiet=0.5)["quiet"].detail == "not measured"
