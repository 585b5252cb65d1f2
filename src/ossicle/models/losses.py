"""Losses on masked, soft targets; all take logits, targets in [0, 1] and a mask in {0, 1} of one shape (..., n_labels).

A mask of 0 means that the target is unknown.
"""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

LOSSES = ("bce", "focal", "bce_focal")
# Lin et al., "Focal Loss for Dense Object Detection" (2017).
_ALPHA, _GAMMA = 0.25, 2.0


def masked_bce(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Return the mean binary cross-entropy over known targets; 0 if none is known."""
    return _mean(binary_cross_entropy_with_logits(logits, targets, reduction="none"), mask)


def masked_focal(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Return the mean focal loss over known targets (alpha 0.25, gamma 2), for soft targets as for hard ones.

    ``|target - p|^gamma`` times the cross-entropy, which for targets of 0 and 1 is the published loss.
    """
    bce = binary_cross_entropy_with_logits(logits, targets, reduction="none")
    hard = (targets - torch.sigmoid(logits)).abs().pow(_GAMMA)
    alpha = _ALPHA * targets + (1 - _ALPHA) * (1 - targets)
    return _mean(alpha * hard * bce, mask)


def detection_loss(logits: Tensor, targets: Tensor, mask: Tensor, kind: str = "bce") -> Tensor:
    """Return the loss of a name in :data:`LOSSES`; ``"bce_focal"`` is the mean of both."""
    if kind == "bce":
        return masked_bce(logits, targets, mask)
    if kind == "focal":
        return masked_focal(logits, targets, mask)
    return (masked_bce(logits, targets, mask) + masked_focal(logits, targets, mask)) / 2


def smooth(targets: Tensor, by: float) -> Tensor:
    """Move targets (..., n_labels) towards their mean over labels by the share ``by``.

    A clip with none of the labels keeps its zeros.
    """
    return targets * (1 - by) + by * targets.mean(dim=-1, keepdim=True)


def _mean(loss: Tensor, mask: Tensor) -> Tensor:
    return (loss * mask).sum() / torch.clamp_min(mask.sum(), 1.0)
