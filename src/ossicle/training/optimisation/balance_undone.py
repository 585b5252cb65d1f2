"""Scores for labels as frequent as they are, from a training in which rare ones came more often.

A network with one answer of all labels learns how often each label was drawn. Adding the logarithm of the ratio of two
shares to a logit moves its scores from one to the other.

The weights of such a training say by how much they were moved, so that a training that starts from them first moves
them back: it goes on from what was learned, and its own scores are moved once.

References
----------
A. K. Menon et al., "Long-tail learning via logit adjustment", 2021.
"""

import json
from collections.abc import Sequence
from math import isfinite
from pathlib import Path

import torch
from torch import nn

from ossicle.core.errors import ArtefactError
from ossicle.models.networks.prior import output_biases
from ossicle.models.networks.score_kinds import is_softmax
from ossicle.models.weights import load_weights, read_note, save_weights
from ossicle.training.batches.crops import label_shares
from ossicle.training.settings import TrainingSettings

_SHIFT = "undo_balance"
"""The key in the header of a file of weights under which the shift of the biases stands, as a list in JSON."""


def balance_shift(network: nn.Module, counts: Sequence[int], training: TrainingSettings) -> list[float]:
    """Return what moves the logits of a trained network towards the shares of labels among its training clips.

    Parameters
    ----------
    network
        One network, or several that are averaged.
    counts
        Number of training clips of each label, (n_labels,).
    training
        ``balance``, and ``undo_balance``: how far, from 0 to 1.

    Returns
    -------
    list of float
        For each label what is added to its logit; empty if nothing is undone, as where each label has a score of its
        own.
    """
    if training.undo_balance == 0 or training.balance == "each" or not is_softmax(network):
        return []
    # Labels without a clip were never drawn and stay as they are.
    known = [column for column, count in enumerate(counts) if count]
    clips = torch.tensor([float(counts[column]) for column in known])
    drawn = torch.from_numpy(label_shares([int(counts[column]) for column in known], training.balance)).float()
    shift = torch.zeros(len(counts))
    shift[known] = training.undo_balance * torch.log(clips / clips.sum() / drawn)
    shift_values: list[float] = shift.tolist()
    return shift_values


def save_undone(network: nn.Module, shift: Sequence[float], path: Path) -> None:
    """Move the logits of a trained network, in place, and write its weights with the shift.

    Parameters
    ----------
    network
        One network, or several that are averaged.
    shift
        As :func:`balance_shift` returns it.
    path
        The file of weights.
    """
    move_logits(network, shift)
    save_weights(network, path, {_SHIFT: json.dumps(list(shift))} if shift else None)


def load_start(network: nn.Module, path: Path) -> None:
    """Load weights to go on from as they were learned: a shift that their training ended with is taken back.

    Parameters
    ----------
    network
        A network of the same settings.
    path
        Weights that a training wrote.

    Raises
    ------
    ArtefactError
        The weights cannot be read or do not fit the network, or their shift is not one number for each label.
    """
    load_weights(network, path)
    note = read_note(path)
    if _SHIFT not in note:
        return
    n_labels = len(output_biases(network)[0])
    shift = _numbers(note[_SHIFT])
    if len(shift) != n_labels:
        raise ArtefactError(
            f"{path}: its header should have {_SHIFT} as a list of {n_labels} numbers, not {note[_SHIFT]!r}; "
            "train the model again"
        )
    move_logits(network, [-shift_value for shift_value in shift])


@torch.no_grad()
def move_logits(network: nn.Module, shift: Sequence[float]) -> None:
    """Add to the logits of a network, in place.

    Parameters
    ----------
    network
        One network, or several that are averaged, each of which is moved.
    shift
        What is added for each label, (n_labels,); empty for nothing.
    """
    if shift:
        for bias in output_biases(network):
            bias += torch.tensor(shift, dtype=bias.dtype, device=bias.device)


def _numbers(text: str) -> list[float]:
    """Return a list of finite numbers in JSON; empty if the text is none."""
    try:
        content = json.loads(text)
    except ValueError:
        return []
    good = isinstance(content, list) and all(isinstance(value, int | float) and isfinite(value) for value in content)
    return [float(value) for value in content] if good else []
