"""What a training makes small: the loss of a batch, by whether its labels say where something is or only that it is."""

from torch import Tensor, nn

from ossicle.models.losses import detection_loss, smooth
from ossicle.training.settings import TrainingSettings


def objective(
    network: nn.Module, spectrogram: Tensor, targets: Tensor, mask: Tensor, settings: TrainingSettings
) -> Tensor:
    """The loss of a network on chunks' spectrograms; ``targets`` and ``mask`` (batch, chunk_frames, n_labels).

    With ``settings.weak`` a network that hears clips as a whole (``models.attention``) is judged by what it says of the
    clip, and by its best place in time with the share ``settings.place_weight``; a clip has what any of its frames has.
    """
    targets = smooth(targets, settings.label_smoothing) if settings.label_smoothing else targets
    heard = getattr(network, "heard", None)
    if heard is None or not settings.weak:
        return detection_loss(network(spectrogram).float(), targets, mask, settings.loss)
    clip, places = heard(spectrogram)
    shape = (len(clip), -1, targets.shape[2])
    known = mask.reshape(shape).amax(dim=1)
    wanted = (targets * mask).reshape(shape).amax(dim=1)
    loss = detection_loss(clip.float(), wanted, known, settings.loss)
    if settings.place_weight == 0:
        return loss
    best = detection_loss(places.float().amax(dim=1), wanted, known, settings.loss)
    return (1 - settings.place_weight) * loss + settings.place_weight * best
