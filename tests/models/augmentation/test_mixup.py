"""Mixes of two crops: weights and labels in closed form, and what is known of a mix."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ossicle.models.augmentation.mixup import joined, mix, mixed_by_pressure, next_on_round, shares
from ossicle.models.augmentation.settings import MixupSettings
from ossicle.models.augmentation.sounds import Sounds, loudest

RATE = 8000
RULES = ("union", "sum", "max", "soft")


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(size: int, frames: int = 3, seed: int = 1) -> Sounds:
    drawn = seeded(seed)
    waveforms = torch.randn(size, 400, generator=drawn)
    targets = (torch.rand(size, frames, 2, generator=drawn) > 0.5).float()
    mask = (torch.rand(size, frames, 2, generator=drawn) > 0.2).float()
    # Where nobody looked the target is 1; in padding it is 0.
    unseen = (mask == 0) & (torch.rand(size, frames, 2, generator=drawn) > 0.5)
    return Sounds(waveforms, torch.where(unseen, 1.0, targets * mask), mask)


@given(size=st.integers(2, 40), seed=st.integers(0, 10_000))
def test_partners_are_one_round_through_the_batch(size: int, seed: int) -> None:
    partner = next_on_round(size, seeded(seed)).tolist()
    at, met = 0, []
    for _ in range(size):
        met.append(at)
        at = partner[at]
    assert at == 0
    assert sorted(met) == list(range(size))


@given(size=st.integers(2, 8), seed=st.integers(0, 10_000), rule=st.sampled_from(RULES))
def test_without_alpha_a_mix_is_the_mean_of_two(size: int, seed: int, rule: str) -> None:
    sounds = batch(size, seed=seed)
    mixed = mix(sounds, MixupSettings(probability=1.0, labels=rule), RATE, seeded(seed))
    partner = next_on_round(size, seeded(seed))
    assert torch.equal(mixed.waveforms, (sounds.waveforms + sounds.waveforms[partner]) / 2)
    a, b = sounds.targets, sounds.targets[partner]
    expected = {
        "union": 1 - (1 - a) * (1 - b),
        "sum": torch.minimum(a + b, torch.ones(1)),
        "max": torch.maximum(a, b),
        "soft": (a + b) / 2,
    }
    assert torch.equal(mixed.targets, expected[rule])


def slow_joined(a: float, known_a: float, b: float, known_b: float, share: float, rule: str) -> tuple[float, float]:
    """One label of one frame."""
    known = known_a == 1 and known_b == 1
    if rule != "soft":
        known = known or (known_a == 1 and a == 1) or (known_b == 1 and b == 1)
    value = {
        "union": 1 - (1 - a) * (1 - b),
        "sum": min(a + b, 1.0),
        "max": max(a, b),
        "soft": share * a + (1 - share) * b,
    }[rule]
    return value, float(known)


CELL = st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.sampled_from([0.0, 1.0]))


@given(own=st.lists(CELL, min_size=6, max_size=6), other=st.lists(CELL, min_size=6, max_size=6),
       share=st.sampled_from([0.0, 0.25, 0.5, 1.0]), rule=st.sampled_from(RULES))  # fmt: skip
def test_labels_against_one_at_a_time(own: list, other: list, share: float, rule: str) -> None:
    def tensors(cells: list) -> tuple[Tensor, Tensor]:
        values, known = zip(*cells, strict=True)
        return torch.tensor(values).reshape(1, 3, 2), torch.tensor(known).reshape(1, 3, 2)

    targets, mask = joined(tensors(own), tensors(other), torch.tensor([[[share]]]), rule)
    expected = [slow_joined(*a, *b, share, rule) for a, b in zip(own, other, strict=True)]
    assert targets.flatten().tolist() == [value for value, _ in expected]
    assert mask.flatten().tolist() == [known for _, known in expected]
    assert float(targets.min()) >= 0
    assert float(targets.max()) <= 1


def test_union_of_soft_labels_is_the_chance_that_either_is_there() -> None:
    one, other = torch.tensor([[[0.3, 1.0]]]), torch.tensor([[[0.6, 0.2]]])
    known = torch.ones_like(one)
    targets, _ = joined((one, known), (other, known), torch.tensor([[[0.5]]]), "union")
    assert torch.allclose(targets, torch.tensor([[[1 - 0.7 * 0.4, 1.0]]]))


def test_what_nobody_looked_at_stays_unknown_unless_a_call_decides() -> None:
    known, unknown = torch.ones(1, 1, 3), torch.zeros(1, 1, 3)
    mine = torch.tensor([[[1.0, 0.0, 0.5]]])
    _, mask = joined((mine, known), (torch.ones(1, 1, 3), unknown), torch.full((1, 1, 1), 0.5), "union")
    assert mask.tolist() == [[[1.0, 0.0, 0.0]]]
    _, mask = joined((mine, known), (torch.ones(1, 1, 3), unknown), torch.full((1, 1, 1), 0.5), "soft")
    assert mask.tolist() == [[[0.0, 0.0, 0.0]]]


@pytest.mark.parametrize("alpha", [0.2, 0.5, 1.0, 4.0])
def test_shares_have_the_moments_of_their_distribution(alpha: float) -> None:
    drawn = shares(40_000, alpha, seeded(3)).double()
    assert float(drawn.mean()) == pytest.approx(0.5, abs=0.01)
    # The variance of Beta(a, a) is 1 / (4 (2 a + 1)).
    assert float(drawn.var()) == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.03)
    assert float(drawn.min()) >= 0
    assert float(drawn.max()) <= 1


def test_soft_labels_have_the_weights_of_the_sound() -> None:
    waveforms, targets = torch.eye(4), torch.eye(4)[:, None]
    sounds = Sounds(waveforms, targets, torch.ones_like(targets))
    mixed = mix(sounds, MixupSettings(probability=1.0, alpha=0.7, labels="soft"), RATE, seeded(5))
    assert torch.equal(mixed.waveforms, mixed.targets[:, 0])
    assert torch.allclose(mixed.waveforms.sum(dim=1), torch.ones(4))
    assert float(mixed.waveforms.diagonal().std()) > 0.01


@pytest.mark.parametrize("louder_db", [-30.0, 0.0, 18.0])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_by_pressure_a_share_sounds_as_it_is_said(louder_db: float, share: float) -> None:
    waveforms = torch.randn(2, 4000, generator=seeded(0))
    own, other = waveforms[:1] * 10 ** (louder_db / 20), waveforms[1:]
    mixed = mixed_by_pressure(own, other, torch.tensor([[share]]), RATE)
    # Tokozume et al. (2018), equation 2, in their words: levels in dB.
    level_db = 20 * (math.log10(float(loudest(own, RATE))) - math.log10(float(loudest(other, RATE))))
    p = 1 / (1 + 10 ** (level_db / 20) * (1 - share) / share)
    expected = (p * own + (1 - p) * other) / math.sqrt(p**2 + (1 - p) ** 2)
    assert torch.allclose(mixed, expected, atol=1e-4 * float(expected.abs().max()))
    # What is heard of each has the ratio of the shares.
    heard = p * float(loudest(own, RATE)) / ((1 - p) * float(loudest(other, RATE)))
    assert heard == pytest.approx(share / (1 - share), rel=1e-4)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_silence_has_no_pressure_and_makes_no_nan(share: float) -> None:
    sound, silence = torch.randn(1, 4000, generator=seeded(0)), torch.zeros(1, 4000)
    norm = math.sqrt(share**2 + (1 - share) ** 2)
    mixed = mixed_by_pressure(sound, silence, torch.tensor([[share]]), RATE)
    assert torch.allclose(mixed, share * sound / norm)
    mixed = mixed_by_pressure(silence, sound, torch.tensor([[share]]), RATE)
    assert torch.allclose(mixed, (1 - share) * sound / norm)
    assert torch.equal(mixed_by_pressure(silence, silence, torch.tensor([[share]]), RATE), silence)


def test_the_level_is_that_of_the_loudest_tenth_of_a_second() -> None:
    waveform = torch.zeros(2, 8000)
    waveform[0, 1600:2400] = 0.5
    assert loudest(waveform, RATE).tolist() == [[0.5], [0.0]]
    assert float(loudest(torch.full((1, 10), 0.25), RATE)) == 0.25
    slow = max(float(waveform[0, at : at + 800].square().mean().sqrt()) for at in range(0, 8000, 800))
    assert float(loudest(waveform, RATE)[0]) == pytest.approx(slow)


def test_a_share_of_the_crops_is_mixed_and_the_others_stay_to_the_bit() -> None:
    sounds = batch(4000, frames=1)
    mixed = mix(sounds, MixupSettings(probability=0.3, alpha=0.4), RATE, seeded(0))
    changed = (mixed.waveforms != sounds.waveforms).any(dim=1)
    assert 0.27 < float(changed.float().mean()) < 0.33
    assert torch.equal(mixed.targets[~changed], sounds.targets[~changed])
    assert torch.equal(mixed.mask[~changed], sounds.mask[~changed])


def test_a_batch_of_one_has_nobody_to_be_mixed_with() -> None:
    sounds = batch(1)
    assert mix(sounds, MixupSettings(probability=1.0), RATE, seeded(0)) is sounds


def test_a_mix_of_one_label_with_itself_keeps_it() -> None:
    sounds = Sounds(torch.randn(4, 100), torch.ones(4, 1, 1), torch.ones(4, 1, 1))
    for rule in RULES:
        mixed = mix(sounds, MixupSettings(probability=1.0, alpha=0.5, labels=rule), RATE, seeded(0))
        assert np.allclose(mixed.targets, 1.0)
