"""The annotations of a project as columns."""

import polars as pl

from ossicle.artefacts.records.column_tables import annotations_frame
from ossicle.artefacts.records.record_tables import recordings_frame
from ossicle.audio.decoding.levels import Levels
from ossicle.core.records import Annotation, Recording
from ossicle.corpus.health.gates.corpus_columns import corpus_columns
from ossicle.corpus.health.gates.figures import Share, event_figures
from ossicle.corpus.health.gates.settings import HealthSettings


def recording(name: str, digest: str) -> Recording:
    return Recording(id=name, root="r", path=f"{name}.wav", rate=8000, channels=1, n_samples=8000, digest=digest)


def test_the_figures_are_those_of_the_index() -> None:
    recordings = recordings_frame([recording("a", "x"), recording("b", "x"), recording("c", "y")])
    annotations = annotations_frame([Annotation("b", 1.0, 1.5, "call"), Annotation("a", 0.0, 0.25, "song")])
    found = corpus_columns(annotations, recordings, {"a": Levels(-20.0, 0.0, 0.0, 0.0), "c": Levels(-80, -70, 0, 0)})
    assert found.events["recording"].cast(pl.String).to_list() == ["a.wav", "b.wav"]
    figures = event_figures(found, HealthSettings())
    assert {label: of.total for label, of in figures.classes.items()} == {"call": 1, "song": 1}
    assert (figures.events, figures.recordings, figures.loudness_unit) == (2, 2, "dBFS")
    assert (figures.quiet, figures.overdriven) == (Share(1, 2), Share(1, 2))
    assert (figures.repeats["audio"].repeats, figures.repeats["audio"].counted) == (1, 3)
    assert figures.durations is not None
    assert (figures.durations.lowest, figures.durations.highest) == (0.25, 0.5)


def test_a_corpus_without_annotations_has_figures() -> None:
    found = corpus_columns(annotations_frame([]), recordings_frame([recording("a", "")]), {})
    figures = event_figures(found, HealthSettings())
    assert (figures.events, figures.classes, figures.loudness) == (0, {}, None)
    assert figures.repeats["audio"].share is None
