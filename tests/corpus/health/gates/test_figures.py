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
    figures = event_figures(table, HealthSettings(labels=("kick", "crash"), shortest_s=0.15, longest_s=0.25))
    assert (figures.events, figures.recordings, figures.without_label) == (4, 2, 0)
    assert (figures.synthetic, figures.negatives, figures.sessions, figures.drummers, figures.kits) == (1, 1, 2, 1, 4)
    assert figures.classes == {
        "crash": ClassCount(0, 0, 0),
        "kick": ClassCount(2, 1, 1),
        "snare": ClassCount(1, 1, 0),
    }
    assert figures.unknown_labels == {"snare": 1}
    assert figures.sources == {"groove": 2, "slakh": 2}
    assert figures.techniques == {"flam": 1, "roll": 2}
    assert (figures.quiet, figures.overdriven) == (Share(1, 2), Share(2, 3))
    assert figures.outside_durations == Share(2, 3)
    assert figures.hours == pytest.approx(0.6 / 3600, abs=1e-6)
    assert figures.overlap == Share(2, 3)
    assert figures.dynamics == {"accent": 2, "ghost": 1}
    assert figures.dynamics_by_class == {"kick": {"accent": 1, "ghost": 1}, "snare": {"accent": 1}}
    assert figures.openness == (2, 0, 0, 0, 0, 0, 0, 0, 0, 1)
    assert (figures.bleed, figures.mix) == ({"high": 1, "low": 2}, {"band": 2, "solo": 2})
    assert figures.loudness is not None
    assert (figures.loudness.n, figures.loudness.lowest, figures.loudness.highest) == (2, -70.0, -20.0)
    plain = json.loads(json.dumps(figures.to_json()))
    assert plain["overlap"] == {"count": 2, "of": 3, "share": 0.666667}
    assert plain["repeats"]["events"] == {"counted": 3, "repeats": 0, "examples": [], "share": 0.0}


def test_what_the_data_do_not_hold_is_none() -> None:
    figures = event_figures(columns(HITS), HealthSettings())
    assert (figures.synthetic, figures.negatives, figures.sessions, figures.techniques) == (None, None, None, None)
    assert figures.classes["kick"] == ClassCount(2, None, None)
    assert (figures.loudness, figures.quiet, figures.overdriven, figures.durations) == (None, None, None, None)
    assert (figures.dynamics, figures.openness, figures.sources) == ({}, (), {})
    assert set(figures.repeats) == {"events"}


def test_no_events_have_no_shares() -> None:
    figures = event_figures(columns([]), HealthSettings(labels=("kick",)))
    assert (figures.events, figures.classes) == (0, {"kick": ClassCount(0, None, None)})
    assert (figures.overlap.share, figures.outside_durations.share, figures.repeats["events"].share) == (
        None,
        None,
        None,
    )


def test_labels_of_the_settings_are_compared_as_those_of_the_corpus() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    figures = event_figures(columns([("a.wav", 0.0, composed)]), HealthSettings(labels=(decomposed,)))
    assert figures.unknown_labels == {}
    assert figures.classes[composed].total == 1
