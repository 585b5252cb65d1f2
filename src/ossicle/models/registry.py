"""Networks by name: a literal table from the name in a project file to what builds it."""

from collections.abc import Callable

from torch import nn

from ossicle.models.crnn import Crnn
from ossicle.models.settings import ModelSettings

BUILDERS: dict[str, Callable[[ModelSettings, int, int], nn.Module]] = {
    "crnn": lambda model, n_mels, n_labels: Crnn(model.crnn, n_mels, n_labels),
}


def build_network(model: ModelSettings, n_mels: int, n_labels: int) -> nn.Module:
    """A fresh network: log-mel (batch, n_frames, n_mels) in dB -> logits (batch, n_frames, n_labels)."""
    return BUILDERS[model.name](model, n_mels, n_labels)
