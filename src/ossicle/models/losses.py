"""Losses on masked, soft targets."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


def masked_bce(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Mean binary cross-entropy over known targets.

    ``logits``, ``targets`` in [0, 1] and ``mask`` in {0, 1}, all (batch, n_frames, n_labels); 0 where nothing is known.
    """
    loss = binary_cross_entropy_with_logits(logits, targets, reduction="none") * mask
    return loss.sum() / torch.clamp_min(mask.sum(), 1.0)
