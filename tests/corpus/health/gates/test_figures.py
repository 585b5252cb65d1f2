"""Figures of events by hand."""

import json
import math

import pytest

from ossicle.corpus.health.gates.figures import ClassCount, Share, event_figures
from ossicle.corpus.health.gates.settings import HealthSettings

from .made_events import columns

HITS = [("a.wav", 0.0, "kick"), ("a.wav", 0.01, "snare"), ("b.wav", 1.0, "kick"), ("b.wav", 2.0, None)]


def test_every_figure_of_a_manifest_by_hand() -> None:
    table = columns(
        HITS,
        lengths_s=[0.1, 0.2, 0.3, math.nan],
        sounds=[(-20.0, -3.0), (-70.0, 0.0), (math.nan, -0.05)],
        techniques={"roll": 2, "flam": 1},
        synthetic=[True, False, False, False],
        negative=[False, False, False, True],
        dynamic=["ghost", "accent", "accent", None],
        openness=[0.0, 0.05, 1.0, None],
        bleed=["low", "low", "high", None],
        mix=["solo", "solo", "band", "band"],
        source=["groove", "groove", "slakh", "slakh"],
        session=["s1", "s1", "s2", "s2"],
        drummer=["d", "d", "d", None],
        kit=["k1", "k2", "k3", "k4"],
    )
    found = event_figures(table, HealthSettings(labels=("kick", "crash"), shortest_s=0.15, longest_s=0.25))
    assert (found.events, found.recordings, found.without_label) == (4, 2, 0)
    assert (found.synthetic, found.negatives, found.sessions, found.drummers, found.kits) == (1, 1, 2, 1, 4)
    assert found.classes == {
        "crash": ClassCount(0, 0, 0),
        "kick": ClassCount(2, 1, 1),
        "snare": ClassCount(1, 1, 0),
    }
    assert found.unknown_labels == {"snare": 1}
    assert found.sources == {"groove": 2, "slakh": 2}
    assert found.techniques == {"flam": 1, "roll": 2}
    assert (found.quiet, found.overdriven) == (Share(1, 2), Share(2, 3))
    assert found.outside_durations == Share(2, 3)
    assert found.hours == pytest.approx(0.6 / 3600, abs=1e-6)
    assert found.overlap == Share(2, 3)
    assert found.dynamics == {"accent": 2, "ghost": 1}
    assert found.dynamics_by_class == {"kick": {"accent": 1, "ghost": 1}, "snare": {"accent": 1}}
    assert found.openness == (2, 0, 0, 0, 0, 0, 0, 0, 0, 1)
    assert (found.bleed, found.mix) == ({"high": 1, "low": 2}, {"band": 2, "solo": 2})
    assert found.loudness is not None
    assert (found.loudness.n, found.loudness.lowest, found.loudness.highest) == (2, -70.0, -20.0)
    plain = json.loads(json.dumps(found.to_json()))
    assert plain["overlap"] == {"count": 2, "of": 3, "share": 0.666667}
    assert plain["repeats"]["events"] == {"counted": 3, "repeats": 0, "examples": [], "share": 0.0}


def test_what_the_data_do_not_hold_is_none() -> None:
    found = event_figures(columns(HITS), HealthSettings())
    assert (found.synthetic, found.negatives, found.sessions, found.techniques) == (None, None, None, None)
    assert found.classes["kick"] == ClassCount(2, None, None)
    assert (found.loudness, found.quiet, found.overdriven, found.durations) == (None, None, None, None)
    assert (found.dynamics, found.openness, found.sources) == ({}, (), {})
    assert set(found.repeats) == {"events"}


def test_no_events_have_no_shares() -> None:
    found = event_figures(columns([]), HealthSettings(labels=("kick",)))
    assert (found.events, found.classes) == (0, {"kick": ClassCount(0, None, None)})
    assert (found.overlap.share, found.outside_durations.share, found.repeats["events"].share) == (None, None, None)


def test_labels_of_the_settings_are_compared_as_those_of_the_corpus() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    found = event_figures(columns([("a.wav", 0.0, composed)]), HealthSettings(labels=(decomposed,)))
    assert found.unknown_labels == {}
    assert found.classes[composed].total == 1
