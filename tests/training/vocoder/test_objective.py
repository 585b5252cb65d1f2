import copy

import pytest
import torch

from ossicle.core.errors import OssicleError
from ossicle.models.vocoder.discriminators import VocoderDiscriminators
from ossicle.models.vocoder.generator import VocoderGenerator
from ossicle.models.vocoder.losses import LogMelDistance, SpectrogramLoss
from ossicle.training.vocoder.crops import CropReader, Crops
from ossicle.training.vocoder.draws import Draw
from ossicle.training.vocoder.objective import Objective, OutOfMemory
from ossicle.training.vocoder.settings import VocoderSettings

from .made_up_speech import HOP, RATE, TINY, K, corpus, tiny_settings
from .test_crops import PITCH


def objective(settings: VocoderSettings, part: int = 16) -> Objective:
    torch.manual_seed(0)
    generator, discriminators = VocoderGenerator(K, HOP, True, 2, TINY), VocoderDiscriminators(TINY)
    return Objective(generator, discriminators, settings, LogMelDistance(RATE), SpectrogramLoss(RATE), part)


def optimisers(one: Objective) -> list[torch.optim.Optimizer]:
    return [torch.optim.AdamW(part.parameters(), lr=1e-3) for part in (one.generator, one.discriminators)]


@pytest.fixture(scope="module")
def crops() -> Crops:
    """Six crops, some of them shorter."""
    whole = corpus()
    reader = CropReader(whole, whole.training, PITCH)
    return reader.read([Draw(number % 6, 0, 8 + number % 3, number % 2, number) for number in range(6)])


def trained(settings: VocoderSettings, crops: Crops, part: int) -> Objective:
    one = objective(settings, part)
    of_generator, of_discriminators = optimisers(one)
    for _ in range(2):
        one.discriminator_step(crops, of_discriminators)
        one.generator_step(crops, of_generator, adversarial=True)
    return one


@pytest.mark.parametrize("part", [1, 2, 5])
def test_a_batch_in_parts_gives_the_weights_of_the_whole(crops: Crops, part: int) -> None:
    settings = tiny_settings(gradient_penalty=1.0)
    whole, parts = trained(settings, crops, 6), trained(settings, crops, part)
    for name in ("generator", "discriminators"):
        wanted, result = (getattr(one, name).state_dict() for one in (whole, parts))
        start = getattr(objective(settings), name).state_dict()
        for key, value in wanted.items():
            torch.testing.assert_close(result[key], value, rtol=0, atol=1e-5)
        assert any((value - start[key]).abs().max() > 1e-3 for key, value in wanted.items())


def scarce(one: Objective, most: int, error: type[RuntimeError] = torch.OutOfMemoryError) -> None:
    """Let the generator fail for more than ``most`` crops."""
    forward = one.generator.forward

    def limited(units: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        if len(units) > most:
            if error is RuntimeError:
                # The true error of the CPU's allocator, whatever its words are here.
                torch.empty(1 << 58)
            raise error("CUDA out of memory")
        return forward(units, *others)

    one.generator.forward = limited  # type: ignore[method-assign]


def test_too_little_memory_is_named_or_met_by_halves_with_the_same_step(crops: Crops) -> None:
    one = objective(tiny_settings())
    scarce(one, 2)
    with pytest.raises(OutOfMemory, match="6 of 6 crops"):
        one.generator_step(crops, optimisers(one)[0], adversarial=False)
    wanted = objective(tiny_settings(auto_batch=True))
    less = copy.deepcopy(wanted)
    wanted.generator_step(crops, optimisers(wanted)[0], adversarial=True)
    scarce(less, 2, RuntimeError)
    less.generator_step(crops, optimisers(less)[0], adversarial=True)
    assert less.part == 2
    for key, value in wanted.generator.state_dict().items():
        torch.testing.assert_close(less.generator.state_dict()[key], value, rtol=0, atol=1e-5)
    scarce(less, 0)
    with pytest.raises(OutOfMemory, match="1 of 6 crops"):
        less.generator_step(crops, optimisers(less)[0], adversarial=False)


def test_other_errors_are_not_taken_for_too_little_memory(crops: Crops) -> None:
    one = objective(tiny_settings(auto_batch=True))
    one.generator.head = torch.nn.Linear(3, 3)
    with pytest.raises(RuntimeError, match="shapes"):
        one.generator_step(crops, optimisers(one)[0], adversarial=False)


def test_warm_up_takes_reconstruction_alone_and_the_penalty_its_place(crops: Crops) -> None:
    one = objective(tiny_settings())
    of_generator, of_discriminators = optimisers(one)
    before = copy.deepcopy(one.discriminators.state_dict())
    assert one.generator_step(crops, of_generator, adversarial=False).keys() == {"mel", "stft"}
    assert one.generator_step(crops, of_generator, adversarial=True).keys() == {"mel", "stft", "adversarial", "feature"}
    assert all(torch.equal(before[key], value) for key, value in one.discriminators.state_dict().items())
    assert one.discriminator_step(crops, of_discriminators).keys() == {"discriminator"}
    penalised = objective(tiny_settings(gradient_penalty=1e6))
    plain = objective(tiny_settings())
    assert penalised.discriminator_step(crops, optimisers(penalised)[1])["penalty"] > 0
    plain.discriminator_step(crops, optimisers(plain)[1])
    assert any(
        not torch.equal(value, plain.discriminators.state_dict()[key])
        for key, value in penalised.discriminators.state_dict().items()
    )


def test_a_loss_that_is_not_finite_names_what_to_lower(crops: Crops) -> None:
    one = objective(tiny_settings())
    with torch.no_grad():
        one.generator.head.bias.fill_(torch.nan)
    with pytest.raises(OssicleError, match=r"lower \[vocoder\] learning_rate"):
        one.generator_step(crops, optimisers(one)[0], adversarial=False)
