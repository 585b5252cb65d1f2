"""The annotations of a project as columns."""

from dataclasses import replace

import polars as pl

from ossicle.artefacts.records.column_tables import annotations_frame
from ossicle.artefacts.records.record_tables import recordings_frame
from ossicle.audio.decoding.levels import Levels
from ossicle.core.records import Annotation, Recording
from ossicle.corpus.health.gates.corpus_columns import corpus_columns
from ossicle.corpus.health.gates.figures import ClassCount, Share, event_figures
from ossicle.corpus.health.gates.settings import HealthSettings


def recording(name: str, digest: str) -> Recording:
    return Recording(id=name, root="r", path=f"{name}.wav", rate=8000, channels=1, n_samples=8000, digest=digest)


def test_the_figures_are_those_of_the_index() -> None:
    recordings = recordings_frame([recording("a", "x"), recording("b", "x"), recording("c", "y")])
    annotations = annotations_frame([Annotation("b", 1.0, 1.5, "call"), Annotation("a", 0.0, 0.25, "song")])
    judged_events = corpus_columns(
        annotations, recordings, {"a": Levels(-20.0, 0.0, 0.0, 0.0), "c": Levels(-80, -70, 0, 0)}
    )
    assert judged_events.events["recording"].cast(pl.String).to_list() == ["a.wav", "b.wav"]
    figures = event_figures(judged_events, HealthSettings())
    assert {label: of.total for label, of in figures.classes.items()} == {"call": 1, "song": 1}
    assert (figures.events, figures.recordings, figures.loudness_unit) == (2, 2, "dBFS")
    assert (figures.quiet, figures.overdriven) == (Share(1, 2), Share(1, 2))
    assert (figures.repeats["audio"].repeats, figures.repeats["audio"].counted) == (1, 3)
    assert figures.durations is not None
    assert (figures.durations.lowest, figures.durations.highest) == (0.25, 0.5)


def test_a_corpus_without_annotations_has_figures() -> None:
    judged_events = corpus_columns(annotations_frame([]), recordings_frame([recording("a", "")]), {})
    figures = event_figures(judged_events, HealthSettings())
    assert (figures.events, figures.classes, figures.loudness) == (0, {}, None)
    assert figures.repeats["audio"].share is None


HIT = {
    "event_id": "e1",
    "component": 0,
    "dynamic_bucket": "ghost",
    "openness": None,
    "is_synthetic": False,
    "techniques": ["flam"],
    "sample_id": None,
    "bleed_level": "0.12",
    "mix_context": "solo",
    "lufs": -20.0,
    "peak_db": -1.0,
}


def test_what_a_manifest_says_of_each_annotation_is_counted() -> None:
    fields = ({"source": "groove", "session": "s1", "kit": "k1"}, {"source": "enst", "session": "s2"})
    recordings = recordings_frame(
        [replace(recording(name, ""), fields=of) for name, of in zip("ab", fields, strict=True)]
    )
    rows = [
        {**HIT, "recording_id": "a", "start_s": 1.0, "label": "kick"},
        # The first component of this event is not kept in the corpus.
        {**HIT, "recording_id": "a", "start_s": 2.0, "label": "kick", "event_id": "e2", "component": 1},
        {**HIT, "recording_id": "b", "start_s": 1.0, "label": "snare", "event_id": "e1", "is_synthetic": True},
        {**HIT, "recording_id": "b", "start_s": 1.0, "label": "kick", "event_id": "e1", "component": 1},
    ]
    annotations = annotations_frame([Annotation(str(row["recording_id"]), 1.0, 1.5, "kick") for row in rows])
    annotations = annotations.with_columns(
        *(pl.Series(name, [row[name] for row in rows]) for name in ("recording_id", "start_s", "label"))
    )
    tables = pl.concat([pl.LazyFrame(rows[:1]), pl.LazyFrame(rows[1:])])
    figures = event_figures(corpus_columns(annotations, recordings, {}, tables), HealthSettings())
    assert figures.repeats["events"].examples == ()
    assert (figures.events, figures.recordings, figures.sessions, figures.kits, figures.drummers) == (3, 2, 2, 1, None)
    assert figures.sources == {"enst": 1, "groove": 2}
    assert figures.techniques == {"flam": 3}
    assert figures.classes["kick"] == ClassCount(3, 3, 0)
    assert figures.classes["snare"] == ClassCount(1, 0, 1)
    assert (figures.repeats["event_id"].counted, figures.repeats["event_id"].repeats) == (3, 1)
    assert (figures.bleed, figures.mix, figures.dynamics) == ({"0.1 to 0.2": 3}, {"solo": 3}, {"ghost": 4})
    assert figures.loudness is not None
    assert (figures.loudness.n, figures.loudness_unit) == (3, "LUFS")
    levels = {"a": Levels(-30.0, -2.0, 0.0, 0.0)}
    measured = event_figures(corpus_columns(annotations, recordings, levels, pl.LazyFrame(rows)), HealthSettings())
    assert measured.loudness is not None
    assert (measured.loudness.n, measured.loudness_unit) == (1, "dBFS")
