"""What a training makes small: the loss of a batch, by whether its labels say where something is or only that it is."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ossicle.models.losses import detection_loss, smooth
from ossicle.training.settings import TrainingSettings


@dataclass(frozen=True, slots=True)
class Said:
    """What a network said of a batch, beside what is known: logits, targets and mask of one shape (..., n_labels).

    ``best``: the logits of each clip's best place in time, where the network tells places and clips are what is judged.
    """

    logits: Tensor
    targets: Tensor
    mask: Tensor
    best: Tensor | None = None

    def loss(self, settings: TrainingSettings) -> Tensor:
        """The loss; of weak labels, the share ``settings.place_weight`` of it asks the best place in time."""
        wanted = smooth(self.targets, settings.label_smoothing) if settings.label_smoothing else self.targets
        loss = detection_loss(self.logits, wanted, self.mask, settings.loss)
        if self.best is None or settings.place_weight == 0:
            return loss
        best = detection_loss(self.best, wanted, self.mask, settings.loss)
        return (1 - settings.place_weight) * loss + settings.place_weight * best

    def error(self) -> Tensor:
        """Mean distance of scores and known targets."""
        return ((torch.sigmoid(self.logits) - self.targets).abs() * self.mask).sum() / self.mask.sum().clamp_min(1)


def said_of(network: nn.Module, spectrogram: Tensor, targets: Tensor, mask: Tensor, weak: bool) -> Said:
    """What a network says of chunks' spectrograms; ``targets`` and ``mask`` (batch, chunk_frames, n_labels).

    With ``weak`` labels a network that hears clips as a whole (``models.attention``) is asked about clips, and a clip
    has what any of its frames has.
    """
    heard = getattr(network, "heard", None)
    if heard is None or not weak:
        return Said(network(spectrogram).float(), targets, mask)
    clip, places = heard(spectrogram)
    shape = (len(clip), -1, targets.shape[2])
    known = mask.reshape(shape).amax(dim=1)
    wanted = (targets * mask).reshape(shape).amax(dim=1)
    return Said(clip.float(), wanted, known, places.float().amax(dim=1))
