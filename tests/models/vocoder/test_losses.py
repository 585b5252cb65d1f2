import numpy as np
import pytest
import torch

from ossicle.metrics.speech.distortion import log_mel_distance
from ossicle.metrics.speech.frames import mel_frames
from ossicle.models.vocoder.discriminators import Layers, VocoderDiscriminators
from ossicle.models.vocoder.losses import (
    LogMelDistance,
    SpectrogramLoss,
    adversarial_loss,
    discriminator_loss,
    feature_loss,
    gradient_penalty,
)
from ossicle.models.vocoder.settings import VocoderNetworkSettings

RATE = 8000
SMALL = VocoderNetworkSettings(period_channels=(2, 3), scale_channels=(2, 4), periods=(2, 3), scales=2)


def sound(seed: int, batch: int = 2, n: int = 1600) -> torch.Tensor:
    return 0.1 * torch.randn(batch, n, generator=torch.Generator().manual_seed(seed))


def networks() -> VocoderDiscriminators:
    torch.manual_seed(0)
    return VocoderDiscriminators(SMALL)


def answers(*values: float) -> list[Layers]:
    """Discriminators with one inner layer of 1 and a constant answer each."""
    counts = torch.ones(1, 4)
    return [[(torch.ones(1, 3, 4), counts), (torch.full((1, 1, 4), value), counts)] for value in values]


def test_the_mel_loss_is_logarithmic_and_equals_the_figure_of_the_metrics() -> None:
    one, other = sound(0), sound(1) * torch.linspace(0.1, 1, 1600)
    distance = LogMelDistance(RATE)(one, other, torch.ones_like(one))
    for row in range(2):
        figure = log_mel_distance(mel_frames(one[row].numpy(), RATE), mel_frames(other[row].numpy(), RATE))
        assert float(distance[row]) == pytest.approx(figure, rel=1e-4)
    # Half as loud is 6 dB away however loud it was; of linear power, the loss of quiet speech vanishes.
    mask = torch.ones_like(one)
    for level in (10.0, 1.0):
        result = LogMelDistance(RATE)(level * one, level * one / 2, mask)
        torch.testing.assert_close(result, torch.full((2,), 6.0206), rtol=0, atol=0.01)


@pytest.mark.parametrize("loss", [LogMelDistance(RATE), SpectrogramLoss(RATE)])
def test_what_is_padded_changes_no_loss_and_has_no_gradient(loss: torch.nn.Module) -> None:
    one, other = sound(0), sound(1)
    mask = (torch.arange(1600) < torch.tensor([[1600], [900]])).float()
    short = loss(one[1:, :900], other[1:, :900], torch.ones(1, 900))
    made = (one * mask).requires_grad_()
    both = loss(made * mask, other * mask, mask)
    torch.testing.assert_close(both[1:], short, rtol=1e-3, atol=1e-3)
    both.sum().backward()
    assert made.grad is not None
    assert not made.grad[1, 900:].any()
    assert made.grad[1, :900].any()


def test_sound_shorter_than_a_window_has_a_loss() -> None:
    one, other = sound(0, n=160), sound(1, n=160)
    for loss in (LogMelDistance(RATE), SpectrogramLoss(RATE)):
        assert (loss(one, other, torch.ones_like(one)) > 0).all()


def test_the_spectrogram_loss_is_0_for_equal_sounds_and_a_mean_over_resolutions() -> None:
    one = sound(0)
    loss = SpectrogramLoss(RATE)
    mask = torch.ones_like(one)
    assert loss(one, one, mask).max() < 1e-3
    # Spectral convergence of silence is 1 at each resolution: a sum would give 3.
    silent = loss(torch.zeros_like(one), one, mask)
    logs = [
        torch.log(loss._magnitudes(one, getattr(loss, f"window_{number}"), hop).clamp(min=1e-3) / 1e-3).mean()
        for number, (_, hop) in enumerate(loss.sizes)
    ]
    assert float(silent.mean()) == pytest.approx(1 + float(np.mean(logs)), rel=0.02)


def test_losses_are_means_over_discriminators_not_sums() -> None:
    for count in (1, 8):
        real, made = answers(*[0.25] * count), answers(*[0.5] * count)
        assert float(discriminator_loss(real, made)) == pytest.approx(0.75**2 + 0.5**2)
        assert float(adversarial_loss(made)) == pytest.approx(0.25)
        for one in made:
            one[0] = (one[0][0] + 2, one[0][1])
        assert float(feature_loss(real, made)) == pytest.approx(2.0)


def test_discriminators_do_not_see_what_is_padded() -> None:
    discriminators = networks()
    samples = sound(0, 1, 800)
    mask = (torch.arange(800) < 500).float()[None]
    for layers in discriminators(samples * mask, mask):
        values, counts = layers[-1]
        assert values.shape[1] == 1
        assert values.shape[2] == counts.shape[1]
        assert 0.5 < float(counts.mean()) < 0.75
    made = (sound(1, 1, 800) * mask).requires_grad_()
    adversarial_loss(discriminators(made * mask, mask)).sum().backward()
    assert made.grad is not None
    assert not made.grad[:, 500:].any()


def test_period_discriminators_compare_samples_one_period_apart() -> None:
    one = networks().all[1]
    assert one.period == 3
    samples = torch.zeros(1, 300)
    first = one(samples, torch.ones(1, 300))[0][0]
    samples[0, 30] = 1.0
    changed = (one(samples, torch.ones(1, 300))[0][0] - first).abs().sum(dim=1).reshape(3, -1)
    assert changed[0].any()
    assert not changed[1:].any()


def test_the_gradient_penalty_is_the_slope_of_the_answers_and_acts() -> None:
    discriminators = networks()
    mask = torch.ones(1, 400)
    samples = sound(0, 1, 400).requires_grad_()
    result = gradient_penalty(discriminators(samples, mask), samples, mask)
    step = 1e-2 * torch.randn(1, 400, generator=torch.Generator().manual_seed(5))

    def answer(at: torch.Tensor) -> torch.Tensor:
        return torch.stack([layers[-1][0].mean() for layers in discriminators(at, mask)]).mean()

    (slope,) = torch.autograd.grad(answer(samples), samples)
    torch.testing.assert_close(result, 400 * slope.square().sum(dim=-1))
    with torch.no_grad():
        change = float(answer(samples + step) - answer(samples - step))
    assert change == pytest.approx(2 * float((slope * step).sum()), rel=0.2)
    # It can be trained away, which a penalty that is never called cannot.
    optimiser = torch.optim.SGD(discriminators.parameters(), lr=0.05)
    before = float(result.detach())
    for _ in range(10):
        optimiser.zero_grad()
        penalty = gradient_penalty(discriminators(samples, mask), samples, mask).sum()
        penalty.backward()
        optimiser.step()
    assert float(penalty.detach()) < before / 2


def test_full_discriminators_are_those_of_hifi_gan() -> None:
    with torch.device("meta"):
        full = VocoderDiscriminators(VocoderNetworkSettings())
    assert len(full.all) == 8
    assert [len(one.convs) for one in full.all] == [5] * 5 + [7] * 3
    assert sum(parameter.numel() for parameter in full.parameters()) == pytest.approx(70.7e6, rel=0.01)
