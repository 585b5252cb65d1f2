"""Corpora whose file names are their annotations; the defects are those that users of the old scripts suffered."""

import json
import shutil
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ossicle.artefacts.files import read_json
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.core.errors import UsageError
from ossicle.corpus.health.corpus_overlap import corpus_overlap
from ossicle.corpus.health.findings import find_problems
from ossicle.corpus.indexing.corpus_index import index_corpus
from ossicle.corpus.indexing.index_storage import read_index, write_index

from ...made_up.old_scheme import CALLS, RATE, TAPES, OldCorpus, loud
from .old_indexes import CLIPS_ONLY, SETTINGS, index, times, told

MALFORMED = (
    *SETTINGS.segment_names,
    "{clip:*}_{start:#}_{end:#}_h_q{quality:1|2|3|4}",
    "{clip:*}_{start:#}_{end:#}_hw_q{quality:1|2|3|4}",
)


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def test_defect_1_every_segment_of_a_dotted_name_is_on_its_own_recording(made):
    """A name cut at its first dot lost 52 of 181 calls, and its events were all false alarms."""
    before = sorted(str(path) for path in made.folder.rglob("*"))
    corpus_index = index(made, CLIPS_ONLY)
    dotted = [path for path in times(corpus_index) if "05.23" in path]
    assert sorted(Path(path).name for path in dotted) == [f"{TAPES[1]}.wav_{a}_{b}.wav" for a, b in ((0, 1), (2, 3))]
    assert [times(corpus_index)[path] for path in dotted] == [[(a, b) for a, b, _ in CALLS]] * 2
    assert len(corpus_index.annotations) == len(made.calls)
    assert {recording.fields["tape"] for recording in corpus_index.recordings} == set(map(nfc, TAPES))
    assert sorted(str(path) for path in made.folder.rglob("*")) == before


@pytest.mark.parametrize("settings", [SETTINGS, CLIPS_ONLY], ids=["tapes", "clips"])
def test_defect_2_annotations_lie_where_the_bursts_are_in_the_samples(made, settings):
    """Offsets in minutes were added as seconds: the training corpus scored an F1 of 0.003."""
    corpus_index = index(made, settings)
    for path, annotated in times(corpus_index).items():
        bursts = loud(made.folder / path)
        if settings is SETTINGS:
            bursts = bursts[(bursts[:, 0] < 60) | (bursts[:, 0] >= 120)]
        np.testing.assert_allclose(np.array(annotated).reshape(-1, 2), bursts, atol=0.011)
    assert sum(map(len, times(corpus_index).values())) == len(made.calls) == 36
    assert sorted(note.quality for note in corpus_index.annotations) == sorted(quality for *_, quality in made.calls)
    assert {note.label for note in corpus_index.annotations} == {"hum"}


@pytest.mark.parametrize("decode", [True, False])
def test_defect_2_a_unit_that_the_lengths_of_clips_contradict_is_refused(made, decode):
    with pytest.raises(UsageError) as refused:
        index(made, replace(SETTINGS, offset_unit="s", decode=decode))
    assert 'offset_unit = "s" contradicts 10 of 10 clips' in str(refused.value)
    assert 'lasts 60 s, but in "s" its name says 1 s; set offset_unit = "min"' in str(refused.value)
    with pytest.raises(ValueError, match="offset_unit is missing"):
        replace(SETTINGS, offset_unit="")


def test_seconds_are_another_unit_and_minutes_are_refused_there(one):
    for (first, last), name in (((0, 1), "0_60"), ((2, 3), "120_180.0")):
        clip = one.clip(TAPES[1], (first, last))
        clip.rename(clip.with_name(f"{TAPES[1]}.wav_{name}.wav"))
        for segment in one.segments.iterdir():
            if segment.name.startswith(f"{clip.stem}_"):
                segment.rename(segment.with_name(segment.name.replace(f"_{first}_{last}_", f"_{name}_", 1)))
    corpus_index = index(one, replace(SETTINGS, offset_unit="s"))
    assert [(note.start_s, note.end_s) for note in corpus_index.annotations] == [(a, b) for _, a, b, _ in one.calls]
    with pytest.raises(UsageError, match='set offset_unit = "s"'):
        index(one)


def test_defect_5_animal_and_date_are_read_from_every_name_and_of_clips_too(made):
    """A pattern that never matched gave every file the year 0000."""
    for settings in (SETTINGS, CLIPS_ONLY):
        corpus_index = index(made, settings, group="animal")
        fields = {
            (recording.fields["tape"], recording.fields["animal"], recording.fields["date"])
            for recording in corpus_index.recordings
        }
        assert fields == {(nfc(name), nfc(name.split("_")[0]), name.split("_")[1]) for name in TAPES}
        assert "name_template" not in told(corpus_index)


def test_defect_9_the_index_holds_no_path_of_this_machine_and_moves(made, tmp_path):
    write_index(index(made), CorpusFolder(tmp_path / "here"))
    shutil.copytree(made.folder, tmp_path / "elsewhere" / "corpus")
    moved = OldCorpus(tmp_path / "elsewhere" / "corpus", made.calls)
    write_index(index(moved), CorpusFolder(tmp_path / "there"))
    for file in (tmp_path / "here").iterdir():
        assert file.read_bytes() == (tmp_path / "there" / file.name).read_bytes(), file.name
    text = json.dumps(read_json(tmp_path / "here" / "index.json"))
    assert str(made.folder) not in text
    assert not any(recording.path.startswith("/") for recording in index(made).recordings)
    assert read_index(CorpusFolder(tmp_path / "here")) == index(made)


def test_what_names_say_of_clips_that_are_not_there_is_read_from_the_tape_or_told(one):
    kept, gone = one.clip(TAPES[1]), one.clip(TAPES[1], (2, 3))
    gone.unlink()
    one.segment(one.clips / "Nobody_20250101_cut.wav_0_1.wav", 1, 2)
    one.segment(one.clips / f"{TAPES[1]}.wav_7_8.wav", 1, 2)
    one.segment(gone, 58.5, 60.5)
    corpus_index = index(one)
    assert told(corpus_index)["clip_by_name"] == [gone.stem]
    assert told(corpus_index)["segments_without_clip"] == [
        "Luna_20250612_05.23_cut.wav_7_8",
        "Nobody_20250101_cut.wav_0_1",
    ]
    assert told(corpus_index)["clipped"] == [gone.stem]
    assert [(note.start_s, note.end_s) for note in corpus_index.annotations] == sorted(
        [(a, b) for _, a, b, _ in one.calls] + [(178.5, 180.0)]
    )
    assert corpus_index.partly[corpus_index.recordings[0].id] == ((0.0, 60.0), (120.0, 180.0))
    (one.raw / f"{TAPES[1]}.wav").unlink()
    alone = index(one, CLIPS_ONLY)
    assert [Path(path).name for path in times(alone)] == [kept.name]
    assert len(alone.annotations) == 4
    why = {note.where: note.message for note in alone.notes if note.kind == "segments_without_clip"}
    assert "its 5 segments were skipped" in why[gone.stem]


def test_segments_beyond_their_clips_and_with_times_that_are_none_are_told(one):
    clip = one.clip(TAPES[1])
    one.segment(clip, 58, 61.5)
    one.segment(clip, 60.5, 61)
    one.segment(clip, 9, 8)
    one.segment(clip, 9, 9)
    one.segment(clip, 9, 9.5, "Q7")
    one.segment(clip, 9, 9.5, "")
    for settings, where in ((SETTINGS, 0.0), (CLIPS_ONLY, 0.0)):
        corpus_index = index(one, settings)
        notes = told(corpus_index)
        assert notes["clipped"] == notes["beyond_end"] == [f"labelled_recordings/{clip.name}"]
        assert sorted(notes["segment_values"]) == [f"{clip.stem}_9_8Q1.wav", f"{clip.stem}_9_9Q1.wav"]
        assert sorted(notes["segment_name"]) == [f"{clip.stem}_9_9.5.wav", f"{clip.stem}_9_9.5Q7.wav"]
        assert (where + 58, where + 60) in [span for spans in times(corpus_index).values() for span in spans]
        assert len(corpus_index.annotations) == len(one.calls) + 1
        problems = find_problems(corpus_index, rate=RATE, group="tape", short_gap_shares={})
        assert {"segment_values", "segment_name", "beyond_end", "clipped"} <= {problem.code for problem in problems}
        assert all(problem.remedy for problem in problems)


def test_malformed_names_are_read_by_templates_of_their_own_and_told(one):
    clip = one.clip(TAPES[1])
    one.segment(clip, 20, 20.5, "_h_q2")
    one.segment(clip, 21, 21.5, "_hw_q3")
    plain = index(one)
    assert len(told(plain)["segment_name"]) == 2
    corpus_index = index(one, replace(SETTINGS, segment_names=MALFORMED))
    assert "segment_name" not in told(corpus_index)
    assert told(corpus_index)["segment_variant"] == list(MALFORMED[1:])
    read = [(note.start_s, note.end_s, note.quality) for note in corpus_index.annotations if 20 <= note.start_s < 22]
    assert read == [(20.0, 20.5, 2), (21.0, 21.5, 3)]


def test_what_is_excluded_is_not_used_and_its_segments_are_counted(one):
    settings = replace(SETTINGS, exclude=("labelled_recordings/*_2_3.wav",))
    corpus_index = index(one, settings)
    assert len(corpus_index.annotations) == 4
    assert corpus_index.partly[corpus_index.recordings[0].id] == ((0.0, 60.0),)
    message = next(note.message for note in corpus_index.notes if note.kind == "not_chosen")
    assert message.startswith("4 annotations belong to 1 files")
    shutil.copytree(one.clips, one.folder / "copy of labelled_recordings")
    shutil.copytree(one.clips, one.folder / "another copy")
    copies = replace(SETTINGS, exclude=(*settings.exclude, "*copy*"))
    assert index(one, copies).annotations == corpus_index.annotations


def test_clips_of_one_tape_in_several_groups_are_an_error_in_the_health(made):
    corpus_index = index(made, CLIPS_ONLY, group="recording")
    assert told(corpus_index)["tape_divided"] == [min(nfc(name) for name in TAPES)]
    problems = find_problems(corpus_index, rate=RATE, group="recording", short_gap_shares={})
    assert [problem.severity for problem in problems if problem.code == "tape_divided"] == ["error"]
    assert "tape_divided" not in told(index(made, CLIPS_ONLY, group="animal"))


def test_defect_3_a_tape_of_the_benchmark_whose_clips_were_trained_on_is_found(made):
    """Clips and their tape have other bytes and other paths: the tape's name, in the clips' names, tells."""
    train = index(made, replace(CLIPS_ONLY, exclude=("*/Luna*", "*/387*")))
    bench = index(made, replace(SETTINGS, include=("raw_recordings",), exclude=("*/Zo*", "*/387*", "*/*neas*")))
    assert not corpus_overlap(train, bench)
    both = index(made, replace(SETTINGS, include=("raw_recordings/Zo*",)))
    overlap = corpus_overlap(train, both)
    assert [(shared.kind, shared.value) for shared in overlap.shared] == [
        ("animal", "zoë b"),
        ("tape", nfc(TAPES[2]).casefold()),
    ]
    assert len(overlap.shared[1].first) == 2


def test_settings_that_make_no_sense_say_what_to_write(one):
    for names, said in (
        ({"clip_names": ("{tape:*}_{start:#}",)}, r"clip_names .*\{end:#\}"),
        ({"segment_names": ("{clip:*}_{start:#}",)}, r"segment_names .*\{end:#\}"),
        ({"segment_names": ("{clip:*}_{start:#}_{end:#}_{who}",)}, "other fields and folders are not allowed"),
        ({"default_label": ""}, "default_label"),
    ):
        with pytest.raises(UsageError, match=said):
            index(one, replace(SETTINGS, **names))
    with pytest.raises(UsageError, match="a folder of their own"):
        index_corpus(one.folder, one.folder, SETTINGS, group="tape")
    with pytest.raises(UsageError, match="annotations is empty"):
        index_corpus(one.folder, None, SETTINGS, group="tape")
    with pytest.raises(UsageError, match="is not a folder"):
        index_corpus(one.folder, next(one.segments.iterdir()), SETTINGS, group="tape")
