"""Initial outputs of a network from the frequency of each label."""

import torch
from torch import Tensor, nn

from ossicle.models.networks.averaged import networks_of
from ossicle.models.networks.score_kinds import is_softmax


def rare_event_bias(network: nn.Module, positive_share: Tensor) -> None:
    """Start each output at the share of frames with its label, so that training need not first unlearn 0.5.

    The logits of every network in the registry come from a linear layer called ``output``. Scores that sum to 1 start
    at the share of each label among all.
    """
    share = positive_share.clamp(1e-4, 0.5)
    with torch.no_grad():
        for bias in output_biases(network):
            bias.copy_(torch.log(share / (share.sum() if is_softmax(network) else 1 - share)))


def output_biases(network: nn.Module) -> list[Tensor]:
    """Return the biases of the output of a network, (n_labels,); of several that are averaged, those of each."""
    biases: list[Tensor] = []
    for each in networks_of(network):
        output = each.get_submodule("output")
        if not isinstance(output, nn.Linear) or output.bias is None:
            raise TypeError(f"the output of {type(each).__name__} is not a linear layer with a bias")
        biases.append(output.bias)
    return biases
