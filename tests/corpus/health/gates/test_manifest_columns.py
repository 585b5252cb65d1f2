"""Blocks of a manifest as columns: the same figures however the manifest is cut, and what counts as what."""

from typing import Any

import polars as pl
import pytest

from ossicle.corpus.health.gates.figures import ClassCount, Share, event_figures
from ossicle.corpus.health.gates.judged_events import JudgedEvents
from ossicle.corpus.health.gates.manifest_columns import ManifestCollector
from ossicle.corpus.health.gates.settings import HealthSettings
from ossicle.corpus.manifest.event_table import EVENT_SCHEMA

USUAL: dict[str, Any] = {
    "session_id": "s1",
    "source_set": "groove",
    "audio_path": "a.wav",
    "onset_s": 1.0,
    "pre_s": 0.08,
    "post_s": 0.2,
    "is_synthetic": False,
    "negative_example": False,
    "techniques": [],
    "component": 0,
    "label": "kick",
}


def table(*rows: dict[str, Any]) -> pl.DataFrame:
    filled = [dict.fromkeys(EVENT_SCHEMA) | USUAL | {"line": number} | row for number, row in enumerate(rows, start=1)]
    return pl.DataFrame(filled, schema=dict(EVENT_SCHEMA))


def collected(*blocks: pl.DataFrame) -> JudgedEvents:
    collector = ManifestCollector()
    for block in blocks:
        collector.add(block)
    return collector.columns()


ROWS = (
    {"event_id": "e1", "sample_id": "x", "lufs": -20.0, "techniques": ["flam", "roll"], "drummer_id": "d1"},
    {"event_id": "e2", "sample_id": "y", "label": "snare", "onset_s": 1.02, "is_synthetic": True},
    {"event_id": "e2", "sample_id": "y", "label": "crash", "onset_s": 1.02, "component": 1, "is_synthetic": True},
    {"event_id": "e1", "onset_s": 3.0, "techniques": ["flam"], "peak_db": 0.0, "dynamic_bucket": "ghost"},
    {"event_id": "e5", "sample_id": "x", "source_set": "enst"},
    {"event_id": "e6", "label": None, "component": -1, "negative_example": True, "onset_s": 9.0},
    {"event_id": "e7", "negative_example": True, "onset_s": 9.5},
    {"onset_s": 1.0},
)


@pytest.mark.parametrize("cuts", [(8,), (1, 8), (2, 5, 8), tuple(range(1, 9))])
def test_the_figures_do_not_depend_on_the_blocks(cuts: tuple[int, ...]) -> None:
    whole = table(*ROWS)
    first, blocks = 0, []
    for stop in cuts:
        blocks.append(whole[first:stop])
        first = stop
    figures = event_figures(collected(*blocks), HealthSettings())
    assert figures == event_figures(collected(whole), HealthSettings())
    assert (figures.events, figures.recordings, figures.sessions, figures.drummers, figures.kits) == (7, 2, 1, 1, None)
    assert figures.sources == {"enst": 1, "groove": 6}
    assert figures.techniques == {"flam": 2, "roll": 1}
    assert (figures.negatives, figures.without_label, figures.synthetic) == (2, 0, 1)
    assert figures.loudness is not None
    assert figures.loudness.n == 1
    assert figures.dynamics == {"ghost": 1}


def test_components_of_a_negative_example_are_no_events_of_their_label() -> None:
    figures = event_figures(collected(table(*ROWS)), HealthSettings())
    assert figures.classes == {"crash": ClassCount(1, 0, 1), "kick": ClassCount(4, 4, 0), "snare": ClassCount(1, 0, 1)}


def test_repeats_of_a_manifest_are_found_across_blocks_and_named_with_their_lines() -> None:
    whole = table(*ROWS)
    repeats = event_figures(collected(whole[:4], whole[4:]), HealthSettings()).repeats
    assert (repeats["events"].repeats, repeats["events"].examples) == (
        1,
        ("'kick' at 1.000 s of groove/a.wav (line 8)",),
    )
    assert (repeats["event_id"].counted, repeats["event_id"].repeats) == (6, 1)
    assert repeats["event_id"].examples == ("'kick' at 3.000 s of groove/a.wav (line 4)",)
    assert (repeats["sample_id"].counted, repeats["sample_id"].repeats) == (3, 1)
    assert repeats["sample_id"].examples == ("'kick' at 1.000 s of enst/a.wav (line 5)",)


def test_an_event_without_a_component_is_counted_unless_it_is_a_negative_example() -> None:
    bare = {"label": None, "component": -1}
    figures = event_figures(collected(table({}, bare, bare | {"negative_example": True})), HealthSettings())
    assert (figures.events, figures.negatives, figures.without_label) == (3, 1, 1)


def test_levels_of_bleed_that_are_numbers_are_counted_in_tenths() -> None:
    levels = ("0.12", "0.1", "0.199", "0.95", "1.5", "-1", "low", None)
    figures = event_figures(collected(table(*({"bleed_level": level} for level in levels))), HealthSettings())
    assert figures.bleed == {"0.1 to 0.2": 3, "0.9 to 1.0": 1, "1 or more, or negative": 2, "low": 1}


def test_the_same_path_in_two_sources_is_two_recordings() -> None:
    figures = event_figures(collected(table({}, {"source_set": "enst"})), HealthSettings())
    assert (figures.recordings, figures.repeats["events"].repeats) == (2, 0)


@pytest.mark.parametrize(
    ("stated", "length_s"),
    [
        ({"duration_s": 0.7, "offset_s": 1.5}, 0.7),
        ({"offset_s": 1.5}, 0.5),
        ({}, 0.28),
        ({"pre_s": 0.0, "post_s": 0.0}, None),
    ],
)
def test_the_length_is_the_duration_else_to_the_offset_else_the_window(
    stated: dict[str, float], length_s: float | None
) -> None:
    spread = event_figures(collected(table(stated)), HealthSettings(longest_s=0.6)).durations
    assert (None if spread is None else spread.median) == (None if length_s is None else pytest.approx(length_s))


def test_simultaneous_hits_overlap() -> None:
    settings = HealthSettings(overlap_s=0.03)
    assert event_figures(collected(table(*ROWS)), settings).overlap == Share(4, 6)


def test_labels_get_the_names_of_a_label_map() -> None:
    collector = ManifestCollector(lambda label: {"bd": "kick"}.get(label, label))
    collector.add(table({"label": "bd"}, {"label": "snare"}, {"label": None, "component": -1}))
    assert set(event_figures(collector.columns(), HealthSettings()).classes) == {"kick", "snare"}


def test_a_manifest_that_states_nothing_has_no_figures_of_it() -> None:
    figures = event_figures(collected(table({}, {})), HealthSettings())
    assert (figures.techniques, figures.loudness, figures.drummers, figures.openness) == (None, None, None, ())
    assert set(figures.repeats) == {"events"}
    assert event_figures(ManifestCollector().columns(), HealthSettings()).events == 0
