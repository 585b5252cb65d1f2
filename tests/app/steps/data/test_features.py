"""The step ``features``: shards by any number of workers, after kills and damage, and with copies that leak nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ossicle.app.api.features.build import shard_bytes
from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.data import corpus, dataset, features
from ossicle.app.steps.data.feature_backgrounds import groups_of, stretches_without_labels
from ossicle.app.steps.engine.step import Silent, find_steps, run_steps
from ossicle.app.steps.pipeline.pipelines import PIPELINES
from ossicle.app.steps.pipeline.work_units import run_work_unit
from ossicle.artefacts.features import shard
from ossicle.artefacts.shelf import Shelf
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.audio.decoding.mono import load_mono
from ossicle.audio.encoders import build
from ossicle.audio.encoders.acoustic import AcousticEncoder
from ossicle.core.errors import UsageError
from ossicle.corpus.indexing.index_storage import read_index

from ....made_up.untrained import PROJECT, write_tapes

MORE = """
[project]
workers = 1
[features]
window_s = 1.0
hop_s = 0.5
"""
STEPS = (corpus.STEP, dataset.STEP, features.STEP)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four tapes of ten seconds at two sites, three calls on each; a shard holds two."""
    monkeypatch.setattr(build.shard_names, "__defaults__", (20.0, 2))
    write_tapes(tmp_path, ("siteA_1", "siteA_2", "siteB_1", "siteB_2"))
    (tmp_path / "ossicle.toml").write_text(PROJECT + MORE)
    return tmp_path


def built(project: Project, steps: tuple = STEPS) -> tuple[FeaturesFolder, dict]:
    done = run_steps(steps, project, Silent())
    return FeaturesFolder(done.artefacts["features"]), dict(done.outcomes)


def test_the_windows_of_each_recording_are_encoded_once(folder):
    project = load_project(folder)
    own, outcomes = built(project)
    assert outcomes["features"] == "computed"
    assert (own.window_s, own.hop_s, own.copies, own.spec) == (1.0, 0.5, 0, AcousticEncoder.spec)
    assert own.shard_names == ("shard-0000", "shard-0001")
    recordings = read_index(CorpusFolder(find_steps(STEPS, project)["corpus"])).recordings
    assert sorted(own.recording_ids) == sorted(recording.id for recording in recordings)
    for recording in recordings:
        samples = load_mono(project.audio_folder / recording.path, 16000)
        windows = np.stack([samples[at : at + 16000] for at in range(0, len(samples) - 15999, 8000)])
        result = own.windows(recording.id)
        assert result.shape == (19, 1, own.spec.dim)
        np.testing.assert_allclose(result, AcousticEncoder().encode(windows), rtol=1e-3, atol=0.05)
        np.testing.assert_allclose(own.levels_db(recording.id), 10 * np.log10(np.mean(windows**2, axis=1)), atol=1e-3)
    rows = np.concatenate([own.rows(name) for name in own.shard_names]).reshape(-1, own.spec.dim).astype(float)
    mean, deviation = own.scale()
    np.testing.assert_allclose(mean, rows.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(deviation, rows.std(axis=0), atol=1e-4)
    assert built(project)[1]["features"] == "reused"


@pytest.mark.parametrize("counts", [(1, 2), pytest.param((1, 2, 4), marks=pytest.mark.slow)])
def test_the_number_of_workers_changes_no_byte(folder, tmp_path, monkeypatch, counts):
    # A shard for each of the four tapes where four processes share them.
    monkeypatch.setattr(build.shard_names, "__defaults__", (20.0, 2 if max(counts) == 2 else 1))
    contents = set()
    for workers in counts:
        more = (f"project.workers={workers}", "features.copies=1", "features.augment.mix_probability=1.0")
        project = load_project(folder, more, tmp_path / f"data{workers}")
        contents.add(built(project)[0].content)
    assert len(contents) == 1


def test_a_killed_build_repeats_at_most_a_shard(folder, tmp_path, monkeypatch):
    project = load_project(folder)
    whole = built(load_project(folder, (), tmp_path / "other"))[0].content
    encoded: list[str] = []
    unbroken = build.build_shard

    def stopping(job, encoder):
        if encoded:
            raise KeyboardInterrupt
        encoded.append(job.name)
        return unbroken(job, encoder)

    monkeypatch.setattr(build, "build_shard", stopping)
    with pytest.raises(KeyboardInterrupt):
        built(project)
    again: list[str] = []
    monkeypatch.setattr(build, "build_shard", lambda job, encoder: again.append(job.name) or unbroken(job, encoder))
    assert built(project)[0].content == whole
    assert encoded == ["shard-0000"]
    assert again == ["shard-0001"]


def test_shards_in_subfolders_are_read_counted_and_rebuilt(folder, monkeypatch):
    project = load_project(folder)
    flat, _ = built(project)
    expected = {key: np.array(flat.windows(key)) for key in flat.recording_ids}
    size = shard_bytes(flat)
    monkeypatch.setattr(shard, "SHARDS_A_FOLDER", 1)
    # Another window, so that it is another artefact.
    project = load_project(folder, ("features.hop_s=0.25",))
    own, _ = built(project)
    assert sorted(path.name for path in own.shards.iterdir() if path.is_dir()) == ["01"]
    assert features.problems(own.path) == {}
    for key, windows in expected.items():
        np.testing.assert_array_equal(own.windows(key)[::2], windows)
    assert size < shard_bytes(own) < 2 * size
    damaged = own.shards / "01" / "shard-0001.0.npy"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    assert list(features.problems(own.path)) == ["shard-0001"]


def test_a_damaged_shard_is_found_and_rebuilt_alone(folder, monkeypatch):
    project = load_project(folder)
    own, _ = built(project)
    artefacts = find_steps(STEPS, project)
    assert features.problems(own.path) == {}
    path = own.shards / "shard-0001.0.npy"
    damaged = bytearray(path.read_bytes())
    damaged[200] ^= 1
    path.write_bytes(damaged)
    result = features.problems(own.path)
    assert list(result) == ["shard-0001"]
    assert str(path) in result["shard-0001"][0]
    again: list[str] = []
    unbroken = build.build_shard
    monkeypatch.setattr(build, "build_shard", lambda job, encoder: again.append(job.name) or unbroken(job, encoder))
    features.repair(project, artefacts["corpus"], artefacts["dataset"], own.path, result)
    assert again == ["shard-0001"]
    assert features.problems(own.path) == {}
    Shelf(project.data_root).verify(own.path)


def test_copies_hold_only_sounds_of_their_own_group(folder, monkeypatch):
    project = load_project(folder, ("features.copies=2",))
    artefacts = run_steps(STEPS, project, Silent()).artefacts
    own, corpus_folder = FeaturesFolder(artefacts["features"]), CorpusFolder(artefacts["corpus"])
    assert own.copies == 2
    for key in own.recording_ids:
        assert own.copy(key, 1).shape == own.copy(key, 2).shape == own.windows(key).shape
        assert not np.array_equal(own.copy(key, 1), own.copy(key, 2))
        np.testing.assert_array_equal(own.copy(key, 0), own.windows(key))
    paths = {recording.id: recording.path for recording in read_index(corpus_folder).recordings}
    jobs = features._jobs(project, corpus_folder, DatasetFolder(artefacts["dataset"]), own)
    for job in jobs.values():
        for item in job.items:
            site = item.path.name[:5]
            assert job.backgrounds[item.group]
            assert all(paths[background.recording_id].startswith(site) for background in job.backgrounds[item.group])


def test_backgrounds_are_the_stretches_without_labels(folder):
    artefacts = run_steps(STEPS[:2], load_project(folder), Silent()).artefacts
    own = DatasetFolder(artefacts["dataset"])
    recordings = read_index(CorpusFolder(artefacts["corpus"])).recordings
    result = stretches_without_labels(recordings, own, groups_of(own), least_s=2.0)
    assert sorted(result) == ["A", "B"]
    for free in result.values():
        assert len(free) == 2
        # Calls begin at 1, 4 and 7 s and last half a second.
        assert set(free.values()) == {((1.5, 4.0), (4.5, 7.0), (7.5, 10.0))}


def test_only_what_changes_an_embedding_makes_new_features(folder):
    project = load_project(folder)
    digests = {built(project, features.with_features(STEPS, project))[0].path}

    def place(*more: str) -> Path | None:
        asked = load_project(folder, more)
        return find_steps(features.with_features(STEPS, asked), asked)["features"]

    same = ("features.augment.gain_db=3.0", "training.epochs=3", "frontend.n_mels=32", "project.workers=2")
    assert {place(one) for one in same} == digests
    for one in ("features.hop_s=0.25", "features.window_s=2.0", "features.copies=1", 'audio.channel="first"'):
        assert place(one) is None, one


def test_corrected_annotations_encode_nothing_again_unless_there_are_copies(folder):
    project = load_project(folder)
    first = built(project, features.with_features(STEPS, project))[0].path
    table = folder / "tables" / "siteA_1.Table.1.selections.txt"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    own, outcomes = built(project, features.with_features(STEPS, project))
    assert own.path == first
    assert (outcomes["corpus"], outcomes["features"]) == ("computed", "reused")


def test_a_window_that_the_encoder_cannot_read_is_named_with_its_setting(folder):
    with pytest.raises(UsageError, match=r"\[features\] window_s = 0.1: a window has 1600 samples.*at least 4096"):
        built(load_project(folder, ("features.window_s=0.1",)))


def test_the_shards_are_work_units(folder):
    project = load_project(folder)
    pipeline = replace(PIPELINES["detector"], steps=STEPS, adapt=lambda steps, project: steps)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PIPELINES, "detector", pipeline)
        run_steps(STEPS[:2], project, Silent())
        assert run_work_unit(project, "features", "shard-0001", Silent()) == "computed"
        assert find_steps(STEPS, project)["features"] is None
        assert run_work_unit(project, "features", "shard-0000", Silent()) == "computed"
        assert run_work_unit(project, "features", "shard-0000", Silent()) == "reused"
    assert find_steps(STEPS, project)["features"] is not None
