"""Several networks as one: mean logits, other starts, and the first as it would be alone."""

import pytest
import torch

from ossicle.core.model_input.chunks import ChunkPlan, framing, window_plan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.models.networks.averaged import networks_of
from ossicle.models.networks.prior import rare_event_bias
from ossicle.models.networks.registry import build_network
from ossicle.models.networks.score_kinds import is_softmax
from ossicle.models.settings import CrnnSettings, ModelSettings, WindowSettings

FRONT = FrontEndSettings(rate=8000, n_fft=256, hop_samples=80, n_mels=32, fmax_hz=4000.0)
FRAMES = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=20, context_frames=5)
WINDOWS = window_plan(FRONT, 0.505, 0.5, 1.0, exact=True)
CASES = {
    "crnn": ({"crnn": CrnnSettings(channels=(4, 6), pools=(4, 2), hidden=6)}, FRAMES),
    "softmax": (
        {"name": "window", "window": WindowSettings(backbone="small_cnn", head="attention", scores="softmax")},
        WINDOWS,
    ),
}


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> tuple[dict, ChunkPlan]:
    return CASES[request.param]


def build(case: tuple[dict, ChunkPlan], n: int) -> torch.nn.Module:
    torch.manual_seed(3)
    return build_network(ModelSettings(networks=n, **case[0]), FRONT, case[1], 3).eval()


def test_the_logits_are_the_mean_of_networks_that_start_from_other_weights(case: tuple[dict, ChunkPlan]) -> None:
    network = build(case, 3)
    spectrogram = torch.randn(2, framing(case[1], FRONT).n_frames, 32) * 10 - 40
    with torch.no_grad():
        each = [one(spectrogram) for one in networks_of(network)]
        torch.testing.assert_close(network(spectrogram), (each[0] + each[1] + each[2]) / 3)
    assert not torch.allclose(each[0], each[1])
    assert is_softmax(network) == is_softmax(networks_of(network)[0])


def test_the_first_network_starts_as_it_would_alone(case: tuple[dict, ChunkPlan]) -> None:
    alone, several = build(case, 1), build(case, 2)
    assert networks_of(alone) == (alone,)
    first = networks_of(several)[0].state_dict()
    assert all(torch.equal(first[name], one) for name, one in alone.state_dict().items())


def test_every_network_starts_at_the_shares_of_labels(case: tuple[dict, ChunkPlan]) -> None:
    alone, several = build(case, 1), build(case, 2)
    for network in (alone, several):
        rare_event_bias(network, torch.tensor([0.5, 0.1, 0.01]))
    for one in networks_of(several):
        assert torch.equal(one.get_submodule("output").bias, alone.get_submodule("output").bias)
