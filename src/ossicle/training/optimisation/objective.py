"""The training objective: the loss of a batch, for labels with times or for weak labels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ossicle.models.losses import detection_loss, smooth
from ossicle.models.networks.averaged import AveragedNetworks, networks_of
from ossicle.models.networks.score_kinds import is_softmax, scores_of
from ossicle.training.settings import TrainingSettings


@dataclass(frozen=True, slots=True)
class Said:
    """Output of a network for a batch, with the truth: logits, targets and mask of one shape (..., n_labels).

    ``best``: the logits of each clip's best position in time, if the network returns positions and clips are scored.
    ``softmax``: whether each clip has one label of all.
    """

    logits: Tensor
    targets: Tensor
    mask: Tensor
    best: Tensor | None = None
    softmax: bool = False

    def loss(self, settings: TrainingSettings, weights: Tensor | None = None) -> Tensor:
        """Return the loss; with weak labels, the share ``settings.place_weight`` of it is the loss of the best
        position.

        ``weights``: class weights (n_labels,); None for none.
        """
        targets = smooth(self.targets, settings.label_smoothing) if settings.label_smoothing else self.targets
        loss = detection_loss(self.logits, targets, self.mask, settings.loss, weights, self.softmax)
        if self.best is None or settings.place_weight == 0:
            return loss
        best = detection_loss(self.best, targets, self.mask, settings.loss, weights, self.softmax)
        return (1 - settings.place_weight) * loss + settings.place_weight * best

    def n_known(self) -> Tensor:
        """Return the number of known targets over which the loss is a mean; of clips with one, for one label of all."""
        return self.mask.amax(dim=-1).sum() if self.softmax else self.mask.sum()

    def scores(self) -> Tensor:
        """Return the scores in [0, 1], as the bundle gives them."""
        return scores_of(self.logits, self.softmax)

    def error(self) -> Tensor:
        """Return the mean distance between scores and known targets."""
        return ((self.scores() - self.targets).abs() * self.mask).sum() / self.mask.sum().clamp_min(1)


def each_output(network: nn.Module, spectrogram: Tensor, targets: Tensor, mask: Tensor, weak: bool) -> tuple[Said, ...]:
    """Return the output of each of the networks that are averaged; of one network, its own.

    Parameters
    ----------
    network
        One network, or several that are averaged.
    spectrogram
        Chunks' spectrograms in dB, (batch, n_frames, n_mels).
    targets, mask
        The truth and where it is known, (batch, chunk_frames, n_labels).
    weak
        Whether labels say what a clip contains, not where.

    Returns
    -------
    tuple of Said
        For each network, as :func:`said_of`.
    """
    return tuple(said_of(averaged, spectrogram, targets, mask, weak) for averaged in networks_of(network))


def said_of(network: nn.Module, spectrogram: Tensor, targets: Tensor, mask: Tensor, weak: bool) -> Said:
    """Return the output of a network for chunks' spectrograms.

    With ``weak`` labels a network that scores whole clips (``models.networks.attention``) is trained on clips, and a
    clip has every label that any of its frames has.

    Parameters
    ----------
    network
        One network, or several that are averaged.
    spectrogram
        Chunks' spectrograms in dB, (batch, n_frames, n_mels).
    targets, mask
        The truth and where it is known, (batch, chunk_frames, n_labels).
    weak
        Whether labels say what a clip contains, not where.

    Returns
    -------
    Said
        Logits with the truth of the same shape; the logits of averaged networks are the mean of theirs.
    """
    if isinstance(network, AveragedNetworks):
        every = each_output(network, spectrogram, targets, mask, weak)
        best = [output.best for output in every if output.best is not None]
        return replace(every[0], logits=_mean([output.logits for output in every]), best=_mean(best) if best else None)
    heard, softmax = getattr(network, "heard", None), is_softmax(network)
    if heard is None or not weak:
        return Said(network(spectrogram).float(), targets, mask, softmax=softmax)
    clip, places = heard(spectrogram)
    shape = (len(clip), -1, targets.shape[2])
    known = mask.reshape(shape).amax(dim=1)
    clip_targets = (targets * mask).reshape(shape).amax(dim=1)
    return Said(clip.float(), clip_targets, known, places.float().amax(dim=1), softmax)


def _mean(outputs: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(outputs)).mean(dim=0)
