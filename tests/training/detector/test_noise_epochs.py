"""Fine-tuning against noise: from a finished training or after one, with the same result, and briefly."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from ossicle.app.steps.train.mending import SLOWER, forget_before, mending_job
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.core.errors import ArtefactError
from ossicle.core.model_input.chunks import window_plan
from ossicle.models.settings import AugmentSettings, ModelSettings, WindowSettings
from ossicle.training.detector.crossval import fit_job
from ossicle.training.detector.job import FitJob

NAME = "fold0"


def wanted(corpus: Any, folder: Path, **changes: Any) -> FitJob:
    """The training of ``corpus.job`` with two epochs of fine-tuning."""
    made: FitJob = corpus.job(folder / NAME, noise_epochs=2, **changes)
    return made


@pytest.fixture(scope="module")
def finished(straight: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingFolder:
    """The straight training, as a model of a finished step."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / NAME).symlink_to(straight)
    return TrainingFolder(folder)


@pytest.fixture(scope="module")
def mended(corpus: Any, finished: TrainingFolder, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    job = mending_job(wanted(corpus, tmp_path_factory.mktemp("mended")), finished)
    fit_job(job)
    return RunFolder(job.folder)


def distance(one: Path, other: Path) -> float:
    first, second = load_file(one), load_file(other)
    named = [name for name in first if "running_" not in name and "num_batches" not in name]
    return float(torch.stack([(first[name] - second[name]).square().sum() for name in named]).sum().sqrt())


def test_a_mended_model_lies_close_to_the_one_it_started_from(
    corpus: Any, finished: TrainingFolder, mended: RunFolder, tmp_path: Path
) -> None:
    assert len(mended.epochs()) == 2
    assert mended.weights.read_bytes() != finished.run(NAME).weights.read_bytes()
    other = corpus.job(tmp_path / "other", seed=1)
    fit_job(other)
    own = distance(mended.weights, finished.run(NAME).weights)
    assert 0 < own < 0.3 * distance(RunFolder(other.folder).weights, finished.run(NAME).weights)


def test_a_training_that_is_not_done_is_done_first_with_the_same_result(
    corpus: Any, mended: RunFolder, tmp_path: Path
) -> None:
    job = mending_job(wanted(corpus, tmp_path), None)
    assert (job.epochs, job.epochs_done) == (6, 0)
    fit_job(job)
    assert job.epochs_done == 6
    assert RunFolder(job.folder).weights.read_bytes() == mended.weights.read_bytes()
    before = RunFolder(job.folder / "before")
    assert len(before.epochs()) == 4
    forget_before(TrainingFolder(tmp_path), NAME)
    assert sorted(path.name for path in job.folder.iterdir()) == sorted(path.name for path in mended.path.iterdir())
    # Done is done: the training before it is not repeated.
    fit_job(job)
    assert not before.path.exists()


def test_mending_is_slow_noisy_and_draws_other_crops(corpus: Any, tmp_path: Path, finished: TrainingFolder) -> None:
    job = wanted(corpus, tmp_path, average_epochs=3)
    mending = mending_job(job, finished)
    assert mending.training.epochs == 2
    assert mending.training.average_epochs == 2
    assert mending.training.learning_rate == pytest.approx(SLOWER * job.training.learning_rate)
    assert mending.training.seed != job.training.seed
    assert mending.augment.noise_share == 0.25
    assert (mending.before, mending.start) == (None, finished.run(NAME).weights)
    loud = replace(job, augment=AugmentSettings(noise_share=0.75))
    assert mending_job(loud, finished).augment.noise_share == 1.0
    # A project that trains without noise is mended with it.
    assert mending_job(replace(job, augment=AugmentSettings(noise_share=0.0)), finished).augment.noise_share == 0.25
    first = mending_job(job, None).before
    assert first is not None
    assert first.tracked.name == f"{job.tracked.name}-before"
    training = replace(job.training, noise_epochs=0)
    assert first == replace(job, folder=job.folder / "before", training=training, tracked=first.tracked)


def test_weights_of_another_network_are_refused(corpus: Any, finished: TrainingFolder, tmp_path: Path) -> None:
    job = wanted(corpus, tmp_path)
    wider = replace(job.model, crnn=replace(job.model.crnn, hidden=16))
    with pytest.raises(ArtefactError, match="do not fit the network"):
        fit_job(mending_job(replace(job, model=wider), finished))


def test_the_balance_is_undone_once(corpus: Any, tmp_path: Path) -> None:
    """The training before a fine-tuning ends with moved scores; the fine-tuning moves them no further."""
    model = ModelSettings(name="window", window=WindowSettings(backbone="small_cnn", scores="softmax"))
    job = wanted(corpus, tmp_path, epochs=1, balance="uniform", undo_balance=1.0, learning_rate=1e-9)
    job = replace(job, model=model, plan=window_plan(job.front, 0.15, 0.05, 0.5))
    fit_job(mending_job(job, None))
    before, after = (load_file(RunFolder(one).weights) for one in (job.folder / "before", job.folder))
    biases = [name for name in before if name.endswith("output.bias")]
    assert len(biases) == 1
    # At such a learning rate nothing else moves them.
    assert torch.allclose(after[biases[0]], before[biases[0]], atol=1e-4)
    plain = replace(job, folder=tmp_path / "plain", training=replace(job.training, noise_epochs=0, undo_balance=0.0))
    fit_job(plain)
    drawn = load_file(RunFolder(plain.folder).weights)[biases[0]]
    assert not torch.allclose(before[biases[0]], drawn, atol=0.05)
