"""Gradients of several batches make the step of one large batch."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.models.settings import AugmentSettings
from ossicle.training.batches.crops import CropDraw
from ossicle.training.batches.material import load_material
from ossicle.training.detector import fit as fit_module
from ossicle.training.detector.crossval import fit_job
from ossicle.training.detector.fit import fit
from ossicle.training.optimisation.accumulation import Accumulation
from ossicle.training.optimisation.objective import Said
from ossicle.training.settings import TrainingSettings

PLAIN = AugmentSettings(
    noise_share=0.0, gain_db=0.0, background_probability=0.0, tilt_db=0.0, frequency_mask=0.0, time_mask_s=0.0
)


class Frames(nn.Module):
    """A network without batch statistics and dropout: a linear layer on each frame."""

    def __init__(self, n_mels: int, n_labels: int) -> None:
        super().__init__()
        self.output = nn.Linear(n_mels, n_labels)

    def forward(self, log_mel: Tensor) -> Tensor:
        """Return logits (batch, frames, n_labels)."""
        logits: Tensor = self.output(log_mel / 50)
        return logits


def test_batches_with_unequal_numbers_of_known_targets_count_by_their_targets() -> None:
    weight = nn.Parameter(torch.tensor([1.0, -2.0]))
    inputs, known = torch.arange(16.0).reshape(8, 2), torch.tensor([1.0, 1, 1, 1, 1, 0, 0, 0])

    def loss(rows: slice) -> Tensor:
        return (((inputs[rows] @ weight) ** 2) * known[rows]).sum() / known[rows].sum().clamp_min(1)

    torch.autograd.backward(loss(slice(0, 8)))
    whole, weight.grad = weight.grad, None
    accumulation = Accumulation(4)
    for first in range(0, 8, 2):
        rows = slice(first, first + 2)
        torch.autograd.backward(accumulation.add(loss(rows), known[rows].sum()) / 4)
    accumulation.normalise([weight])
    assert weight.grad is not None
    assert whole is not None
    torch.testing.assert_close(weight.grad, whole)


@pytest.mark.parametrize("loss", ["bce", "focal"])
def test_a_training_with_small_batches_equals_one_with_large_ones(
    corpus: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    monkeypatch.setattr(
        fit_module, "build_network", lambda model, front, plan, n_labels: Frames(front.n_mels, n_labels)
    )
    run_folders = []
    for batch_size, accumulate in ((12, 1), (4, 3), (1, 12)):
        job = corpus.job(
            tmp_path / f"{accumulate}", batch_size=batch_size, accumulate=accumulate, loss=loss, gradient_clip=0.01,
            epochs=2,
        )  # fmt: skip
        material = load_material(job.dataset, job.store, job.labels, job.plan)
        clips = [clip for clip in material.clips if clip.fold != 0]
        folder = RunFolder(job.folder)
        fit(replace(job, augment=PLAIN), material, clips, ())
        run_folders.append(folder)
    states = [torch.cat([one.flatten() for one in _state(folder)]) for folder in run_folders]
    for state in states[1:]:
        torch.testing.assert_close(state, states[0], rtol=1e-5, atol=1e-6)
    assert [len(folder.epochs()) for folder in run_folders] == [2, 2, 2]


def _state(folder: RunFolder) -> list[Tensor]:
    from safetensors.torch import load_file

    return list(load_file(folder.weights).values())


def test_an_epoch_has_whole_steps_and_one_pass_needs_fewer_of_them(corpus: Any) -> None:
    material = load_material(corpus.dataset, corpus.store, ("high", "low"), corpus.job(Path("unused")).plan)
    settings = TrainingSettings(steps_per_epoch=0, batch_size=4, accumulate=3)
    draw = CropDraw(corpus.clips, material, settings)
    assert draw.steps == -(-len(corpus.clips) // 12)
    assert draw.n_crops == 12 * draw.steps


def test_the_average_follows_optimiser_steps(corpus: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ossicle.models.averaging import WeightAverage

    steps: list[int] = []
    monkeypatch.setattr(WeightAverage, "update", lambda self, network, step: steps.append(step))
    fit_job(corpus.job(tmp_path / "run", epochs=2, steps_per_epoch=3, accumulate=2))
    assert steps == list(range(6))


@pytest.mark.parametrize("softmax", [False, True])
@pytest.mark.parametrize("loss", ["bce", "focal", "bce_focal"])
def test_every_loss_is_a_mean_over_what_it_says(loss: str, softmax: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    logits, targets = torch.randn(12, 3, generator=generator), torch.eye(3).repeat(4, 1)
    mask = (torch.rand(12, 3, generator=generator) > 0.4).float()
    mask[8:] = 0.0
    weights, settings = torch.tensor([0.5, 1.0, 3.0]), TrainingSettings(loss=loss)

    def total(rows: slice) -> Tensor:
        result = Said(logits[rows], targets[rows], mask[rows], softmax=softmax)
        return result.loss(settings, weights) * result.n_known()

    whole = total(slice(0, 12))
    assert whole > 0
    torch.testing.assert_close(sum(total(slice(at, at + 4)) for at in (0, 4, 8)), whole)
