"""Losses on masked, soft targets; all take logits, targets in [0, 1] and a mask in {0, 1} of one shape (..., n_labels).

A mask of 0 means that the target is unknown. Class weights, float (n_labels,), multiply the part of the loss that
comes from the presence of a label; the sums are divided by the number of known targets, not by the weights, so that
the weight of a clip does not depend on the others of its batch.
"""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax

LOSSES = ("bce", "focal", "bce_focal")
# Lin et al., "Focal Loss for Dense Object Detection" (2017).
_ALPHA, _GAMMA = 0.25, 2.0


def masked_bce(logits: Tensor, targets: Tensor, mask: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the mean binary cross-entropy over known targets; 0 if none is known."""
    return _mean(_bce(logits, targets, weights), mask)


def masked_focal(logits: Tensor, targets: Tensor, mask: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the mean focal loss over known targets (alpha 0.25, gamma 2), for soft targets as for hard ones.

    ``|target - p|^gamma`` times the cross-entropy, which for targets of 0 and 1 is the published loss.
    """
    hard = (targets - torch.sigmoid(logits)).abs().pow(_GAMMA)
    alpha = _ALPHA * targets + (1 - _ALPHA) * (1 - targets)
    return _mean(alpha * hard * _bce(logits, targets, weights), mask)


def masked_cross_entropy(
    logits: Tensor, targets: Tensor, mask: Tensor, weights: Tensor | None = None, gamma: float = 0.0
) -> Tensor:
    """Return the mean cross-entropy of a softmax over the known labels of each clip; 0 if none is known.

    The targets of a clip are divided by their sum: two labels at once are halves. A clip that is known to have none
    of the labels has equal targets, so that silence gives no label a high score; it has no class weight. ``gamma``
    above 0 is the focal loss ``-target * weight * (1 - p)^gamma * log p``.
    """
    known = mask > 0
    log_p = log_softmax(logits.masked_fill(~known, torch.finfo(logits.dtype).min / 4), dim=-1)
    present = torch.where(known, targets, 0.0)
    total, n_known = present.sum(dim=-1, keepdim=True), known.sum(dim=-1, keepdim=True)
    share = present / total.clamp_min(torch.finfo(logits.dtype).tiny)
    if weights is not None:
        share = share * weights
    share = torch.where(total > 0, share, known / n_known.clamp_min(1))
    terms = share * log_p
    if gamma > 0:
        terms = terms * (1 - log_p.exp()).pow(gamma)
    rows = n_known.squeeze(-1) > 0
    return -torch.where(known, terms, 0.0).sum() / rows.sum().clamp_min(1)


def detection_loss(
    logits: Tensor,
    targets: Tensor,
    mask: Tensor,
    kind: str = "bce",
    weights: Tensor | None = None,
    softmax: bool = False,
) -> Tensor:
    """Return the loss of a name in :data:`LOSSES`; ``"bce_focal"`` is the mean of both.

    Parameters
    ----------
    logits, targets, mask
        Shape (..., n_labels).
    kind
        A name in :data:`LOSSES`.
    weights
        Class weights, shape (n_labels,); None for none.
    softmax
        Whether each clip has one label of all (cross-entropy), instead of every label by itself.
    """
    if softmax:
        plain = masked_cross_entropy(logits, targets, mask, weights) if kind != "focal" else None
        focal = masked_cross_entropy(logits, targets, mask, weights, _GAMMA) if kind != "bce" else None
    else:
        plain = masked_bce(logits, targets, mask, weights) if kind != "focal" else None
        focal = masked_focal(logits, targets, mask, weights) if kind != "bce" else None
    losses = [loss for loss in (plain, focal) if loss is not None]
    return losses[0] if len(losses) == 1 else (losses[0] + losses[1]) / 2


def smooth(targets: Tensor, by: float) -> Tensor:
    """Move targets (..., n_labels) towards their mean over labels by the share ``by``.

    A clip with none of the labels keeps its zeros.
    """
    return targets * (1 - by) + by * targets.mean(dim=-1, keepdim=True)


def _bce(logits: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
    return binary_cross_entropy_with_logits(logits, targets, reduction="none", pos_weight=weights)


def _mean(loss: Tensor, mask: Tensor) -> Tensor:
    return (loss * mask).sum() / torch.clamp_min(mask.sum(), 1.0)
