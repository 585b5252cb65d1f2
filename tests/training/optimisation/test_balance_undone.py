"""From the shares in which labels were drawn to those of the clips."""

import pytest
import torch
from torch import nn

from ossicle.models.networks.averaged import AveragedNetworks
from ossicle.training.optimisation.balance_undone import undo_balance
from ossicle.training.settings import TrainingSettings

COUNTS = [81, 9, 0]


class Scored(nn.Module):
    """A network whose logits are the biases of its output."""

    def __init__(self, scores: str = "softmax", bias: tuple[float, ...] = (0.0, 0.0, 0.0)) -> None:
        super().__init__()
        self.scores = scores
        self.output = nn.Linear(1, 3)
        nn.init.zeros_(self.output.weight)
        self.output.bias.data = torch.tensor(bias)

    def forward(self, spectrogram: torch.Tensor) -> torch.Tensor:
        return self.output(spectrogram[..., :1])


def scores(network: nn.Module) -> torch.Tensor:
    return torch.softmax(network(torch.zeros(1, 1)), dim=-1)[0].detach()


def test_a_network_that_learned_drawn_shares_says_those_of_the_clips() -> None:
    # With the root of the counts the first label was drawn three times as often as the second, and it is nine times.
    drawn = Scored(bias=(float(torch.log(torch.tensor(3.0))), 0.0, -20.0))
    undone = undo_balance(drawn, COUNTS, TrainingSettings(balance="sqrt", undo_balance=1.0))
    assert scores(undone)[:2] == pytest.approx([0.9, 0.1], abs=1e-4)


def test_half_of_the_way_is_the_root_of_the_ratio() -> None:
    undone = undo_balance(Scored(), COUNTS, TrainingSettings(balance="uniform", undo_balance=0.5))
    ratio = scores(undone)
    assert float(ratio[0] / ratio[1]) == pytest.approx(3.0, rel=1e-5)
    # A label without clips keeps its logit.
    assert undone.get_submodule("output").bias[2] == 0


@pytest.mark.parametrize(
    ("kind", "training"),
    [
        ("softmax", TrainingSettings(balance="sqrt")),
        ("softmax", TrainingSettings(balance="natural", undo_balance=1.0)),
        ("softmax", TrainingSettings(balance="each", undo_balance=1.0)),
        ("sigmoid", TrainingSettings(balance="sqrt", undo_balance=1.0)),
    ],
)
def test_there_is_nothing_to_undo(kind: str, training: TrainingSettings) -> None:
    undone = undo_balance(Scored(kind), COUNTS, training)
    assert torch.allclose(undone.get_submodule("output").bias, torch.zeros(3), atol=1e-6)


def test_every_network_that_is_averaged_is_moved() -> None:
    alone, both = Scored(), AveragedNetworks([Scored(), Scored()])
    training = TrainingSettings(balance="sqrt", undo_balance=0.5)
    assert torch.equal(scores(undo_balance(both, COUNTS, training)), scores(undo_balance(alone, COUNTS, training)))
