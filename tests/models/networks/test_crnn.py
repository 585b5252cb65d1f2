import pytest
import torch

from ossicle.core.errors import UsageError
from ossicle.core.model_input.chunks import ChunkPlan, window_plan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.models.networks.crnn import Crnn
from ossicle.models.networks.prior import rare_event_bias
from ossicle.models.networks.registry import BUILDERS, build_network
from ossicle.models.settings import CrnnSettings, ModelSettings, WindowSettings

FRONT = FrontEndSettings(rate=8000, n_fft=256, hop_samples=80, n_mels=16, fmax_hz=4000.0)
FRAMES = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=20, context_frames=5)
SMALL = CrnnSettings(channels=(4, 6), pools=(4, 2), hidden=5, dropout=0.0)


@pytest.mark.parametrize(("n_frames", "n_mels", "n_labels"), [(1, 8, 1), (7, 16, 3), (30, 19, 2)])
def test_one_logit_a_frame_and_label(n_frames: int, n_mels: int, n_labels: int) -> None:
    network = Crnn(SMALL, n_mels, n_labels).eval()
    assert network(torch.zeros(3, n_frames, n_mels)).shape == (3, n_frames, n_labels)


def test_every_size_is_the_settings() -> None:
    state = Crnn(SMALL, 16, 3).state_dict()
    assert state["convolutions.0.weight"].shape == (4, 1, 3, 3)
    assert state["convolutions.5.weight"].shape == (6, 4, 3, 3)
    assert state["recurrent.weight_ih_l0"].shape == (15, 6 * 2)
    assert state["output.weight"].shape == (3, 10)


def test_poolings_that_leave_no_band_are_refused_with_the_key() -> None:
    with pytest.raises(UsageError, match=r"\[model.crnn\] pools = \[4, 2\] leave nothing of 7 mel bands"):
        Crnn(SMALL, 7, 1)


@pytest.mark.parametrize("values", [{"channels": (4,), "pools": (2, 2)}, {"channels": (), "pools": ()}])
def test_settings_need_a_pooling_for_each_block(values: dict) -> None:
    with pytest.raises(ValueError, match="same number of blocks"):
        CrnnSettings(**values)


def test_items_of_a_batch_do_not_see_each_other() -> None:
    torch.manual_seed(0)
    network = Crnn(SMALL, 16, 2).eval()
    batch = torch.randn(4, 20, 16) * 10 - 50
    together = network(batch)
    alone = torch.cat([network(one[None]) for one in batch])
    assert torch.allclose(together, alone, atol=1e-5)


def test_rectifying_after_the_pooling_is_rectifying_before_it() -> None:
    torch.manual_seed(0)
    network = Crnn(SMALL, 16, 2).eval()
    x = torch.randn(2, 9, 16)
    normal = network.normalise(x.transpose(1, 2)).transpose(1, 2)[:, None]
    slow = normal
    for first in (0, 5):
        conv, norm, pool = (network.convolutions[first + i] for i in (0, 1, 2))
        slow = pool(torch.relu(norm(conv(slow))))
    assert torch.equal(network.convolutions(normal), slow)


def test_the_bias_starts_at_the_share_of_frames() -> None:
    network = Crnn(SMALL, 16, 4)
    rare_event_bias(network, torch.tensor([0.1, 0.02, 0.0, 0.9]))
    # Never less than 1 in 10000 and never more than half.
    assert torch.allclose(torch.sigmoid(network.output.bias), torch.tensor([0.1, 0.02, 1e-4, 0.5]), atol=1e-6)


def test_every_name_in_the_settings_is_built_and_the_other_way_round() -> None:
    for name in BUILDERS:
        plan = window_plan(FRONT, 0.1, 0.02, 0.1) if name == "window" else FRAMES
        model = ModelSettings(name=name, crnn=SMALL, window=WindowSettings(backbone="resnet10t"))
        assert isinstance(build_network(model, FRONT, plan, 2).get_submodule("output"), torch.nn.Linear)
    with pytest.raises(ValueError, match="not one of"):
        ModelSettings(name="resnet")


def test_the_same_seed_builds_the_same_network() -> None:
    states = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        states.append(Crnn(SMALL, 16, 2).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["output.weight"], states[2]["output.weight"])
