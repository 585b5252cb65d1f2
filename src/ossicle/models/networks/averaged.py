"""Several networks of one kind as one: they start from other weights, are trained side by side, and are averaged.

The average of networks that differ only in their random values makes fewer errors than each of them, most of all where
there are few clips. Everything that scores, exports or streams a network sees a single one.

References
----------
B. Lakshminarayanan et al., "Simple and scalable predictive uncertainty estimation using deep ensembles", 2017.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from ossicle.models.networks.score_kinds import SIGMOID


class AveragedNetworks(nn.Module):
    """Chunks' spectrograms (batch, n_frames, n_mels) in dB -> mean logits of all networks (batch, chunk_frames,
    n_labels).

    The mean of logits is the normalised geometric mean of the scores, whether each label has a score of its own or
    the scores sum to 1.

    Parameters
    ----------
    networks
        At least one network; all have the same settings.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.scores = getattr(networks[0], "scores", SIGMOID)
        self.networks = nn.ModuleList(networks)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Return the mean logits."""
        return torch.stack([network(spectrogram) for network in self.networks]).mean(dim=0)


def averaged(build: Callable[[], nn.Module], n_networks: int) -> nn.Module:
    """Return one network, or several as one.

    Parameters
    ----------
    build
        Returns a new network with random weights.
    n_networks
        Number of networks, at least 1. The first one has the weights that it would have alone.
    """
    return build() if n_networks == 1 else AveragedNetworks([build() for _ in range(n_networks)])


def networks_of(network: nn.Module) -> tuple[nn.Module, ...]:
    """Return the networks that learn by themselves.

    Parameters
    ----------
    network
        One network, or several that are averaged.

    Returns
    -------
    tuple of torch.nn.Module
        Those that are averaged, or the network itself.
    """
    return tuple(network.networks) if isinstance(network, AveragedNetworks) else (network,)
