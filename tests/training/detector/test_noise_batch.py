"""Crops of noise in a training: added to each batch, with no label, and nothing else changes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.audio.store import MixedStore, StoreItem, build_store
from ossicle.audio.wav import write_wav
from ossicle.core.digest import seed_of
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.records import Clip
from ossicle.metrics.noise.noise_gate import PROBES
from ossicle.metrics.noise.noise_likeness import LabelTexture
from ossicle.models.augmentation.noise_crops import NOISE_KINDS, noise_crops
from ossicle.models.settings import AugmentSettings
from ossicle.training.batches.material import Material
from ossicle.training.batches.noise_labels import PROBE_OF, known_in_noise, label_textures
from ossicle.training.detector import module
from ossicle.training.detector.crossval import fit_job
from ossicle.training.optimisation.objective import Said

from ..conftest import FRONT, PLAN, TINY

LIKE_WHITE = LabelTexture(8, 1.0, 0.0, 1.0, 1.0, ("white_noise",))
LIKE_NOTHING = LabelTexture(8, 0.0, 0.0, 9.0, 9.0, ())
Heard = dict[str, torch.Tensor]


@pytest.fixture
def heard(monkeypatch: Any) -> Heard:
    """What a network was given in the last training step."""
    result: Heard = {}

    def each_output(
        network: Any, log_mel: torch.Tensor, targets: torch.Tensor, mask: torch.Tensor, weak: bool
    ) -> tuple[Said, ...]:
        result.update(log_mel=log_mel, targets=targets, mask=mask)
        return (Said(torch.zeros_like(targets), targets, mask),)

    monkeypatch.setattr(module, "each_output", each_output)
    return result


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


def test_a_label_that_is_noise_is_not_trained_against_itself(heard: Heard) -> None:
    known = known_in_noise({"rain": LIKE_WHITE, "call": LIKE_NOTHING}, ("rain", "call"))
    assert known.shape == (len(NOISE_KINDS), 2)
    assert dict(zip(NOISE_KINDS, known[:, 0].tolist(), strict=True)) == {
        "silence": 1.0, "steady": 0.0, "hum": 1.0, "modulated": 1.0, "gusts": 0.0, "drops": 0.0
    }  # fmt: skip
    assert (known[:, 1] == 1).all()
    detector = module.FrameDetector(
        torch.nn.Linear(1, 1), PLAN, FRONT, TINY, AugmentSettings(noise_share=1.0), 1, known
    )
    detector.training_step(batch(40), 0)  # type: ignore[arg-type]
    # The same draw as in the step says which kind each crop is.
    generator = torch.Generator().manual_seed(seed_of(TINY.seed, "noise crops", 0, 0))
    kinds = noise_crops(40, PLAN.chunk_samples, PLAN.rate, generator).kinds
    assert len(set(kinds.tolist())) == len(NOISE_KINDS)
    expected = known[kinds][:, None].expand_as(heard["mask"][40:])
    assert torch.equal(heard["mask"][40:], expected)


def test_every_kind_of_noise_answers_a_probe() -> None:
    assert set(PROBE_OF) == set(NOISE_KINDS)
    assert set(PROBE_OF.values()) == set(PROBES) - {"recordings"}


def test_a_run_folder_says_what_its_labels_sound_like(corpus: Any, straight: Path) -> None:
    result = RunFolder(straight).noise_likeness
    assert set(result) == {"high", "low"}
    # Bursts of a tone are events: they resemble no noise, however long the noise around them lasts.
    assert all(one["resembles"] == [] and one["clips"] > 0 for one in result.values())


def test_a_models_own_clips_decide_whether_a_label_is_noise(corpus: Any, tmp_path: Path) -> None:
    waves = {"hiss": np.random.default_rng(0).standard_normal(16000), "tone": np.sin(np.arange(16000) * 0.9)}
    items, clips = [], []
    for name, wave in waves.items():
        write_wav(tmp_path / f"{name}.wav", (0.1 * wave).astype(np.float32), 8000)
        items.append(StoreItem(name, tmp_path / f"{name}.wav", name))
        clips.append(Clip(name, 0.0, 2.0, role="target", label=name, fold=0, group=name))
    build_store(items, tmp_path / "store", 8000)
    material = Material(tuple(clips), ("hiss", "tone", "rare"), {}, MixedStore(tmp_path / "store", None, 0.0), PLAN)
    result = label_textures(material.labels, material.store.read, material.plan.rate, clips)
    assert result["hiss"].resembles == ("white_noise", "hum")
    assert result["tone"].resembles == ()
    assert result["rare"].clips == 0
    # A model that does not train on the clip does not know.
    assert label_textures(material.labels, material.store.read, material.plan.rate, clips[1:])["hiss"].resembles == ()


def test_class_weights_reach_the_loss_of_a_training_step() -> None:
    """Weights that are computed and never read were a defect of the old system."""

    class Frames(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.output = torch.nn.Linear(FRONT.n_mels, 2)

        def forward(self, log_mel: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = self.output(log_mel / 100)
            return result

    def loss(weights: torch.Tensor | None) -> float:
        torch.manual_seed(0)
        detector = module.FrameDetector(Frames(), PLAN, FRONT, TINY, AugmentSettings(), 1, class_weights=weights)
        return float(detector.training_step(batch(8), 3).detach())  # type: ignore[arg-type]

    assert loss(torch.ones(2)) == pytest.approx(loss(None), rel=1e-6)
    assert loss(torch.tensor([5.0, 5.0])) > 1.1 * loss(None)
