"""Figures of held-out hits: one answer each, and simultaneous hits as clips with several labels."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ossicle.core.records import Annotation, Recording
from ossicle.corpus.clips.settings import DatasetSettings
from ossicle.evaluation.clips.answer_table import answer_table, misclassified, misclassified_pairs
from ossicle.evaluation.clips.figures import clip_figures
from ossicle.evaluation.clips.held_out import HeldOutClips, held_out_clips, sliced
from ossicle.evaluation.clips.judged_clips import JudgedClips
from ossicle.evaluation.clips.simultaneous import merged_clips
from ossicle.evaluation.ground_truth import Truth
from ossicle.evaluation.settings import EvaluationSettings

LABELS = ("kick", "snare", "tom")
HITS = {
    "a": [(0.5, "kick"), (0.52, "snare"), (1.0, "tom"), (1.05, "kick")],
    "b": [(0.1, "kick"), (0.1, "snare"), (0.13, "tom"), (0.14, "kick")],
    "c": [(0.01, "snare"), (2.0, "tom")],
}
SETTINGS = EvaluationSettings(criterion="clips", bootstrap=100)


def truth(**more: Any) -> Truth:
    recordings = {
        key: Recording(key, "drums", f"{key}.wav", 8000, 1, 20000, key, fields={"source": key.upper()}) for key in HITS
    }
    notes = tuple(Annotation(key, onset, onset + 0.05, label) for key, of in HITS.items() for onset, label in of)
    groups, folds = {key: key for key in HITS}, {key: place % 2 for place, key in enumerate(HITS)}
    return replace(Truth(tuple(HITS), LABELS, recordings, notes, groups, folds), **more)


def judged(clips: HeldOutClips, answer: np.ndarray | None = None) -> JudgedClips:
    """Clips with the right answer each, or with ``answer``."""
    columns = clips.label if answer is None else answer
    scores = (0.1 + 0.7 * np.eye(3)[columns] + 0.01 * np.arange(len(clips))[:, None] / len(clips)).astype(np.float32)
    folds = np.array([truth().folds[key] for key in clips.recording_ids])[clips.recording]
    return JudgedClips(clips, scores, np.ones(scores.shape, bool), folds, ("a", "b", "c"), ("A", "B", ""))


def test_each_annotation_is_a_clip_with_its_window_whatever_is_merged() -> None:
    plain, windowed = (
        held_out_clips(truth(), DatasetSettings(before_s=b, after_s=a)) for b, a in ((0, 0), (0.08, 0.2))
    )
    assert len(plain) == len(windowed) == 10
    assert plain.table()["label"].to_list()[:4] == ["kick", "snare", "tom", "kick"]
    assert plain.end_s.tolist()[:2] == pytest.approx([0.55, 0.57])
    assert windowed.start_s[8] == 0.0
    assert windowed.end_s[8] - windowed.onset_s[8] == pytest.approx(0.2)


def test_an_annotation_that_is_there_twice_is_one_clip() -> None:
    notes = truth().annotations
    assert len(held_out_clips(truth(annotations=(*notes, notes[0])), DatasetSettings())) == 10


def test_a_fraction_of_clips_survives_a_round_trip_through_its_table() -> None:
    clips = held_out_clips(truth(), DatasetSettings())
    half = sliced(clips, 0.5, 1, seed=3)
    assert len(half) == 2 + 2 + 2
    again = HeldOutClips.from_table(half.table(), clips.recording_ids, LABELS)
    assert again.table().equals(half.table())
    assert sliced(clips, 1.0, 1, seed=3) is clips


def test_hits_within_30_ms_of_the_first_are_one_clip_and_no_chain_forms() -> None:
    items = merged_clips(judged(held_out_clips(truth(), DatasetSettings())))
    named = [{LABELS[c] for c in np.flatnonzero(row)} for row in items.targets]
    # In b the hit at 0.14 is 40 ms after the first one.
    assert named == [{"kick", "snare"}, {"tom"}, {"kick"}, {"kick", "snare", "tom"}, {"kick"}, {"snare"}, {"tom"}]
    assert items.recording.tolist() == [0, 0, 0, 1, 1, 2, 2]


def test_the_single_label_figures_stay_beside_those_of_simultaneous_hits() -> None:
    clips = judged(held_out_clips(truth(), DatasetSettings()))
    result = clip_figures(clips, clips, SETTINGS)
    assert result["accuracy"]["value"] == 1.0
    assert result["multi_label"]["n"] == 7
    assert result["multi_label"]["n_simultaneous"] == 2
    # The scores of a clip name one of its labels, so clips with several are never exactly right.
    assert result["multi_label"]["exact_match"]["value"] < 1.0
    assert {name: of["n"] for name, of in result["per_source"].items()} == {"A": 4, "B": 4, "unknown": 2}
    alone = {key: value for key, value in result.items() if key != "multi_label"}
    part = clip_figures(clips, clips, replace(SETTINGS, fraction=0.999999))
    # A fraction says nothing about hits that sound at the same time.
    assert {key: value for key, value in part.items() if key not in ("fraction", "floor")} == alone


def test_wrong_answers_come_with_their_confidence_pairs_and_buckets() -> None:
    clips = held_out_clips(truth(), DatasetSettings())
    answer = clips.label.copy()
    answer[[0, 4]] = 2
    answer[9] = 1
    of = replace(judged(clips, answer), buckets=np.array(["ghost"] * 4 + ["accent"] * 6, dtype=object))
    table = answer_table(of, truth().recordings)
    wrong = misclassified(table)
    assert wrong["confidence"].is_sorted(descending=True)
    assert sorted(wrong["recording"].to_list()) == ["a.wav", "b.wav", "c.wav"]
    first = wrong.row(0, named=True)
    assert (first["top1"], first["p1"]) == (first["answer"], pytest.approx(first["confidence"]))
    assert first["p1"] > first["p2"] >= first["p3"]
    pairs = misclassified_pairs(table)
    assert pairs["clips"].to_list() == [1, 1, 1]
    ghost = pairs.filter(bucket="ghost").row(0, named=True)
    # Of two kicks in this source and bucket.
    assert (ghost["label"], ghost["answer"], ghost["source"], ghost["share"]) == ("kick", "tom", "A", 0.5)
    assert clip_figures(of, of, SETTINGS)["per_bucket"]["ghost"]["accuracy"]["value"] == 0.75
