"""Clips of tapes in the old naming: where they lie, when they start, what is told about damaged and missing ones."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ossicle.core.errors import UsageError
from ossicle.corpus.health.findings import find_problems
from ossicle.corpus.review.rounds import ReviewedRecording, Round, with_reviews

from ...made_up.old_scheme import RATE, TAPE_S, TAPES, make_corpus
from .old_indexes import CLIPS_ONLY, SETTINGS, index, times, told


def test_tapes_know_which_stretches_somebody_looked_at_and_clips_are_whole(made):
    corpus_index = index(made)
    assert [recording.path for recording in corpus_index.recordings] == sorted(
        f"raw_recordings/{name}.wav" for name in TAPES
    )
    assert not any(recording.reviewed for recording in corpus_index.recordings)
    assert set(corpus_index.partly.values()) == {((0.0, 60.0), (120.0, 180.0))}
    assert told(corpus_index)["clips_in_tapes"] == [""]
    problems = find_problems(corpus_index, rate=RATE, group="tape", short_gap_shares={})
    assert {problem.code for problem in problems} == {"clips_in_tapes", "partly"}
    clips = index(made, CLIPS_ONLY)
    assert all(recording.reviewed for recording in clips.recordings)
    assert clips.examined == {}
    empty = [path for path, calls in times(clips).items() if not calls]
    assert empty == [f"labelled_recordings/{TAPES[-1]}.wav_2_3.wav"]


def test_clips_that_leave_nothing_of_a_tape_make_it_annotated_as_a_whole(one):
    samples, _ = soundfile.read(one.raw / f"{TAPES[1]}.wav")
    soundfile.write(one.clip(TAPES[1], (1, 2)), samples[60 * RATE : 120 * RATE], RATE)
    corpus_index = index(one)
    assert [recording.reviewed for recording in corpus_index.recordings] == [True]
    assert corpus_index.examined == {}


def test_a_review_adds_to_what_labelled_clips_say(one):
    corpus_index = index(one)
    tape = corpus_index.recordings[0]
    looked = ReviewedRecording(tape.id, tape.path, tape.digest, ((60.0, 100.0),), ())
    reviewed = with_reviews(corpus_index, [Round((looked,))])
    assert reviewed.partly == {tape.id: ((0.0, 100.0), (120.0, 180.0))}
    assert reviewed.annotations == corpus_index.annotations


def test_a_clip_named_by_date_and_time_is_a_recording_of_its_own(one):
    samples = np.zeros(10 * RATE)
    clip = one.clips / "20250614_053000.wav"
    soundfile.write(clip, samples + 0.01, RATE)
    one.segment(clip, 2.5, 3.5, "Q2")
    corpus_index = index(one)
    assert times(corpus_index)["labelled_recordings/20250614_053000.wav"] == [(2.5, 3.5)]
    own = next(recording for recording in corpus_index.recordings if recording.path.endswith("053000.wav"))
    assert (own.reviewed, own.fields["tape"], own.fields["start_time"]) == (
        True,
        "20250614_053000",
        "2025-06-14T05:30:00",
    )
    # Its animal is nowhere: a split by animal cannot use it, and says so.
    by_animal = index(one, group="animal")
    assert [(left_out.path, "animal is unknown" in left_out.reason) for left_out in by_animal.left_out] == [
        ("labelled_recordings/20250614_053000.wav", True)
    ]
    assert told(by_animal)["annotations_left_out"] == ["labelled_recordings/20250614_053000.wav"]


def test_a_clip_knows_when_it_starts_by_the_clock(tmp_path):
    made = make_corpus(tmp_path / "alpacas", ("Luna_20250610_235930_cut",))
    corpus_index = index(made, CLIPS_ONLY)
    assert [recording.fields["start_time"] for recording in corpus_index.recordings] == [
        "2025-06-10T23:59:30",
        "2025-06-11T00:01:30",
    ]


def test_a_clip_cut_short_at_the_end_of_its_tape_is_read_and_told_and_a_longer_one_refused(one):
    clip = one.clip(TAPES[1], (2, 3))
    samples, _ = soundfile.read(clip)
    soundfile.write(clip, samples[: 40 * RATE], RATE)
    corpus_index = index(one)
    assert told(corpus_index)["clip_shorter"] == [f"labelled_recordings/{clip.name}"]
    assert corpus_index.partly[corpus_index.recordings[0].id] == ((0.0, 60.0), (120.0, 160.0))
    soundfile.write(clip, np.concatenate([samples, samples]), RATE)
    with pytest.raises(UsageError, match="correct the name, or exclude the clip"):
        index(one)
    assert len(index(one, replace(SETTINGS, exclude=("**/*_2_3.wav",))).annotations) == 4


def test_a_clip_whose_tape_is_damaged_or_too_short_is_a_recording(one):
    tape = one.raw / f"{TAPES[1]}.wav"
    samples, _ = soundfile.read(tape)
    soundfile.write(tape, samples[: 130 * RATE], RATE)
    corpus_index = index(one)
    late = f"labelled_recordings/{one.clip(TAPES[1], (2, 3)).name}"
    assert told(corpus_index)["clip_beyond_tape"] == [late]
    assert {path: len(calls) for path, calls in times(corpus_index).items()} == {
        late: 4,
        f"raw_recordings/{tape.name}": 4,
    }
    tape.write_bytes(b"no sound")
    corpus_index = index(one)
    assert [path for path in times(corpus_index) if path.startswith("raw")] == []
    assert [left_out.path for left_out in corpus_index.left_out] == [f"raw_recordings/{tape.name}"]
    assert len(corpus_index.annotations) == 8


def test_a_clip_that_cannot_be_read_lies_in_its_tape_by_its_name(one):
    clip = one.clip(TAPES[1])
    clip.write_bytes(b"no sound")
    corpus_index = index(one)
    assert told(corpus_index)["clip_by_name"] == [f"labelled_recordings/{clip.name}"]
    assert len(corpus_index.annotations) == 8
    assert corpus_index.left_out == ()
    alone = index(one, CLIPS_ONLY)
    assert [Path(left_out.path).name for left_out in alone.left_out] == [clip.name]
    assert len(alone.annotations) == 4


def test_tapes_without_their_clips_among_the_recordings_still_know_what_was_looked_at(one):
    corpus_index = index(one, replace(SETTINGS, include=("raw_recordings/**",)))
    assert corpus_index.annotations == index(one).annotations
    assert corpus_index.partly == index(one).partly


def test_tables_of_clips_are_placed_in_their_tapes_too(one):
    shutil.rmtree(one.segments)
    one.segments.mkdir()
    clip = one.clip(TAPES[1], (2, 3))
    (one.segments / f"{clip.stem}.txt").write_text("1.5\t2.5\thum\n")
    corpus_index = index(one, replace(SETTINGS, segment_names=()))
    assert [(note.start_s, note.end_s) for note in corpus_index.annotations] == [(121.5, 122.5)]
    assert corpus_index.partly[corpus_index.recordings[0].id] == ((120.0, 180.0),)


def test_two_tapes_of_one_name_are_told_apart_by_folders_or_refused(one):
    for site in ("a", "b"):
        for kind in ("raw_recordings", "labelled_recordings"):
            shutil.copytree(one.folder / kind, one.folder / site / kind)
    shutil.rmtree(one.raw)
    shutil.rmtree(one.clips)
    shutil.rmtree(one.segments)
    one.segments.mkdir()
    segment = one.segment(one.clip(TAPES[1]), 1, 2)
    with pytest.raises(UsageError, match="exclude all but one"):
        index(one, group="recording")
    corpus_index = index(one, replace(SETTINGS, exclude=("b/labelled_recordings",)), group="recording")
    assert [path for path, calls in times(corpus_index).items() if calls] == [f"a/raw_recordings/{TAPES[1]}.wav"]
    segment.unlink()
    with pytest.raises(UsageError, match="contains no audio files"):
        index(one, group="recording")


def test_a_tape_as_long_as_its_clips_is_not_read_twice(made):
    hours = sum(recording.duration_s for recording in index(made).recordings) / 3600
    assert hours == pytest.approx(len(TAPES) * TAPE_S / 3600)
