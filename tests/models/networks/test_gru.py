"""The GRU for training against ``torch.nn.GRU``."""

import pytest
import torch
from torch import nn

from ossicle.models.networks.crnn import Crnn
from ossicle.models.networks.gru import bidirectional_gru
from ossicle.models.settings import CrnnSettings


@pytest.mark.parametrize(("batch", "n_frames", "width", "hidden"), [(3, 11, 7, 5), (1, 1, 2, 1), (2, 40, 3, 8)])
@pytest.mark.parametrize(("dtype", "within"), [(torch.float64, 1e-12), (torch.float32, 2e-5)])
def test_values_and_gradients_are_those_of_torch(
    batch: int, n_frames: int, width: int, hidden: int, dtype: torch.dtype, within: float
) -> None:
    torch.manual_seed(n_frames)
    gru = nn.GRU(width, hidden, batch_first=True, bidirectional=True).to(dtype)
    x = torch.randn(batch, n_frames, width, dtype=dtype, requires_grad=True)
    weights = torch.randn(batch, n_frames, 2 * hidden, dtype=dtype)
    ours, theirs = bidirectional_gru(x, gru), gru(x)[0]
    torch.testing.assert_close(ours, theirs, rtol=0, atol=within)
    of = [x, *gru.parameters()]
    for mine, its in zip(
        torch.autograd.grad((ours * weights).sum(), of), torch.autograd.grad((theirs * weights).sum(), of), strict=True
    ):
        torch.testing.assert_close(mine, its, rtol=within, atol=within)


def test_a_network_gives_the_same_in_training_as_outside() -> None:
    torch.manual_seed(0)
    network = Crnn(CrnnSettings(channels=(4,), pools=(4,), hidden=6, dropout=0.0), 16, 2)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.eval()
    x = torch.randn(2, 30, 16)
    assert network.training
    trained = network(x)
    torch.testing.assert_close(trained, network.eval()(x), rtol=0, atol=1e-6)


def test_frozen_weights_ask_for_no_gradient() -> None:
    gru = nn.GRU(3, 2, batch_first=True, bidirectional=True).requires_grad_(False)
    assert not bidirectional_gru(torch.zeros(1, 4, 3), gru).requires_grad
