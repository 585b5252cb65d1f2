"""Scores for labels as frequent as they are, from a training in which rare ones came more often.

A network with one answer of all labels learns how often each label was drawn. Adding the logarithm of the ratio of two
shares to a logit moves its scores from one to the other.

References
----------
A. K. Menon et al., "Long-tail learning via logit adjustment", 2021.
"""

from collections.abc import Sequence

import torch
from torch import nn

from ossicle.models.networks.prior import output_biases
from ossicle.models.networks.score_kinds import is_softmax
from ossicle.training.batches.crops import label_shares
from ossicle.training.settings import TrainingSettings


@torch.no_grad()
def undo_balance(network: nn.Module, counts: Sequence[int], training: TrainingSettings) -> nn.Module:
    """Move the scores of a trained network towards the shares of labels among its training clips, in place.

    Parameters
    ----------
    network
        One network, or several that are averaged. Nothing changes if each label has a score of its own.
    counts
        Number of training clips of each label, (n_labels,).
    training
        ``balance``, and ``undo_balance``: how far, from 0 to 1.

    Returns
    -------
    torch.nn.Module
        The network.
    """
    if training.undo_balance == 0 or training.balance == "each" or not is_softmax(network):
        return network
    # Labels without a clip were never drawn and stay as they are.
    known = [place for place, count in enumerate(counts) if count]
    clips = torch.tensor([float(counts[place]) for place in known])
    drawn = torch.from_numpy(label_shares([int(counts[place]) for place in known], training.balance)).float()
    change = torch.zeros(len(counts))
    change[known] = training.undo_balance * torch.log(clips / clips.sum() / drawn)
    for bias in output_biases(network):
        bias += change.to(bias.device)
    return network
