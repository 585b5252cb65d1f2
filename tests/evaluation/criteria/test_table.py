"""Criteria as objects: one for each declared kind, and what each of them answers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ossicle.artefacts.array_files.blocks import write_track
from ossicle.artefacts.roots import Roots
from ossicle.artefacts.typed.scores import ScoresFolder
from ossicle.core.records import Annotation, Recording
from ossicle.core.scores.postprocess import Postprocess
from ossicle.core.tracks import Event, ScoreTrack
from ossicle.evaluation.criteria.criterion import ExampleRequest, JudgedRun
from ossicle.evaluation.criteria.kinds import CLIPS, CRITERION_KINDS, EVENTS, RECORDINGS, kind_in
from ossicle.evaluation.criteria.table import CRITERIA, criterion_of
from ossicle.evaluation.ground_truth import Truth
from ossicle.evaluation.settings import EvaluationSettings
from ossicle.metrics.matching.rules import CollarMatch, IouMatch, RecordingMatch

LABELS = ("call", "song")
NO_EXAMPLES = ExampleRequest(Roots(default=[Path("audio")]), 8000, 0, 0.5)


@pytest.fixture
def run(tmp_path: Path) -> JudgedRun:
    """Two recordings of 10 s in two folds, one label in each, found where it is."""
    recordings = {name: Recording(name, "root", f"{name}.wav", 8000, 1, 10 * 8000, name) for name in ("a", "b")}
    notes = (Annotation("a", 2.0, 4.0, "call"), Annotation("b", 5.0, 6.0, "song"))
    truth = Truth(("a", "b"), LABELS, recordings, notes, {"a": "A", "b": "B"}, {"a": 0, "b": 1})
    events: dict[str, list[Event]] = {}
    scored = ScoresFolder(tmp_path)
    for note in notes:
        scores = np.full((100, 2), 0.1, dtype=np.float32)
        scores[round(10 * note.start_s) : round(10 * note.end_s), LABELS.index(note.label)] = 0.9
        write_track(scored.track_path(note.recording_id), ScoreTrack(LABELS, scores, 0.1, 10.0))
        events[note.recording_id] = [Event(note.start_s, note.end_s, note.label, 0.9)]
    return JudgedRun(truth, events, scored, Postprocess(), 0.1, 0.0)


def test_every_declared_kind_has_a_criterion_and_a_name_in_the_settings() -> None:
    assert {name: of.kind for name, of in CRITERIA.items()} == dict(CRITERION_KINDS)
    for name in CRITERIA:
        assert criterion_of(EvaluationSettings(criterion=name)).kind is EvaluationSettings(criterion=name).kind


def test_the_kind_is_read_back_from_the_figures_it_gave() -> None:
    assert kind_in({"protocol": {"judged": "recording"}}) is RECORDINGS
    assert kind_in({"protocol": {"judged": "iou"}}) is EVENTS
    assert kind_in({"protocol": {"judged": "clips"}}) is CLIPS
    # Files from before the key judged events.
    assert kind_in({"protocol": {}}) is kind_in({}) is EVENTS


def test_events_are_judged_by_their_times(run: JudgedRun) -> None:
    criterion = criterion_of(EvaluationSettings(iou=0.3, pool="mean", bootstrap=100))
    assert criterion.rule == IouMatch(threshold=0.3)
    assert criterion.in_words == "optimal matching at IoU >= 0.3"
    # Whatever recordings are ranked by, decisions see frames.
    assert criterion.pool == "max"
    items = criterion.items(run.truth, run.scores, run.postprocess)
    assert (items.scores.shape, criterion.calibrated_on, criterion.weight) == ((200, 2), "frames", "seconds")
    assert criterion.answers(items, items.scores) is None
    figures = criterion.figures(run)
    assert set(figures) == {
        "at_collar",
        "iou_sweep",
        "average_precision",
        "segments",
        "recall_by_quality",
        "frame_grid",
    }
    assert figures["at_collar"]["events"]["f1"]["value"] == 1.0
    parts = criterion.page_parts(run, NO_EXAMPLES, frozenset())
    assert parts.recordings is None
    assert parts.collar is not None
    assert [label for label, _ in parts.curves] == list(LABELS)
    assert len(parts.iou_sweep) == 9


def test_recordings_are_judged_as_a_whole(run: JudgedRun) -> None:
    criterion = criterion_of(EvaluationSettings(criterion="recording", pool="mean", bootstrap=100))
    assert criterion.rule == RecordingMatch()
    assert criterion.in_words.endswith("is found by its mean score over the recording")
    assert criterion.pool == "mean"
    items = criterion.items(run.truth, run.scores, run.postprocess)
    assert items.scores.shape == (2, 2)
    assert (criterion.calibrated_on, criterion.weight) == ("recordings, mean of their frames", "items")
    answers = criterion.answers(items, items.scores)
    assert answers is not None
    assert answers[0].tolist() == answers[1].tolist() == [0, 1]
    assert criterion.figures(run) == {}
    parts = criterion.page_parts(run, NO_EXAMPLES, frozenset({"song"}))
    assert (parts.collar, parts.iou_sweep) == (None, ())
    assert parts.recordings is not None
    assert [label for label, _ in parts.curves] == ["song"]


def test_onsets_are_judged_by_their_starts_alone(run: JudgedRun) -> None:
    criterion = criterion_of(EvaluationSettings(criterion="onsets", bootstrap=100))
    assert criterion.rule == CollarMatch(collar_s=0.03, evaluate_offset=False)
    assert criterion.in_words == "optimal matching of onsets at most 30 ms apart"
    # Found 20 ms late and much too short; and once 40 ms early.
    events = {"a": [Event(2.02, 2.03, "call", 0.9)], "b": [Event(4.96, 6.0, "song", 0.8)]}
    result = criterion.figures(replace(run, events=events))["onsets"]
    assert result["f1"]["value"] == 0.5
    assert result["f1"]["call"]["value"] == 1.0
    assert result["f1"]["song"]["value"] == 0.0
    assert (result["recall"]["value"], result["precision"]["call"]["value"]) == (0.5, 1.0)
    # No onset has one of another label beside it.
    assert result["simultaneous"]["n_reference"] == 0
    assert result["simultaneous"]["f1"]["value"] is None
    parts = criterion.page_parts(run, NO_EXAMPLES, frozenset())
    assert (parts.collar, parts.iou_sweep) == (None, ())
    assert [label for label, _ in parts.curves] == list(LABELS)


def test_a_label_named_like_a_key_of_an_estimate_hides_nothing(run: JudgedRun) -> None:
    notes = [replace(note, label="low") if note.label == "call" else note for note in run.truth.annotations]
    truth = replace(run.truth, labels=("low", "song"), annotations=tuple(notes))
    criterion = criterion_of(EvaluationSettings(criterion="onsets", bootstrap=100))
    result = criterion.figures(replace(run, truth=truth, events={"a": [Event(2.0, 2.1, "low", 0.9)]}))["onsets"]
    assert isinstance(result["f1"]["low"], float | None)
    assert result["per_label"]["low"]["f1"]["value"] == 1.0


def test_clips_have_one_answer_each_and_the_events_of_recordings(run: JudgedRun) -> None:
    criterion = criterion_of(EvaluationSettings(criterion="clips", bootstrap=100))
    assert criterion.rule == RecordingMatch()
    assert criterion.in_words.startswith("one answer for each annotated hit")
    assert [name for name, kind in CRITERION_KINDS.items() if kind.clips_lead] == ["clips"]
