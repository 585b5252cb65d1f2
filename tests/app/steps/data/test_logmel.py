"""The step ``logmel``: kept spectrograms are what the network reads, never stale and never damaged unnoticed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.data import logmel
from ossicle.app.steps.engine.step import Silent, find_steps
from ossicle.app.steps.pipeline.pipelines import chosen_steps
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.app.steps.pipeline.work_units import run_work_unit
from ossicle.app.steps.train import training
from ossicle.artefacts.files import tree_digest
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.shards.logmel import LogMelFolder
from ossicle.audio.features import logmel_shards
from ossicle.core.errors import ArtefactError, ProjectError
from ossicle.models.frontend import ChunkLogMel, LogMel
from ossicle.training.batches.crops import CropDraw, read_crop
from ossicle.training.batches.material import Material, load_material

from ....made_up.untrained import PROJECT, RATE, write_tapes

CACHE = """
[project]
workers = 1
[features]
cache = true
[augment]
gain_db = 0.0
tilt_db = 0.0
background_probability = 0.0
"""
NONE = ("--progress", "none")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three tapes of ten seconds at three sites."""
    write_tapes(tmp_path, ("siteA_1", "siteB_1", "siteC_1"))
    (tmp_path / "ossicle.toml").write_text(PROJECT + CACHE)
    return tmp_path


def built(project: Project) -> dict[str, Path]:
    return dict(run_project(project, Silent(), "logmel").artefacts)


def materials(project: Project, made: dict[str, Path]) -> tuple[Material, Material]:
    """The material of a training that computes spectrograms, and of one that reads kept ones."""
    dataset, settings = DatasetFolder(made["dataset"]), project.settings
    result = load_material(dataset, made["store"], dataset.labels, settings.plan)
    return result, replace(result, log_mel=LogMelFolder(made["logmel"]))


@pytest.mark.parametrize("weak", [False, True])
def test_crops_read_the_spectrograms_that_training_would_compute(folder: Path, weak: bool) -> None:
    project = load_project(folder)
    computed, kept = materials(project, built(project))
    settings = project.settings
    front_end = ChunkLogMel(LogMel(settings.frontend), settings.plan, settings.frontend)
    draw = CropDraw(kept.clips, kept, replace(settings.training, weak=weak))
    outside = 0
    for index in range(60):
        crop = draw(0, index)
        waveform, *rest = read_crop(computed, crop)
        rows, *same = read_crop(kept, crop)
        assert all(torch.equal(one, other) for one, other in zip(rest, same, strict=True))
        expected = front_end(waveform[None])[0]
        # Half precision: a 1/16 dB between 64 and 128 dB.
        torch.testing.assert_close(rows, expected, atol=0.04, rtol=0)
        outside += int((rows == -100).all(dim=1).any())
    assert outside or weak


def test_a_training_reads_them_and_is_another_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = ("training.epochs=1", "training.steps_per_epoch=1", "training.batch_size=2", "training.parallel=1")
    project = load_project(folder, more)
    jobs: list[Any] = []
    monkeypatch.setattr("ossicle.training.detector.crossval.fit_all", lambda found, *rest: jobs.extend(found))
    monkeypatch.setattr(training, "_try_export", lambda context: None)
    monkeypatch.setattr("ossicle.app.steps.train.training.TrainingFolder.write_summary", lambda *rest: None)
    made = run_project(project, Silent(), "training").artefacts
    assert {job.log_mel for job in jobs} == {LogMelFolder(made["logmel"])}
    assert json.loads((made["training"] / "artefact.json").read_text())["inputs"].keys() >= {"logmel", "store"}
    other = load_project(folder, (*more, "features.cache=false"))
    assert find_steps(chosen_steps(other, ["training"]), other)["training"] is None


def test_a_training_step_of_kept_spectrograms_has_the_loss_of_computed_ones(folder: Path) -> None:
    from ossicle.models.networks.registry import build_network
    from ossicle.training.detector.module import FrameDetector

    project = load_project(folder, ("augment.frequency_mask=0.0", "augment.noise_share=0.0"))
    settings, losses = project.settings, []
    for material in materials(project, built(project)):
        torch.manual_seed(0)
        network = build_network(settings.model, settings.frontend, settings.plan, len(material.labels))
        cached = material.log_mel is not None
        front, plan, train = settings.frontend, settings.plan, settings.training
        module = FrameDetector(network, plan, front, train, settings.augment, 1, spectrograms=cached)
        draw = CropDraw(material.clips, material, train)
        parts = zip(*(read_crop(material, draw(0, index)) for index in range(4)), strict=True)
        batch = tuple(torch.stack(part) for part in parts)
        losses.append(float(module.training_step(batch, 0).detach()))
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


@pytest.mark.parametrize("counts", [(1, 2), pytest.param((1, 4), marks=pytest.mark.slow)])
def test_the_number_of_workers_changes_no_byte(folder: Path, tmp_path: Path, counts: tuple[int, ...]) -> None:
    result = set()
    for workers in counts:
        project = load_project(folder, (f"project.workers={workers}",), tmp_path / f"data{workers}")
        result.add(LogMelFolder(built(project)["logmel"]).content)
    assert len(result) == 1


def test_only_what_changes_a_spectrogram_makes_new_ones(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = load_project(folder)
    place = built(project)["logmel"]

    def found(*more: str) -> Path | None:
        asked = load_project(folder, more)
        return find_steps(chosen_steps(asked, ["logmel"]), asked)["logmel"]

    for same in ("training.epochs=3", "project.workers=2", "dataset.noise_per_target=2.0", "chunks.core_s=2.0"):
        assert found(same) == place, same
    for other in ("frontend.n_mels=8", "frontend.rate=7000", "frontend.floor_db=-90.0", "frontend.hop_samples=80"):
        asked = (other, "frontend.fmax_hz=3000.0") if "rate" in other else (other,)
        assert found(*asked) is None, other
    monkeypatch.setattr(logmel, "FRONT_END_VERSION", 2)
    assert found() is None


def test_a_flipped_byte_is_found_and_that_shard_alone_is_rebuilt(folder: Path, ossicle: Any) -> None:
    result = ossicle("features", "build", "-p", folder, *NONE)
    assert result.code == 0, result.err
    assert "log-mel spectrograms of 3 recordings" in result.out
    told = json.loads(ossicle("features", "build", "-p", folder, *NONE, "--json").out)
    assert (told["outcome"], told["recordings"], told["n_mels"], told["rebuilt"]) == ("reused", 3, 16, [])
    own = LogMelFolder(Path(told["artefact"]))
    assert ossicle("features", "verify", "-p", folder).code == 0
    before = tree_digest(own.path)
    damaged, *others = sorted(own.shards.glob("*.0.npy"))
    content = bytearray(damaged.read_bytes())
    content[500] ^= 1
    damaged.write_bytes(content)
    when = [path.stat().st_mtime_ns for path in others]
    name = damaged.name.removesuffix(".0.npy")
    (entry,) = own.indexes[name].entries
    with pytest.raises(ArtefactError, match=r"damaged .*ossicle features build"):
        LogMelFolder(own.path).rows(entry.recording_id, 0, 10)
    result = ossicle("features", "verify", "-p", folder)
    assert result.code == 1
    assert f"{damaged}: recording {entry.recording_id}" in result.out
    result = ossicle("features", "build", "-p", folder, *NONE)
    assert result.code == 0
    assert "damaged, now rebuilt" in result.err
    assert [path.stat().st_mtime_ns for path in others] == when
    assert tree_digest(own.path) == before


def test_features_that_were_never_built_are_named_with_the_command(folder: Path, ossicle: Any) -> None:
    result = ossicle("features", "verify", "-p", folder)
    assert result.code == 2
    assert "no spectrograms are kept for these settings and recordings; run: ossicle features build" in result.err


def test_a_killed_build_repeats_at_most_a_shard(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = LogMelFolder(built(load_project(folder, (), tmp_path / "other"))["logmel"]).content
    done: list[str] = []
    unbroken = logmel_shards.build_logmel_shard

    def stopping(job: Any, store: Any) -> Any:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(job.name)
        return unbroken(job, store)

    monkeypatch.setattr(logmel_shards, "build_logmel_shard", stopping)
    with pytest.raises(KeyboardInterrupt):
        built(load_project(folder))
    again: list[str] = []
    monkeypatch.setattr(
        logmel_shards, "build_logmel_shard", lambda job, store: again.append(job.name) or unbroken(job, store)
    )
    assert LogMelFolder(built(load_project(folder))["logmel"]).content == whole
    assert (done, again) == (["shard-0000", "shard-0001"], ["shard-0002"])


def test_the_shards_are_tasks_of_jobs(folder: Path) -> None:
    project = load_project(folder)
    run_project(project, Silent(), "store")
    names = [f"shard-000{number}" for number in range(3)]
    assert [run_work_unit(project, "logmel", name, Silent()) for name in names] == ["computed"] * 3
    assert run_work_unit(project, "logmel", names[0], Silent()) == "reused"
    assert find_steps(chosen_steps(project, ["logmel"]), project)["logmel"] is not None


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("augment.gain_db=3.0", "kept spectrograms cannot be augmented as waveforms; set augment.gain_db = 0.0, or"),
        ("augment.mixup.probability=0.5", "set augment.mixup.probability = 0.0, or features.cache = false"),
        ("augment.background_probability=0.5", "set augment.background_probability = 0.0"),
        ("augment.tilt_db=1.0", "set augment.tilt_db = 0.0"),
        ("augment.early.polarity_probability=0.1", "set augment.early.polarity_probability = 0.0"),
        ("augment.early.hiss_probability=0.1", "set augment.early.hiss_probability = 0.0"),
        ("augment.spectral.filter_probability=0.1", "set augment.spectral.filter_probability = 0.0"),
        ('pseudo.audio="more"', "brings waveforms of other recordings"),
    ],
)
def test_what_kept_spectrograms_make_impossible_is_refused(folder: Path, more: str, words: str) -> None:
    with pytest.raises(ProjectError) as error:
        load_project(folder, (more,))
    assert words in str(error.value)


def test_a_project_without_the_setting_has_no_such_step(folder: Path) -> None:
    project = load_project(folder, ("features.cache=false",))
    assert "logmel" not in [step.name for step in chosen_steps(project)]
    assert [step.name for step in chosen_steps(load_project(folder))][:5] == [
        "corpus",
        "dataset",
        "store",
        "logmel",
        "training",
    ]


def test_rows_outside_a_recording_are_silent(folder: Path) -> None:
    own = LogMelFolder(built(load_project(folder))["logmel"])
    for name in own.shard_names:
        for entry in own.indexes[name].entries:
            rows = own.rows(entry.recording_id, -5000, 10000)
            assert rows.dtype == np.float32
            assert (rows[:1000] == own.silence_db).all()
            assert (rows[-1000:] == own.silence_db).all()
            stored = own.recording(entry.recording_id)
            at = 5000 + own.grid.first_row
            np.testing.assert_array_equal(rows[at : at + len(stored)], stored.astype(np.float32))
            assert abs(len(stored) - 10 * RATE / 160) < 4
