"""Crops of noise in a training: added to each batch, with no label, and nothing else changes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.core.chunks import ChunkPlan
from ossicle.models.settings import AugmentSettings
from ossicle.training import module
from ossicle.training.crossval import fit_job
from ossicle.training.objective import Said

from .conftest import FRONT, PLAN, TINY

Heard = dict[str, torch.Tensor]


@pytest.fixture
def heard(monkeypatch: Any) -> Heard:
    """What a network was given in the last training step."""
    found: Heard = {}

    def said_of(network: Any, log_mel: torch.Tensor, targets: torch.Tensor, mask: torch.Tensor, weak: bool) -> Said:
        found.update(log_mel=log_mel, targets=targets, mask=mask)
        return Said(torch.zeros_like(targets), targets, mask)

    monkeypatch.setattr(module, "said_of", said_of)
    return found


def batch(size: int, plan: ChunkPlan = PLAN) -> tuple[torch.Tensor, ...]:
    drawn = torch.Generator().manual_seed(0)
    waveforms = 0.1 * torch.randn(size, plan.chunk_samples, generator=drawn)
    targets = (torch.rand(size, plan.chunk_frames, 2, generator=drawn) > 0.8).float()
    mask = (torch.rand(size, plan.chunk_frames, 2, generator=drawn) > 0.1).float()
    return waveforms, targets, mask


def step(heard: Heard, augment: AugmentSettings, index: int = 3, size: int = 8) -> Heard:
    detector = module.FrameDetector(torch.nn.Linear(1, 1), PLAN, FRONT, TINY, augment, 1)
    detector.training_step(batch(size), index)  # type: ignore[arg-type]
    return dict(heard)


def test_noise_comes_on_top_of_a_batch_without_any_label(heard: Heard) -> None:
    plain = step(heard, AugmentSettings(noise_share=0.0))
    noisy = step(heard, AugmentSettings(noise_share=0.25))
    assert len(plain["log_mel"]) == 8
    assert len(noisy["log_mel"]) == 10
    for name, values in plain.items():
        assert torch.equal(noisy[name][:8], values), name
    assert (noisy["targets"][8:] == 0).all()
    assert (noisy["mask"][8:] == 1).all()
    assert torch.isfinite(noisy["log_mel"]).all()


def test_noise_is_new_in_every_step_and_the_same_in_a_repeated_one(heard: Heard) -> None:
    once, again, later = (step(heard, AugmentSettings(noise_share=0.5), index)["log_mel"][8:] for index in (3, 3, 4))
    assert torch.equal(once, again)
    assert not torch.equal(once, later)


def test_noise_is_scaled_to_full_peak_where_all_crops_are(heard: Heard, monkeypatch: Any) -> None:
    seen: list[torch.Tensor] = []
    forward = module.ChunkLogMel.forward
    monkeypatch.setattr(
        module.ChunkLogMel, "forward", lambda self, waves: (seen.append(waves), forward(self, waves))[1]
    )
    step(heard, AugmentSettings(noise_share=1.0, normalise="late"))
    peaks = seen[-1].abs().amax(dim=1)
    assert set(peaks.round(decimals=5).tolist()) <= {0.0, 1.0}


def test_a_training_with_noise_has_other_weights_than_one_without(corpus: Any, tmp_path: Path) -> None:
    jobs = [corpus.job(tmp_path / name, epochs=1) for name in ("default", "without")]
    fit_job(jobs[0])
    fit_job(replace(jobs[1], augment=AugmentSettings(noise_share=0.0)))
    default, without = (RunFolder(job.folder).weights.read_bytes() for job in jobs)
    assert AugmentSettings().noise_share > 0
    assert default != without
