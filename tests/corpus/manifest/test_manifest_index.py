"""A manifest becomes an index: recordings below their roots, annotations from components, hits in the same order."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ossicle.artefacts.files import tree_digest
from ossicle.artefacts.roots import Roots
from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.health.report import health
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.settings import CorpusSettings
from ossicle.corpus.manifest.hit_tables import HIT_COLUMNS, KEYS
from ossicle.corpus.manifest.manifest_index import index_manifest

from ...made_up.manifest_lines import line, write
from .indexed_manifests import folders, sound


def indexed(
    manifest: Path,
    *,
    workers: int = 1,
    block_bytes: int = 1 << 22,
    folder_name: str = "out",
    group: str = "",
    **changed: Any,
) -> CorpusIndex:
    """The index of a manifest next to the folder `audio`."""
    settings = CorpusSettings(audio="audio", manifest="events.jsonl", **changed)
    roots = Roots({}, [manifest.parent / "audio"])
    return index_manifest(
        manifest,
        roots,
        settings,
        folders(manifest.parent / folder_name),
        group=group,
        workers=workers,
        block_bytes=block_bytes,
    )


def hits(folder: Path) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(one) for one in sorted((folder / "out" / "hits").iterdir())])


def test_components_become_annotations_of_their_recordings(tmp_path: Path) -> None:
    sound(tmp_path / "audio" / "s1" / "mix.wav")
    sound(tmp_path / "audio" / "s2" / "mix.wav")
    path = write(
        tmp_path,
        line(components=[{"label": "kick"}, {"label": "crash", "velocity": 0.25}], kit_id="k1", drummer_id="d1"),
        line("snare", onset_time=0.5, offset_time=0.75),
        line("snare", onset_time=1, context_ms={"pre": 0, "post": 0}),
        line("ride", onset_time=1, context_ms={"pre": 0, "post": 0}, duration_seconds=0.5),
        line("kick", audio_path="s2/mix.wav", session_id="s2", onset_time=2.9),
    )
    index = indexed(path)
    first, second = index.recordings
    assert (first.root, first.path, first.reviewed) == ("groove", "s1/mix.wav", True)
    assert {key: first.fields.get(key) for key in ("session", "source", "kit", "drummer")} == {
        "session": "s1", "source": "groove", "kit": "k1", "drummer": "d1"
    }  # fmt: skip
    assert "kit" not in second.fields
    annotations_read = [
        (annotation.recording_id, annotation.start_s, annotation.end_s, annotation.label)
        for annotation in index.annotations
    ]
    assert annotations_read == [
        (first.id, 0.5, 0.75, "snare"),
        (first.id, 1.0, 1.0, "snare"),
        (first.id, 1.0, 1.5, "ride"),
        (first.id, 1.25, 1.45, "crash"),
        (first.id, 1.25, 1.45, "kick"),
        (second.id, 2.9, 3.0, "kick"),
    ]
    assert [(note.kind, note.message) for note in index.notes if note.kind == "clipped"] == [
        ("clipped", "1 hits were shortened to the end of their recording")
    ]


def test_hits_have_the_order_of_the_annotations(tmp_path: Path) -> None:
    for name in ("s1", "s2", "s3"):
        sound(tmp_path / "audio" / name / "mix.wav")
    lines = [
        line(("kick", "snare")[k % 2], audio_path=f"s{k % 3 + 1}/mix.wav", onset_time=k * 7 % 20 / 10, event_id=f"e{k}")
        for k in range(30)
    ]
    index = indexed(write(tmp_path, *lines))
    table = hits(tmp_path)
    assert table.columns == [*KEYS, *HIT_COLUMNS]
    annotations = sorted(
        index.annotations,
        key=lambda annotation: (annotation.recording_id, annotation.start_s, annotation.end_s, annotation.label),
    )
    assert table.select(KEYS).rows() == [
        (annotation.recording_id, annotation.start_s, annotation.end_s, annotation.label) for annotation in annotations
    ]
    assert table["event_id"].n_unique() == 30


def test_blocks_workers_and_runs_do_not_change_the_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("s1", "s2", "s3"):
        sound(tmp_path / "audio" / name / "mix.wav")
    path = write(tmp_path, *[line(audio_path=f"s{k % 3 + 1}/mix.wav", onset_time=k / 20) for k in range(50)])
    outcomes = []
    for workers, size in ((1, 1 << 22), (1, 700), (2, 2000), (4, 2000)):
        folder_name = f"out{workers}-{size}"
        index = indexed(path, workers=workers, block_bytes=size, folder_name=folder_name)
        outcomes.append((list(index.annotations), index.notes, tree_digest(tmp_path / folder_name / "hits")))
    assert outcomes.count(outcomes[0]) == 4
    monkeypatch.setattr("ossicle.corpus.manifest.hit_tables.RUN_ROWS", 20)
    assert list(indexed(path, folder_name="small").annotations) == outcomes[0][0]
    assert len(list((tmp_path / "small" / "hits").iterdir())) == 3


def test_what_is_no_annotation_is_counted(tmp_path: Path) -> None:
    sound(tmp_path / "audio" / "s1" / "mix.wav", 2.0)
    path = write(
        tmp_path,
        line("kick"),
        line("kick", negative_example=True),
        line(components=[]),
        line("kick", onset_time=5.0),
        line("Snare"),
        line("cowbell", event_id="e9"),
    )
    index = indexed(path, labels=("kick", "snare", "ride"), label_map=("Snare=snare",), manifest_total=7)
    assert [annotation.label for annotation in index.annotations] == ["kick", "snare"]
    assert {(note.kind, note.where, note.lost) for note in index.notes} == {
        ("negative_examples", "events.jsonl", 0),
        ("without_components", "events.jsonl", 0),
        ("beyond_end", "events.jsonl", 1),
        ("label_not_kept", "cowbell", 1),
        ("label_not_found", "ride", 0),
        ("manifest_total", "events.jsonl", 0),
        ("repeated_events", "events.jsonl", 0),
    }


def test_missing_recordings_stop_it_or_are_left_out(tmp_path: Path) -> None:
    sound(tmp_path / "audio" / "s1" / "mix.wav")
    path = write(tmp_path, *[line()] * 3, line(audio_path="lost.wav"), line("ride", source_set="slakh"))
    with pytest.raises(UsageError, match=r"groove: .* 1 of 4 events \(25 %\) are missing, such as 'lost.wav'") as error:
        indexed(path, max_missing=0.2)
    assert "slakh" not in str(error.value)
    index = indexed(path, max_missing=0.25, folder_name="other")
    assert [left_out.path for left_out in index.left_out] == ["lost.wav"]
    assert [(note.kind, note.lost) for note in index.notes if note.lost] == [("annotations_left_out", 1)]
    # Two sources may name the same path: they are two recordings.
    assert [(recording.root, recording.path) for recording in index.recordings] == [
        ("groove", "s1/mix.wav"),
        ("slakh", "s1/mix.wav"),
    ]


def test_bad_lines_stop_it_or_are_left_out_with_their_numbers(tmp_path: Path) -> None:
    sound(tmp_path / "audio" / "s1" / "mix.wav")
    path = write(tmp_path, line(), "{}", *["[]"] * 30, line())
    with pytest.raises(FormatError, match=r"line 2: lacks 'session_id'"):
        indexed(path, block_bytes=200)
    index = indexed(path, skip_bad=True, folder_name="other", block_bytes=200)
    assert len(index.annotations) == 2
    assert index.left_out[0].path == "events.jsonl, later lines"
    assert index.left_out[0].reason == "11 more lines are no events"
    assert len(index.left_out) == 21


def test_a_limit_reads_the_first_events(tmp_path: Path) -> None:
    sound(tmp_path / "audio" / "s1" / "mix.wav")
    path = write(tmp_path, line("a"), line("b"), line("c"), "{}")
    for limit, size in ((2, 1 << 22), (2, 250), (1, 250)):
        index = indexed(path, limit=limit, block_bytes=size, folder_name=f"out{limit}-{size}")
        assert [annotation.label for annotation in index.annotations] == ["a", "b"][:limit]


def test_a_manifest_without_events_or_recordings_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no events"):
        indexed(write(tmp_path, ""))
    with pytest.raises(UsageError, match="none of the 1 recordings"):
        indexed(write(tmp_path, line()), max_missing=1.0, folder_name="other")


def test_spellings_of_one_path_are_one_recording(tmp_path: Path) -> None:
    sound(tmp_path / "audio" / "s1" / "mix.wav")
    spelled = ("s1/mix.wav", "s1//mix.wav", "./s1/./mix.wav", "s1\\mix.wav")
    index = indexed(write(tmp_path, *[line(audio_path=path) for path in spelled]))
    assert [recording.path for recording in index.recordings] == ["s1/mix.wav"]
    assert len(index.annotations) == 4


def test_events_that_disagree_about_a_recording_are_noted(tmp_path: Path) -> None:
    sound(tmp_path / "audio" / "s1" / "mix.wav")
    index = indexed(write(tmp_path, line(session_id="b"), line(session_id="a")))
    assert index.recordings[0].fields["session"] == "a"
    assert [note.message for note in index.notes if note.kind == "several_values"] == [
        "1 recordings have events with different session_id; the first by name is used"
    ]


def test_recordings_without_the_group_are_left_out(tmp_path: Path) -> None:
    sound(tmp_path / "audio" / "s1" / "mix.wav")
    sound(tmp_path / "audio" / "s2" / "mix.wav")
    path = write(tmp_path, line(kit_id="k1"), line(audio_path="s2/mix.wav"))
    index = indexed(path, group="kit")
    assert [recording.path for recording in index.recordings] == ["s1/mix.wav"]
    assert [left_out.path for left_out in index.left_out] == ["s2/mix.wav"]


def test_a_killed_import_repeats_only_the_blocks_without_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ossicle.corpus.manifest import block_import

    sound(tmp_path / "audio" / "s1" / "mix.wav")
    path = write(tmp_path, *[line(onset_time=k / 50) for k in range(50)])
    whole = indexed(path, block_bytes=700, folder_name="whole")
    read, calls = block_import.read_block, list[int]()

    def dying(file: Path, block: int, block_bytes: int) -> Any:
        if block == 5:
            raise KeyboardInterrupt
        return read(file, block, block_bytes)

    monkeypatch.setattr(block_import, "read_block", dying)
    with pytest.raises(KeyboardInterrupt):
        indexed(path, block_bytes=700)
    # A table without its record is not done, and a damaged record costs its own block alone.
    (tmp_path / "out" / "blocks" / "000004.json").unlink()
    (tmp_path / "out" / "blocks" / "000002.json").write_text("{")

    def counting(file: Path, block: int, block_bytes: int) -> Any:
        calls.append(block)
        return read(file, block, block_bytes)

    monkeypatch.setattr(block_import, "read_block", counting)
    again = indexed(path, block_bytes=700)
    assert again == whole
    assert [block for block in calls if block < 5] == [2, 4]
    assert tree_digest(tmp_path / "out" / "hits") == tree_digest(tmp_path / "whole" / "hits")


def test_files_that_enter_as_one_hit_are_named_by_source(tmp_path: Path) -> None:
    """Whole stems that were labelled by their names: onset 0, no context."""
    sound(tmp_path / "audio" / "s1" / "mix.wav")
    none = {"pre": 0, "post": 0}
    stems = [
        line(source_set="cambridge", event_id=f"e{k}", onset_time=0, context_ms=none, duration_seconds=3)
        for k in range(3)
    ]
    index = indexed(write(tmp_path, line(), *stems))
    (note,) = [note for note in index.notes if note.kind == "without_context"]
    assert (note.where, note.message.startswith("3 events of the source have no context")) == ("cambridge", True)
    problems = health(index, rate=1000, group="session").to_json()["problems"]
    assert any(problem["code"] == "without_context" and "corpus.exclude" in problem["remedy"] for problem in problems)


def test_times_in_milliseconds_are_refused_and_some_hits_beyond_the_end_are_not(tmp_path: Path) -> None:
    sound(tmp_path / "audio" / "s1" / "mix.wav")
    path = write(tmp_path, line(onset_time=0.002), *(line(onset_time=n * 250.0) for n in range(1, 4)))
    message = r"3 of 4 hits of .*begin after .*\(first: line 2, onset_time 250, in 's1/mix.wav', which lasts 3 s\)"
    with pytest.raises(UsageError, match=message):
        indexed(path)
    path = write(tmp_path, *(line(event_id=f"e{n}", onset_time=n) for n in (0.5, 1, 2, 7)))
    index = indexed(path, folder_name="again")
    assert len(index.annotations) == 3
    assert [note.lost for note in index.notes if note.kind == "beyond_end"] == [1]
