"""The training objective: the loss of a batch, for labels with times or for weak labels."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ossicle.models.losses import detection_loss, smooth
from ossicle.training.settings import TrainingSettings


@dataclass(frozen=True, slots=True)
class Said:
    """Output of a network for a batch, with the truth: logits, targets and mask of one shape (..., n_labels).

    ``best``: the logits of each clip's best position in time, if the network returns positions and clips are scored.
    """

    logits: Tensor
    targets: Tensor
    mask: Tensor
    best: Tensor | None = None

    def loss(self, settings: TrainingSettings) -> Tensor:
        """Return the loss; with weak labels, the share ``settings.place_weight`` of it is the loss of the best
        position.
        """
        wanted = smooth(self.targets, settings.label_smoothing) if settings.label_smoothing else self.targets
        loss = detection_loss(self.logits, wanted, self.mask, settings.loss)
        if self.best is None or settings.place_weight == 0:
            return loss
        best = detection_loss(self.best, wanted, self.mask, settings.loss)
        return (1 - settings.place_weight) * loss + settings.place_weight * best

    def n_known(self) -> Tensor:
        """Return the number of known targets, over which the loss is a mean."""
        return self.mask.sum()

    def error(self) -> Tensor:
        """Return the mean distance between scores and known targets."""
        return ((torch.sigmoid(self.logits) - self.targets).abs() * self.mask).sum() / self.n_known().clamp_min(1)


def said_of(network: nn.Module, spectrogram: Tensor, targets: Tensor, mask: Tensor, weak: bool) -> Said:
    """Return the output of a network for chunks' spectrograms; ``targets``, ``mask`` (batch, chunk_frames, n_labels).

    With ``weak`` labels a network that scores whole clips (``models.networks.attention``) is trained on clips, and a
    clip has every label that any of its frames has.
    """
    heard = getattr(network, "heard", None)
    if heard is None or not weak:
        return Said(network(spectrogram).float(), targets, mask)
    clip, places = heard(spectrogram)
    shape = (len(clip), -1, targets.shape[2])
    known = mask.reshape(shape).amax(dim=1)
    wanted = (targets * mask).reshape(shape).amax(dim=1)
    return Said(clip.float(), wanted, known, places.float().amax(dim=1))
