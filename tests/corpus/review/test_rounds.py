import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.core.errors import FormatError
from ossicle.core.intervals import Intervals, as_intervals, both, union
from ossicle.core.records import Annotation, Recording
from ossicle.corpus.clips.clip_table import build_dataset
from ossicle.corpus.clips.settings import DatasetSettings
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.index_storage import read_index, write_index
from ossicle.corpus.review.rounds import (
    ReviewedRecording,
    Round,
    read_round,
    round_files,
    with_reviews,
    without,
    write_round,
)
from ossicle.corpus.splits.folds import SplitSettings, make_folds, with_partly
from ossicle.corpus.splits.split_kinds import NEVER_HELD_OUT


def recording(name: str, reviewed: bool) -> Recording:
    return Recording(name, "tapes", f"{name[0]}/{name}.wav", 100, 1, 6000, f"digest {name}", reviewed)


INDEX = CorpusIndex(
    recordings=(recording("a1", True), recording("a2", False), recording("b1", True), recording("c1", False)),
    annotations=(
        Annotation("a1", 5.0, 5.5, "hum"),
        Annotation("a1", 20.0, 20.5, "hum"),
        Annotation("b1", 7.0, 7.5, "hum"),
    ),
)


def reviewed(
    key: str, examined: tuple[tuple[float, float], ...], *events: tuple[float, float, str]
) -> ReviewedRecording:
    notes = tuple(Annotation(key, start, end, label, provenance="reviewed") for start, end, label in events)
    return ReviewedRecording(key, f"{key[0]}/{key}.wav", f"digest {key}", examined, notes)


FIRST = Round(
    (reviewed("a1", ((4.0, 7.0),)), reviewed("a2", ((10.0, 14.0),), (12.0, 12.5, "hum"))), {"export": "e1", "by": "me"}
)
SECOND = Round(
    (reviewed("a2", ((13.0, 20.0),), (18.0, 18.5, "trill")), reviewed("c1", ((0.0, 9.0),), (3.0, 3.5, "hum")))
)


def times(index: CorpusIndex) -> list[tuple[str, float, str]]:
    return [(annotation.recording_id, annotation.start_s, annotation.provenance) for annotation in index.annotations]


def test_a_review_is_the_truth_where_somebody_looked_and_nothing_elsewhere() -> None:
    corpus_index = with_reviews(INDEX, [FIRST, SECOND])
    assert times(corpus_index) == [
        ("a1", 20.0, "annotated"),
        ("a2", 12.0, "reviewed"),
        ("a2", 18.0, "reviewed"),
        ("b1", 7.0, "annotated"),
        ("c1", 3.0, "reviewed"),
    ]
    assert corpus_index.examined == {"a1": ((4.0, 7.0),), "a2": ((10.0, 20.0),), "c1": ((0.0, 9.0),)}
    assert corpus_index.partly == {"a2": ((10.0, 20.0),), "c1": ((0.0, 9.0),)}
    assert corpus_index.stated == INDEX.annotations


def test_the_last_word_counts() -> None:
    last = Round((reviewed("a2", ((11.0, 13.0),)),))
    assert [time for time in times(with_reviews(INDEX, [FIRST, last])) if time[0] == "a2"] == []


def test_labels_that_are_not_kept_and_recordings_that_changed_are_left_out() -> None:
    assert "c1" not in {annotation.recording_id for annotation in with_reviews(INDEX, [SECOND], ["trill"]).annotations}
    other = replace(FIRST, recordings=(replace(FIRST.recordings[1], digest="other"), reviewed("z9", ((0.0, 1.0),))))
    corpus_index = with_reviews(INDEX, [other])
    assert (corpus_index.annotations, corpus_index.examined) == (INDEX.annotations, {})
    assert [(note.kind, note.where) for note in corpus_index.notes] == [
        ("review_unused", "a/a2.wav"),
        ("review_unused", "z/z9.wav"),
    ]


def test_an_index_with_reviews_survives_the_disk(tmp_path: Path) -> None:
    for name, index in (("plain", INDEX), ("reviewed", with_reviews(INDEX, [FIRST, SECOND]))):
        write_index(index, CorpusFolder(tmp_path / name))
        assert read_index(CorpusFolder(tmp_path / name)) == index
    assert {path.name for path in (tmp_path / "plain").iterdir()} == {
        "recordings.parquet",
        "annotations.parquet",
        "index.json",
    }


def test_rounds_are_numbered_and_the_same_is_not_kept_twice(tmp_path: Path) -> None:
    folder = tmp_path / "reviews"
    assert round_files(folder) == []
    first, second = write_round(folder, FIRST), write_round(folder, SECOND)
    assert [file and file.name for file in (first, second)] == ["round-001.json", "round-002.json"]
    assert write_round(folder, replace(FIRST, provenance={"export": "e1", "by": "somebody else"})) is None
    (folder / "round-10.txt").write_text("")
    assert [read_round(file) for file in round_files(folder)] == [FIRST, SECOND]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", 2, "its format is 2"),
        ("recordings", [{"recording_id": "a"}], "is not a review round"),
        ("recordings", 3, "is not a review round"),
        ("provenance", [], "is not a review round"),
    ],
)
def test_damaged_rounds_are_named(tmp_path: Path, key: str, value: object, message: str) -> None:
    file = write_round(tmp_path, FIRST)
    assert file is not None
    file.write_text(json.dumps({**json.loads(file.read_text()), key: value}))
    with pytest.raises(FormatError, match=message) as caught:
        read_round(file)
    assert str(file) in str(caught.value)
    file.write_text("{")
    with pytest.raises(FormatError, match="line 1"):
        read_round(file)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start_s": 30.0, "end_s": 30.5}, "is not in an examined stretch"),
        ({"label": ""}, "label is empty"),
        ({"recording_id": "b1"}, "another recording's id"),
        ({"start_s": float(13), "end_s": float(12)}, "start_s = 13.0 is after end_s = 12.0"),
    ],
)
def test_impossible_events_are_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    file = write_round(tmp_path, FIRST)
    assert file is not None
    content = json.loads(file.read_text())
    content["recordings"][1]["events"][0].update(change)
    file.write_text(json.dumps(content))
    with pytest.raises(FormatError, match=message):
        read_round(file)


def test_folds_stay_and_partly_reviewed_recordings_only_teach() -> None:
    corpus_index = with_reviews(INDEX, [FIRST, SECOND])
    chosen = SplitSettings(group="folder")
    judged = make_folds(INDEX.recordings, INDEX.annotations, chosen)
    folds = with_partly(judged, INDEX.recordings, corpus_index.partly, "folder")
    assert {key: entry.fold for key, entry in folds.items()} == {"a1": 0, "a2": 0, "b1": 1, "c1": NEVER_HELD_OUT}
    dataset = build_dataset(
        INDEX.recordings,
        corpus_index.annotations,
        folds,
        DatasetSettings(noise_per_target=6),
        3,
        1.0,
        corpus_index.partly,
    )
    assert dataset.unused == ()
    fold_of = {(clip.recording_id, clip.fold) for clip in dataset.clips}
    assert fold_of == {("a1", 0), ("a2", 0), ("b1", 1), ("c1", NEVER_HELD_OUT)}
    for clip in dataset.clips:
        for start, end in corpus_index.partly.get(clip.recording_id, ()):
            assert start <= clip.start_s
            assert clip.end_s <= end
    noise = [clip for clip in dataset.clips if clip.role == "noise" and clip.recording_id in ("a2", "c1")]
    assert noise


intervals = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 9)).map(lambda pair: (pair[0] / 4, (pair[0] + pair[1]) / 4)),
    max_size=6,
).map(lambda pairs: union(as_intervals(pairs)))


@given(intervals, intervals)
def test_what_two_sets_share_and_what_one_leaves_of_the_other(a: Intervals, b: Intervals) -> None:
    middles = np.arange(0.125, 13, 0.25)

    def covers(intervals: Intervals) -> list[bool]:
        return [bool(((intervals[:, 0] < t) & (intervals[:, 1] > t)).any()) for t in middles]

    assert covers(both(a, b)) == [cover and y for cover, y in zip(covers(a), covers(b), strict=True)]
    assert covers(without(a, b)) == [cover and not y for cover, y in zip(covers(a), covers(b), strict=True)]
