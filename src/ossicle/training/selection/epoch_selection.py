"""The best epoch so far by the loss on inner held-out groups, as part of the state in a checkpoint."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ossicle.training.settings import TrainingSettings


class EpochSelection(nn.Module):
    """Keep which epoch had the lowest inner loss, and with ``training.keep = "best"`` its weights.

    Nothing here ever sees the groups on which the model is judged.

    Parameters
    ----------
    network
        The network that is trained.
    training
        Whether weights are kept, and the patience.
    """

    best_loss: Tensor
    best_epoch: Tensor
    last_epoch: Tensor

    def __init__(self, network: nn.Module, training: TrainingSettings) -> None:
        super().__init__()
        self.best = copy.deepcopy(network).requires_grad_(False).eval() if training.keep == "best" else None
        self._patience = training.patience
        self.register_buffer("best_loss", torch.tensor(torch.inf, dtype=torch.float64))
        self.register_buffer("best_epoch", torch.tensor(-1))
        self.register_buffer("last_epoch", torch.tensor(-1))

    def take(self, network: nn.Module, loss: float, epoch: int) -> None:
        """Note the inner loss of ``network`` after an epoch, counted from 0."""
        self.last_epoch.fill_(epoch)
        # The first epoch counts even if its loss is no number, so that there are weights to keep.
        if loss < float(self.best_loss) or int(self.best_epoch) < 0:
            self.best_loss.fill_(loss)
            self.best_epoch.fill_(epoch)
            if self.best is not None:
                self.best.load_state_dict(network.state_dict())

    @property
    def exhausted(self) -> bool:
        """Whether the loss has not fallen for as many epochs as the patience allows."""
        return self._patience > 0 and int(self.last_epoch) - int(self.best_epoch) >= self._patience

    def to_json(self, groups: Sequence[str], n_clips: int) -> dict[str, Any]:
        """Return what was chosen: the best epoch and the last one, from 0, on which inner groups and clips."""
        return {
            "best_epoch": int(self.best_epoch),
            "best_loss": float(self.best_loss),
            "last_epoch": int(self.last_epoch),
            "kept_epoch": int(self.last_epoch if self.best is None else self.best_epoch),
            "inner_groups": list(groups),
            "inner_clips": n_clips,
        }
