"""Mixup of crops: two crops of a batch added, with their labels combined.

Zhang et al. (2018); with ``balance = "pressure"`` the weights of Tokozume et al. (2018), for which a share of r sounds
like r whatever the levels of the crops. The level is the root mean square of the loudest tenth of a second, here
without A-weighting.

References
----------
H. Zhang et al., "mixup: Beyond empirical risk minimization", 2018.
Y. Tokozume et al., "Learning from between-class examples for deep sound recognition", 2018.
"""

import numpy as np
import torch
from torch import Tensor

from ossicle.models.augmentation.draws import replaced, touched
from ossicle.models.augmentation.settings import MixupSettings
from ossicle.models.augmentation.sounds import Sounds, loudest


def mix(sounds: Sounds, settings: MixupSettings, rate: int, generator: torch.Generator) -> Sounds:
    """Mix some crops with another of the batch; a batch of one stays unchanged.

    The partner is the next in a random cycle through the batch, so never the crop itself.
    """
    batch, device = len(sounds), sounds.waveforms.device
    if settings.probability == 0 or batch < 2:
        return sounds
    items = touched(batch, settings.probability, generator)
    if len(items) == 0:
        return sounds
    partners = next_on_round(batch, generator)[items].to(device)
    share = shares(batch, settings.alpha, generator)[items, None].to(device)
    chosen = items.to(device)
    first, other = sounds.waveforms[chosen], sounds.waveforms[partners]
    mixed = (
        mixed_by_pressure(first, other, share, rate)
        if settings.balance == "pressure"
        else share * first + (1 - share) * other
    )
    targets, mask = joined(
        (sounds.targets[chosen], sounds.mask[chosen]),
        (sounds.targets[partners], sounds.mask[partners]),
        share[:, :, None],
        settings.labels,
    )
    return Sounds(
        replaced(sounds.waveforms, items, mixed),
        replaced(sounds.targets, items, targets),
        replaced(sounds.mask, items, mask),
    )


def next_on_round(batch: int, generator: torch.Generator) -> Tensor:
    """Return another item for each item: a permutation of one cycle, int64 (batch,)."""
    order = torch.randperm(batch, generator=generator)
    partner = torch.empty_like(order)
    partner[order] = order.roll(-1)
    return partner


def shares(batch: int, alpha: float, generator: torch.Generator) -> Tensor:
    """Return the share of each crop in its mix, from Beta(alpha, alpha), or 0.5 if ``alpha`` is 0: float32 (batch,)."""
    if alpha == 0:
        return torch.full((batch,), 0.5)
    # torch's own function takes no generator.
    seed = int(torch.randint(0, 2**62, (1,), generator=generator))
    return torch.from_numpy(np.random.default_rng(seed).beta(alpha, alpha, batch).astype(np.float32))


def mixed_by_pressure(first: Tensor, other: Tensor, share: Tensor, rate: int) -> Tensor:
    """Return ``(p a + (1 - p) b) / sqrt(p^2 + (1 - p)^2)`` with ``p = 1 / (1 + A (1 - r) / (B r))``: (k, n_samples).

    A and B are the crops' levels, r their ``share`` (k, 1). For digital silence, which has no level, p is r.
    """
    a, b = loudest(first, rate), loudest(other, rate)
    heard = (a > 0) & (b > 0)
    up, down = torch.where(heard, b * share, share), torch.where(heard, a * (1 - share), 1 - share)
    p = up / (up + down)
    return (p * first + (1 - p) * other) / (p.square() + (1 - p).square()).sqrt()


def joined(
    first: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor], share: Tensor, rule: str
) -> tuple[Tensor, Tensor]:
    """Combine targets and mask of two crops, each (k, n_frames, n_labels); ``share`` (k, 1, 1).

    A frame is known if it is known in both. If labels are not divided by share, a call that is known to fill one crop
    fills the mix, whatever the other crop contains.
    """
    (a, known_a), (b, known_b) = first, other
    both = known_a * known_b
    if rule == "soft":
        return share * a + (1 - share) * b, both
    decided = torch.maximum(known_a * (a >= 1), known_b * (b >= 1))
    mask = torch.maximum(both, decided)
    if rule == "sum":
        return (a + b).clamp_max(1), mask
    if rule == "max":
        return torch.maximum(a, b), mask
    return 1 - (1 - a) * (1 - b), mask
