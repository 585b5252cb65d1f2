"""From the shares in which labels were drawn to those of the clips."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import nn

from ossicle.core.errors import ArtefactError
from ossicle.models.networks.averaged import AveragedNetworks
from ossicle.models.weights import save_weights
from ossicle.training.optimisation.balance_undone import balance_shift, load_start, move_logits, save_undone
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


def undo_balance(network: nn.Module, counts: Sequence[int], training: TrainingSettings) -> nn.Module:
    move_logits(network, balance_shift(network, counts, training))
    return network


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


@pytest.mark.parametrize("several", [False, True])
def test_a_training_goes_on_from_what_was_learned(tmp_path: Path, several: bool) -> None:
    def made(*bias: float) -> nn.Module:
        return AveragedNetworks([Scored(bias=bias), Scored(bias=bias)]) if several else Scored(bias=bias)

    learned = made(0.3, -0.2, 0.1)
    shift = balance_shift(learned, COUNTS, TrainingSettings(balance="sqrt", undo_balance=0.5))
    save_undone(learned, shift, tmp_path / "moved.safetensors")
    assert not torch.allclose(scores(learned), scores(made(0.3, -0.2, 0.1)), atol=0.01)
    start = made(0.0, 0.0, 0.0)
    load_start(start, tmp_path / "moved.safetensors")
    assert torch.allclose(scores(start), scores(made(0.3, -0.2, 0.1)), atol=1e-6)


def test_weights_that_were_not_moved_are_written_and_loaded_as_they_are(tmp_path: Path) -> None:
    save_undone(Scored(bias=(1.0, 2.0, 3.0)), [], tmp_path / "a.safetensors")
    save_weights(Scored(bias=(1.0, 2.0, 3.0)), tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    start = Scored()
    load_start(start, tmp_path / "a.safetensors")
    assert start.output.bias.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("text", ["[1.0, 2.0]", "[1.0, 2.0, NaN]", "{", "3", '["a", "b", "c"]'])
def test_a_shift_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    save_weights(Scored(), tmp_path / "a.safetensors", {"undo_balance": text})
    with pytest.raises(ArtefactError, match=r"should have undo_balance as a list of 3 numbers, not .*; train"):
        load_start(Scored(), tmp_path / "a.safetensors")
