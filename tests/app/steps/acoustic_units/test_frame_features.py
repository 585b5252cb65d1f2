"""Step ``features`` of projects for acoustic units: one pass, exact times, nothing done twice."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.acoustic_units import features, segments
from ossicle.app.steps.data import corpus
from ossicle.app.steps.engine.step import Done, Silent, run_steps
from ossicle.app.steps.pipeline.units import PIPELINE
from ossicle.app.steps.pipeline.work_units import run_work_unit
from ossicle.artefacts.shelf import Shelf
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.audio.decoding import mono
from ossicle.audio.decoding.mono import load_mono
from ossicle.audio.encoders.frames.mfcc import MfccEncoder
from ossicle.core.errors import UsageError
from ossicle.corpus.indexing.index_storage import read_index

from ....made_up.speech_like import write_speech

STEPS = (corpus.STEP, segments.STEP, features.STEP)
PROJECT = """
base = "recipe:units"
[corpus]
audio = "audio"
annotations = "words.tsv"
name_template = "{speaker}_*"
[split]
group = "speaker"
[segments]
shortest_s = 0.2
[project]
workers = 1
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_speech(tmp_path, words=8)
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    return load_project(tmp_path)


def folder_of(done: Done) -> FeaturesFolder:
    return FeaturesFolder.among(done.artefacts)


def test_each_segment_has_the_frames_of_its_samples(project: Project) -> None:
    done = run_steps(STEPS, project, Silent())
    own, table = folder_of(done), SegmentsFolder.among(done.artefacts).table()
    recordings = {recording.id: recording for recording in read_index(CorpusFolder.among(done.artefacts)).recordings}
    result = {key: values for key, values, _ in own.frames()}
    assert list(result) == table["segment_id"].to_list()
    assert (own.spec, own.hop_s, own.origin_s) == (MfccEncoder.spec, 0.02, 0.0125)
    for row in table.iter_rows(named=True):
        path = project.roots.file(recordings[row["recording_id"]])
        samples = load_mono(path, 16000, row["start_s"], row["end_s"] - row["start_s"])
        expected = MfccEncoder().encode(samples[None])[0]
        np.testing.assert_allclose(result[row["segment_id"]], expected, rtol=2e-3, atol=5e-2)


def test_a_recording_is_read_once_whatever_its_segments(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    run_steps(STEPS[:2], project, Silent())
    opened: list[str] = []
    known = mono.MonoStream.__init__

    def counting(self: mono.MonoStream, path: Path, *given: Any, **named: Any) -> None:
        opened.append(path.name)
        known(self, path, *given, **named)

    monkeypatch.setattr(mono.MonoStream, "__init__", counting)
    done = run_steps(STEPS, project, Silent())
    assert len(SegmentsFolder.among(done.artefacts).table()) > len(opened)
    assert sorted(opened) == sorted(path.name for path in project.audio_folder.iterdir())


def test_words_and_groups_encode_nothing_again_and_other_segments_do(project: Project, tmp_path: Path) -> None:
    first = run_steps(STEPS, project, Silent())
    text = (tmp_path / "words.tsv").read_text()
    (tmp_path / "words.tsv").write_text(text.replace("\tai\n", "\tia\n"))
    other = load_project(project.file, ("split.group=recording",))
    again = run_steps(STEPS, other, Silent())
    assert again.outcomes == {"corpus": "computed", "segments": "computed", "features": "reused"}
    cut = load_project(project.file, ("segments.threshold_db=-20",))
    third = run_steps(STEPS, cut, Silent())
    assert third.outcomes["features"] == "computed"
    assert third.artefacts["features"] != first.artefacts["features"]


def test_an_interrupted_step_builds_no_finished_shard_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []
    known = features.build_frame_shard

    def failing(job: Any, encoder: Any) -> Any:
        if len(built) == 2:
            raise KeyboardInterrupt
        built.append(job.name)
        return known(job, encoder)

    monkeypatch.setattr(features, "build_frame_shard", failing)
    with pytest.raises(KeyboardInterrupt):
        run_steps(STEPS, project, Silent())
    again: list[str] = []
    monkeypatch.setattr(
        features, "build_frame_shard", lambda job, encoder: again.append(job.name) or known(job, encoder)
    )
    resumed = folder_of(run_steps(STEPS, project, Silent()))
    assert sorted(built + again) == sorted(resumed.shard_names)
    monkeypatch.setattr(features, "build_frame_shard", known)
    straight = load_project(project.file, data_root=project.folder / "straight")
    assert resumed.content == folder_of(run_steps(STEPS, straight, Silent())).content


def test_work_units_give_the_same_content(project: Project) -> None:
    elsewhere = load_project(project.file, data_root=project.folder / "elsewhere")
    straight = folder_of(run_steps(STEPS, elsewhere, Silent()))
    run_steps(STEPS[:2], project, Silent())
    for name in straight.shard_names:
        run_work_unit(project, features.STEP.name, name, Silent())
    assert folder_of(run_steps(STEPS, project, Silent())).content == straight.content


def test_encoders_of_windows_are_refused(project: Project) -> None:
    acoustic = load_project(project.file, ("encoder.name=acoustic",))
    with pytest.raises(UsageError, match="use mfcc"):
        run_steps(STEPS, acoustic, Silent())


def test_features_are_verified_and_damaged_shards_built_again(project: Project, ossicle: Any) -> None:
    content = json.loads(ossicle("features", "build", "-p", project.file, "--progress", "none", "--json").out)
    result = ossicle("features", "build", "-p", project.file, "--progress", "none")
    assert (result.code, f"{content['windows']} frames of 0.025 s every 0.02 s, 18 values, mfcc" in result.out) == (
        0,
        True,
    )
    assert ossicle("features", "verify", "-p", project.file).out.strip().endswith(": sound")
    own = FeaturesFolder(Path(content["artefact"]))
    path = own.shards / f"{own.shard_names[1]}.0.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert ossicle("features", "verify", "-p", project.file).code == 1
    result = ossicle("features", "build", "-p", project.file, "--progress", "none")
    assert result.code == 0
    assert path.read_bytes() == whole
    Shelf(project.data_root).verify(own.path)


def test_a_recording_that_is_lost_after_segmentation_costs_only_itself(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = features.build_frame_shard

    def losing(job: Any, encoder: Any) -> Any:
        (project.audio_folder / "speaker1_0.wav").unlink(missing_ok=True)
        return known(job, encoder)

    monkeypatch.setattr(features, "build_frame_shard", losing)
    done = run_steps(STEPS, project, Silent())
    own, table = folder_of(done), SegmentsFolder.among(done.artefacts).table()
    recordings = read_index(CorpusFolder.among(done.artefacts)).recordings
    lost = next(recording.id for recording in recordings if recording.path == "speaker1_0.wav")
    assert sorted(own.left_out) == sorted(table.filter(pl.col("recording_id") == lost)["segment_id"])
    assert list(features.unreadable(done.artefacts)) == ["speaker1_0.wav"]
    (loss,) = PIPELINE.losses(done.artefacts)
    assert loss.line.startswith("speaker1_0.wav: left out: ")
    rest = table.filter(pl.col("recording_id") != lost)["segment_id"].to_list()
    assert [key for key, *_ in own.frames()] == rest


def test_similar_finds_a_word_where_it_was_said(project: Project, tmp_path: Path, ossicle: Any) -> None:
    ossicle("features", "build", "-p", project.file, "--progress", "none")
    words = pl.read_csv(tmp_path / "words.tsv", separator="\t")
    row = words.row(2, named=True)
    path = next(one for one in project.audio_folder.iterdir() if one.stem == row["utterance"])
    length = row["end_s"] - row["start_s"]
    asked = ("similar", path, "-p", project.file, "--start-s", row["start_s"], "--duration-s", length)
    content = json.loads(ossicle(*asked, "--most", 3, "--json").out)
    # "iu" is said three times by this speaker, once in another recording.
    result = words.filter(pl.col("word") == row["word"], pl.col("utterance").str.starts_with(path.name[:8]))
    assert sorted(one["path"] for one in content) == sorted(f"{name}.wav" for name in result["utterance"])
    for one in content:
        times = result.filter(pl.col("utterance") == Path(one["path"]).stem)["start_s"]
        assert min(abs(one["start_s"] - time) for time in times) < 0.05
    assert content[0]["similarity"] > 0.95
    assert len(content) == 3
    refused = ossicle("similar", path, "-p", project.file)
    assert (refused.code, "--duration-s" in refused.err) == (2, True)


def test_another_encoder_makes_other_features(project: Project) -> None:
    first = run_steps(STEPS, project, Silent())
    other = load_project(project.file, ("encoder.name=logmel",))
    again = run_steps(STEPS, other, Silent())
    assert again.outcomes == {"corpus": "reused", "segments": "reused", "features": "computed"}
    assert (folder_of(first).spec.name, folder_of(again).spec.name, folder_of(again).spec.dim) == ("mfcc", "logmel", 40)
