import torch
from torch import nn

from ossicle.models.averaging import WeightAverage


def test_closed_form_with_its_warm_up() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 1.0)
    average = WeightAverage(network, decay=0.9)
    expected = 1.0
    for step, value in enumerate([2.0, -1.0, 4.0] * 40):
        nn.init.constant_(network.weight, value)
        average.update(network, step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
    assert abs(float(average.average.weight) - expected) < 1e-5


def test_a_still_network_is_its_own_average() -> None:
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    average = WeightAverage(network, decay=0.99)
    for step in range(5):
        average.update(network, step)
    for name, value in network.state_dict().items():
        assert torch.allclose(average.average.state_dict()[name].float(), value.float(), atol=1e-7), name


def test_buffers_follow_and_counters_are_copied() -> None:
    network = nn.BatchNorm1d(2)
    average = WeightAverage(network, decay=0.99)
    network(torch.randn(8, 2) + 3)
    average.update(network, 0)
    assert int(average.average.num_batches_tracked) == 1
    assert torch.allclose(average.average.running_mean, 0.9 * network.running_mean)


def test_the_average_does_not_learn_and_stays_in_evaluation() -> None:
    network = nn.BatchNorm1d(2).train()
    average = WeightAverage(network, decay=0.99)
    assert network.training
    assert not average.average.training
    assert not any(p.requires_grad for p in average.average.parameters())
    assert any(p.requires_grad for p in network.parameters())


def test_the_average_is_part_of_the_state() -> None:
    network = nn.Linear(2, 2)
    weight_average, other = WeightAverage(network, 0.9), WeightAverage(nn.Linear(2, 2), 0.9)
    other.load_state_dict(weight_average.state_dict())
    assert torch.equal(weight_average.average.weight, other.average.weight)
