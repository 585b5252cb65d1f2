"""Stage 2: the last blocks of BEATs are trained with the head, from stage 1, and kept only where held-out groups gain.

The tokens before these blocks are computed once; the frozen blocks are neither run again nor in training mode.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ossicle.core.digest import seed_of
from ossicle.models.encoders.beats.network import Beats
from ossicle.models.encoders.beats.tail import BeatsTail
from ossicle.models.heads.head import Head
from ossicle.models.heads.settings import HeadSettings, StageTwoSettings
from ossicle.training.heads.balance import balanced_weights
from ossicle.training.heads.fit import HeadFit, fit_head, trained_parameters
from ossicle.training.heads.inner_split import inner_held_out
from ossicle.training.heads.windows import HeadWindows

_GRADIENT_CLIP = 5.0
_CERTAIN = 0.5


@dataclass(frozen=True, slots=True)
class StageTwoFit:
    """Result of stage 2.

    Attributes
    ----------
    first
        How the head of stage 1 was fitted to all windows; stage 2 goes on with this head, in place.
    head
        The head: of stage 2 if it is kept, else of stage 1.
    network
        The encoder: with the trained blocks if they are kept, else the given one.
    tail
        The trained blocks, in evaluation mode; None if stage 2 did not gain more than the margin.
    stage_one, stage_two
        Balanced accuracy of both on the inner held-out groups; None if there were too few groups to hold some out.
    held_out_groups
        These groups.
    trained, frozen
        Names of the parameters of encoder and head that stage 2 changed, and of those of the encoder that it did not.
    """

    first: HeadFit
    head: Head
    network: Beats
    tail: BeatsTail | None
    stage_one: float | None
    stage_two: float | None
    held_out_groups: tuple[str, ...]
    trained: tuple[str, ...]
    frozen: tuple[str, ...]

    @property
    def kept(self) -> bool:
        """Whether stage 2 gained more than the margin."""
        return self.tail is not None


def fit_stage_two(network: Beats, windows: HeadWindows, head: HeadSettings, seed: int) -> StageTwoFit:
    """Fit a head, then the last blocks of the encoder with it, and keep the blocks only if they gain.

    Parameters
    ----------
    network
        The encoder; it is not changed.
    windows
        ``features`` are the tokens before the trained blocks, (n, tokens, dim): ``network(energies, n_layers)`` with
        ``n_layers = encoder_layers - head.unfreeze_blocks``.
    head
        The head of stage 1, and stage 2.
    seed
        Seed of weights, order and dropout.

    Raises
    ------
    UsageError
        The encoder has fewer blocks.
    """
    settings, blocks = head.stage_two, head.unfreeze_blocks
    tail = BeatsTail(network, blocks)
    names = [name for name, _ in tail.trained_parameters()]
    fitted = fit_head(_after_last_block(tail, windows, settings.batch_size), head, seed)
    stage_one = fitted.head
    trained = (*names, *(f"head.{name}" for name, _ in trained_parameters(stage_one)))
    frozen = tuple(name for name, _ in network.named_parameters() if name not in set(names))
    held_out = inner_held_out(windows.targets, windows.known, windows.groups, seed)
    if not held_out:
        return StageTwoFit(fitted, stage_one, network, None, None, None, (), trained, frozen)
    inside = np.isin(windows.groups, held_out)
    inner, judged = (windows.select(np.flatnonzero(half)) for half in (~inside, inside))
    first = fit_head(_after_last_block(tail, inner, settings.batch_size), head, seed).head
    before = balanced_accuracy(first, tail, judged, settings.batch_size)
    trial = BeatsTail(network, blocks)
    _train(first, trial, inner, settings, seed)
    after = balanced_accuracy(first, trial, judged, settings.batch_size)
    gains = after > before + settings.margin
    if gains:
        _train(stage_one, tail, windows, settings, seed)
    tuned = tail.put_into(network) if gains else network
    return StageTwoFit(fitted, stage_one, tuned, tail if gains else None, before, after, held_out, trained, frozen)


def balanced_accuracy(head: nn.Module, tail: nn.Module, windows: HeadWindows, batch_size: int) -> float:
    """Return the mean over labels of the balanced accuracy at a score of 0.5; both networks are left in evaluation
    mode.
    """
    logits = np.concatenate([head.eval()(batch).detach().numpy() for batch in _batches(tail, windows, batch_size)])
    certain = windows.known & (np.abs(windows.targets - _CERTAIN) > 0)
    shares = []
    for label in range(windows.n_labels):
        for side in (True, False):
            rows = certain[:, label] & ((windows.targets[:, label] > _CERTAIN) == side)
            if rows.any():
                shares.append(float(np.mean((logits[rows, label] > 0) == side)))
    return float(np.mean(shares))


def _after_last_block(tail: nn.Module, windows: HeadWindows, batch_size: int) -> HeadWindows:
    """Return the windows with the tokens after the last block."""
    tokens = np.concatenate([batch.numpy() for batch in _batches(tail, windows, batch_size)])
    return HeadWindows(tokens, windows.targets, windows.known, windows.weights, windows.groups)


def _batches(tail: nn.Module, windows: HeadWindows, batch_size: int) -> list[Tensor]:
    tail.eval()
    with torch.no_grad():
        firsts = range(0, len(windows.features), batch_size)
        return [
            tail(_tokens(windows, np.arange(first, min(first + batch_size, len(windows.features))))) for first in firsts
        ]


def _tokens(windows: HeadWindows, rows: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(windows.features[rows])).float()


def _train(head: Head, tail: BeatsTail, windows: HeadWindows, settings: StageTwoSettings, seed: int) -> None:
    """Train head and tail in place for all epochs; the last one is kept. Both are left in evaluation mode."""
    weights = torch.from_numpy(balanced_weights(windows.targets, windows.known, windows.weights, windows.groups))
    blocks = [parameter.requires_grad_(True) for _, parameter in tail.trained_parameters()]
    of_head = [parameter for _, parameter in trained_parameters(head)]
    optimiser = torch.optim.AdamW(
        [{"params": blocks, "lr": settings.encoder_rate}, {"params": of_head, "lr": settings.head_rate}],
        weight_decay=settings.weight_decay,
    )
    n_steps = -(-len(windows.features) // settings.batch_size)
    head.train()
    tail.train()
    with torch.random.fork_rng(devices=[]):
        for epoch in range(settings.epochs):
            order = np.random.default_rng(seed_of(seed, "stage two", epoch)).permutation(len(windows.features))
            for step, rows in enumerate(np.array_split(order, n_steps)):
                torch.manual_seed(seed_of(seed, "stage two", "dropout", epoch, step))
                optimiser.zero_grad(set_to_none=True)
                logits, target_weights = head(tail(_tokens(windows, rows))), weights[:, torch.from_numpy(rows)]
                positive, negative = nn.functional.logsigmoid(logits), nn.functional.logsigmoid(-logits)
                loss = -(target_weights[0] * positive + target_weights[1] * negative).mean()
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_([*blocks, *of_head], _GRADIENT_CLIP)
                optimiser.step()
    head.eval()
    tail.eval()
