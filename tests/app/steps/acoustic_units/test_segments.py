"""Step ``segments``: sources and times are kept, bad files cost only themselves, nothing is done twice."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.acoustic_units import segments
from ossicle.app.steps.data import corpus
from ossicle.app.steps.engine.step import Silent, run_steps
from ossicle.app.steps.pipeline.work_units import run_work_unit
from ossicle.artefacts.shelf import Shelf
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.indexing.index_storage import read_index

from ....made_up.speech_like import UNITS_PROJECT, write_speech

STEPS = (corpus.STEP, segments.STEP)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_speech(tmp_path, words=8)
    (tmp_path / "ossicle.toml").write_text(UNITS_PROJECT)
    return load_project(tmp_path)


def folder_of(project: Project) -> SegmentsFolder:
    return SegmentsFolder.among(run_steps(STEPS, project, Silent()).artefacts)


def test_every_segment_keeps_its_source_times_and_group(project: Project) -> None:
    done = run_steps(STEPS, project, Silent())
    own = SegmentsFolder.among(done.artefacts)
    by_id = {one.id: one for one in read_index(CorpusFolder.among(done.artefacts)).recordings}
    rows = own.table().to_dicts()
    assert {by_id[row["recording_id"]].path for row in rows} == {f"speaker{s}_{f}.wav" for s in (0, 1) for f in (0, 1)}
    for row in rows:
        recording = by_id[row["recording_id"]]
        assert row["segment_id"] == f"{recording.id}#{row['number']:04d}"
        assert row["group"] == recording.path[:8]
        assert 0 <= row["start_s"] < row["end_s"] <= recording.duration_s
    assert own.summary["sound_s"] + own.summary["silence_s"] == pytest.approx(
        sum(one.duration_s for one in by_id.values())
    )
    assert not own.parts_folder.exists()


def test_files_of_one_name_in_two_folders_do_not_collide(project: Project) -> None:
    audio = project.audio_folder
    for place in ("day1", "day2"):
        (audio / place).mkdir()
        shutil.copy(audio / "speaker0_0.wav", audio / place / "speaker0_7.wav")
    table = folder_of(project).table()
    assert table["segment_id"].is_unique().all()
    assert table["recording_id"].n_unique() == 6


def test_a_changed_word_segments_nothing_again_and_a_changed_threshold_does(project: Project, tmp_path: Path) -> None:
    words = load_project(project.file, ("corpus.annotations=words.tsv",))
    first = run_steps(STEPS, words, Silent())
    text = (tmp_path / "words.tsv").read_text()
    (tmp_path / "words.tsv").write_text(text.replace("\tai\n", "\tia\n"))
    assert run_steps(STEPS, words, Silent()).outcomes == {"corpus": "computed", "segments": "reused"}
    other = load_project(project.file, ("corpus.annotations=words.tsv", "segments.threshold_db=-20"))
    again = run_steps(STEPS, other, Silent())
    assert again.outcomes["segments"] == "computed"
    assert again.artefacts["segments"] != first.artefacts["segments"]


def test_workers_change_no_byte(project: Project, tmp_path: Path) -> None:
    contents = []
    for workers in (1, 3):
        one = load_project(project.file, (f"project.workers={workers}",), data_root=tmp_path / f"data{workers}")
        contents.append(folder_of(one).content)
    assert contents[0] == contents[1]


def test_an_interrupted_step_repeats_no_finished_recording(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = load_project(project.file, ("project.workers=1",))
    seen: list[str] = []
    known = segments.segment_recording

    def counting(path: Path, *args: object, **kwargs: object) -> object:
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(path.name)
        return known(path, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(segments, "segment_recording", counting)
    with pytest.raises(KeyboardInterrupt):
        run_steps(STEPS, alone, Silent())
    unfinished = [folder for folder in project.data_root.rglob("parts") if folder.is_dir()]
    assert len(list(unfinished[0].iterdir())) == 2
    again: list[str] = []
    monkeypatch.setattr(
        segments, "segment_recording", lambda path, *a, **k: again.append(path.name) or known(path, *a, **k)
    )
    resumed = folder_of(alone)
    assert sorted(seen + again) == sorted(path.name for path in project.audio_folder.iterdir())
    monkeypatch.setattr(segments, "segment_recording", known)
    straight = load_project(project.file, data_root=project.folder / "straight")
    assert resumed.content == folder_of(straight).content


def test_a_step_that_was_killed_after_gathering_only_tidies_up(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = segments.remove_folder
    monkeypatch.setattr(segments, "remove_folder", lambda path: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run_steps(STEPS, project, Silent())
    monkeypatch.setattr(segments, "remove_folder", remove)
    monkeypatch.setattr(segments, "segment_recording", None)
    assert not folder_of(project).parts_folder.exists()


def test_parts_may_be_done_by_tasks_of_their_own(project: Project) -> None:
    artefacts = run_steps((corpus.STEP,), project, Silent()).artefacts
    assert segments.STEP.work_units is not None
    names = segments.STEP.work_units.names_from(artefacts)
    assert len(names) == 4
    for name in names:
        assert run_work_unit(project, "segments", name, Silent()) == "computed"
    assert run_steps(STEPS, project, Silent()).outcomes["segments"] == "reused"
    assert Shelf(project.data_root)


def test_recordings_without_sound_and_damaged_ones_cost_only_themselves(project: Project) -> None:
    audio = project.audio_folder
    soundfile.write(audio / "speaker0_8.wav", np.zeros(16000, np.float32), 16000)
    (audio / "speaker0_9.wav").write_text("no audio")
    whole = (audio / "speaker1_1.wav").read_bytes()
    (audio / "speaker1_1.wav").write_bytes(whole[: len(whole) // 2])
    own = folder_of(project)
    assert own.table()["recording_id"].n_unique() == 4
    assert [*own.summary["left_out"].values()] == ["no frame reaches -90.0 dBFS (the loudest: -120.0 dBFS)"]
    assert len(own.summary["partial"]) == 1


def test_nothing_but_silence_is_refused(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    soundfile.write(tmp_path / "audio" / "a_1.wav", np.zeros(16000, np.float32), 16000)
    (tmp_path / "ossicle.toml").write_text(UNITS_PROJECT)
    with pytest.raises(
        UsageError, match=r"\[segments\] finds no segment in 1 recording: no frame reaches.*; change \[segments\]"
    ):
        folder_of(load_project(tmp_path))


def test_ready_segments_of_a_table_go_to_the_recordings_that_they_name(project: Project, tmp_path: Path) -> None:
    table = tmp_path / "ready.csv"
    table.write_text("file,start,end\nspeaker0_0.wav,0.25,1\nspeaker1_0,0,0.5\nspeaker1_0,0.5,99\nspeaker9_0.wav,0,1\n")
    given = load_project(project.file, ("segments.by=table", "segments.table=ready.csv"))
    own = folder_of(given)
    assert own.table().select("start_s", "cut").rows().count((0.25, "given")) == 1
    assert len(own.table()) == 3
    assert own.summary["unmatched"] == ["speaker9_0.wav"]
    assert sorted(own.summary["left_out"].values()) == ["the table has no segment within it"] * 2
    table.write_text("file,start,end\nspeaker0_0.wav,0.5,1\n")
    assert folder_of(given).table()["start_s"].to_list() == [0.5]
    # The table of another project with the same recordings names them by their ids.
    own.table().write_parquet(tmp_path / "other.parquet")
    again = folder_of(load_project(project.file, ("segments.by=table", "segments.table=other.parquet")))
    assert again.table().drop("cut").equals(own.table().drop("cut"))


def test_segments_that_overlap_under_two_names_of_a_recording_are_refused(project: Project, tmp_path: Path) -> None:
    (tmp_path / "ready.csv").write_text("file,start,end\nspeaker0_0.wav,0,1\nspeaker0_0,0.5,1.5\n")
    given = load_project(project.file, ("segments.by=table", "segments.table=ready.csv"))
    with pytest.raises(FormatError, match=r"of speaker0_0.wav overlap: one from 0 to 1 s, the next from 0.5"):
        folder_of(given)


def test_a_table_of_other_recordings_says_whose_segments_it_has(project: Project, tmp_path: Path) -> None:
    (tmp_path / "ready.csv").write_text("file,start,end\nspeaker9_0.wav,0,1\n")
    given = load_project(project.file, ("segments.by=table", "segments.table=ready.csv"))
    with pytest.raises(
        UsageError, match=r"names first speaker9_0.wav, which is none of them; add its segments to the table of"
    ):
        folder_of(given)


def test_each_file_may_be_a_segment(project: Project) -> None:
    table = folder_of(load_project(project.file, ("segments.by=files",))).table()
    assert table.select(pl.col("number").max(), pl.len()).row(0) == (0, 4)
