"""Fit a head to cached embeddings: AdamW on balanced windows, with the number of epochs from inner held-out groups.

The encoder is not called here; hundreds of windows take seconds.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ossicle.core.digest import seed_of
from ossicle.core.errors import OssicleError
from ossicle.metrics.curves.held_out import HeldOutCounts
from ossicle.models.heads.head import Head
from ossicle.models.heads.settings import HeadSettings
from ossicle.training.heads.balance import balanced_weights
from ossicle.training.heads.inner_split import inner_held_out
from ossicle.training.heads.statistics import input_statistics
from ossicle.training.heads.windows import HeadWindows

_WARMUP = 0.1
_GRADIENT_CLIP = 5.0


@dataclass(frozen=True, slots=True)
class HeadEpoch:
    """Figures of one epoch; ``held_out_loss`` and ``answers`` are None where no group was held out.

    ``seconds`` is the time of the training part, for ``n_windows`` windows. ``answers`` counts those for held-out
    windows.
    """

    epoch: int
    train_loss: float
    held_out_loss: float | None
    learning_rate: float
    seconds: float = field(compare=False)
    n_windows: int
    answers: HeldOutCounts | None = field(compare=False)

    def to_json(self, labels: Sequence[str]) -> dict[str, Any]:
        """Return a line of ``metrics.jsonl``, with the names of the labels."""
        held_out = {} if self.held_out_loss is None else {"val_loss": self.held_out_loss}
        return {
            "epoch": self.epoch,
            "train_loss": self.train_loss,
            "learning_rate": self.learning_rate,
            "seconds": round(self.seconds, 4),
            "samples_per_s": round(self.n_windows / max(self.seconds, 1e-9), 1),
            **held_out,
            **(self.answers.figures(labels) if self.answers is not None else {}),
        }


@dataclass(frozen=True, slots=True)
class HeadFit:
    """A fitted head.

    Attributes
    ----------
    head
        The head, in evaluation mode, fitted to all windows.
    epochs
        Number of passes through the windows.
    held_out_groups
        Groups on which this number was chosen; empty: too few groups, and the last epoch was kept.
    curve
        Losses of the training that chose the number of epochs, else of the only one.
    trained
        Names of the parameters in the optimiser.
    """

    head: Head
    epochs: int
    held_out_groups: tuple[str, ...]
    curve: tuple[HeadEpoch, ...]
    trained: tuple[str, ...]


def fit_head(windows: HeadWindows, settings: HeadSettings, seed: int) -> HeadFit:
    """Fit a head to embeddings.

    Where every side of each label has groups enough, some groups are held out first to find the number of epochs with
    the lowest loss there; then a new head is fitted to all windows for that many epochs. Elsewhere the last epoch is
    kept. Sides of a label, and groups within a side, count equally. The caller's random state is left as it is.

    Parameters
    ----------
    windows
        Embeddings, targets, masks, weights and groups.
    settings
        Head and optimiser.
    seed
        Seed of weights, order and dropout. Equal inputs, seeds, versions and threads give equal heads.

    Returns
    -------
    HeadFit
        The head in evaluation mode, and how it was fitted.

    Raises
    ------
    OssicleError
        The training diverges: its loss is no finite number.
    """
    windows = _pooled(windows) if settings.pooling == "mean" else windows
    held_out = inner_held_out(windows.targets, windows.known, windows.groups, seed)
    if not held_out:
        head, curve = _train(windows, None, settings, settings.epochs, seed)
        return HeadFit(head, len(curve), (), curve, _names(head))
    inside = np.isin(windows.groups, held_out)
    inner = windows.select(np.flatnonzero(~inside))
    _, curve = _train(inner, windows.select(np.flatnonzero(inside)), settings, settings.epochs, seed)
    best = _best(curve)
    head, _ = _train(windows, None, settings, best, seed)
    return HeadFit(head, best, held_out, curve, _names(head))


def _names(head: nn.Module) -> tuple[str, ...]:
    return tuple(name for name, _ in trained_parameters(head))


def trained_parameters(head: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Return what the optimiser changes: every parameter of the head, its pooling included."""
    return list(head.named_parameters())


def _pooled(windows: HeadWindows) -> HeadWindows:
    """Return the windows with their mean token alone: the mean has nothing to train, and one token costs less."""
    means = np.stack(
        [np.asarray(feature, dtype=np.float32).mean(axis=0, keepdims=True) for feature in windows.features]
    )
    return HeadWindows(means, windows.targets, windows.known, windows.weights, windows.groups)


def _best(curve: tuple[HeadEpoch, ...]) -> int:
    """Return the number of epochs up to the first with the lowest held-out loss."""
    losses = [math.inf if head_epoch.held_out_loss is None else head_epoch.held_out_loss for head_epoch in curve]
    return 1 + int(np.argmin(losses))


def _train(
    windows: HeadWindows, held_out: HeadWindows | None, settings: HeadSettings, epochs: int, seed: int
) -> tuple[Head, tuple[HeadEpoch, ...]]:
    """Train a new head for ``epochs`` at most; stop early where ``held_out`` is given and no longer improves."""
    weights = _side_weights(windows)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(seed, "head", "weights"))
        head = Head(settings, windows.dim, windows.n_labels)
        head.standardise(input_statistics(windows.features, settings.values))
        n_steps = math.ceil(len(windows.features) / settings.batch_size)
        parameters = [parameter for _, parameter in trained_parameters(head)]
        optimiser = torch.optim.AdamW(parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay)
        # The schedule does not depend on where the training stops, so that it can be repeated on more windows.
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _Schedule(settings.epochs * n_steps))
        curve: list[HeadEpoch] = []
        for epoch in range(epochs):
            began, rate = time.monotonic(), optimiser.param_groups[0]["lr"]
            head.train()
            order = np.random.default_rng(seed_of(seed, "head", "order", epoch)).permutation(len(windows.features))
            total = 0.0
            for step, rows in enumerate(np.array_split(order, n_steps)):
                torch.manual_seed(seed_of(seed, "head", "dropout", epoch, step))
                optimiser.zero_grad(set_to_none=True)
                loss = _loss(head(_batch(windows, rows)), weights[:, torch.from_numpy(rows)])
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(parameters, _GRADIENT_CLIP)
                optimiser.step()
                schedule.step()
                total += loss.item() * len(rows)
            seconds = time.monotonic() - began
            if not math.isfinite(total):
                raise OssicleError(
                    f"the loss of the head is not a finite number in epoch {epoch + 1} of {epochs}; lower "
                    f"head.learning_rate (it is {settings.learning_rate:g}), and look for constant or extreme features"
                )
            judged, answers = (None, None) if held_out is None else _judge(head, held_out, settings.batch_size)
            curve.append(HeadEpoch(epoch, total / len(order), judged, rate, seconds, len(order), answers))
            if held_out is not None and epoch + 1 >= _best(tuple(curve)) + settings.patience:
                break
    return head.eval(), tuple(curve)


class _Schedule:
    """Factor of the learning rate: a linear rise over the first tenth of the steps, then half a cosine to 0."""

    def __init__(self, n_steps: int) -> None:
        self._n_steps = n_steps
        self._rise = max(1, round(_WARMUP * n_steps))

    def __call__(self, step: int) -> float:
        if step < self._rise:
            return (step + 1) / self._rise
        return 0.5 * (1.0 + math.cos(math.pi * min(1.0, (step - self._rise) / max(1, self._n_steps - self._rise))))


def _judge(head: nn.Module, windows: HeadWindows, batch_size: int) -> tuple[float, HeldOutCounts]:
    """Return the balanced loss of windows that the head was not trained on, and its answers; the head is left in
    evaluation mode.
    """
    weights, answers = _side_weights(windows), HeldOutCounts(windows.n_labels)
    head.eval()
    total = 0.0
    with torch.inference_mode():
        for first in range(0, len(windows.features), batch_size):
            rows = np.arange(first, min(first + batch_size, len(windows.features)))
            logits = head(_batch(windows, rows))
            total += float(_loss(logits, weights[:, torch.from_numpy(rows)])) * len(rows)
            answers.add(torch.sigmoid(logits).numpy(), windows.targets[rows], windows.known[rows])
    return total / len(windows.features), answers


def _side_weights(windows: HeadWindows) -> Tensor:
    return torch.from_numpy(balanced_weights(windows.targets, windows.known, windows.weights, windows.groups))


def _batch(windows: HeadWindows, rows: NDArray[np.int64]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(windows.features[rows])).float()


def _loss(logits: Tensor, weights: Tensor) -> Tensor:
    """Return the mean weighted cross-entropy; ``weights`` (2, batch, n_labels) hold the targets of both sides."""
    positive, negative = nn.functional.logsigmoid(logits), nn.functional.logsigmoid(-logits)
    return -(weights[0] * positive + weights[1] * negative).mean()
