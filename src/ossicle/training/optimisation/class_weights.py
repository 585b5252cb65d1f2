"""Class weights: how much the presence of each label counts in the loss."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ossicle.core.columns.clip_columns import ClipColumns
from ossicle.core.records import Clip

_POWERS = {"balanced": 1.0, "sqrt": 0.5}


def class_weights(counts: Sequence[int], balance: str) -> Tensor | None:
    """Return the weight of each label, in proportion to ``count ** -power``, with a mean of 1 over clips.

    Parameters
    ----------
    counts
        Number of training clips of each label; a label without clips has the weight 1.
    balance
        ``"balanced"`` (power 1, as in scikit-learn), ``"sqrt"`` (power 0.5) or ``"none"``.

    Returns
    -------
    Tensor or None
        float32 (n_labels,); None for ``"none"``.

    Examples
    --------
    >>> class_weights([30, 10], "balanced")
    tensor([0.6667, 2.0000])
    """
    if balance == "none":
        return None
    n = np.asarray(counts, dtype=np.float64)
    is_present = n > 0
    raw = np.where(is_present, np.maximum(n, 1.0) ** -_POWERS[balance], 0.0)
    weights = np.where(is_present, raw * n.sum() / max(float((raw * n).sum()), 1e-12), 1.0)
    return torch.from_numpy(weights.astype(np.float32))


def clip_counts(clips: Sequence[Clip], labels: Sequence[str]) -> list[int]:
    """Return the number of target clips of each label."""
    columns = ClipColumns.from_clips(clips)
    rows = columns.label[columns.has_role("target")]
    count_by_label = dict(zip(columns.labels, np.bincount(rows, minlength=len(columns.labels)).tolist(), strict=True))
    return [int(count_by_label.get(label, 0)) for label in labels]
