"""What the curves of a training say: early plateau, rising validation loss, oscillation, divergence.

The rules compare changes with the whole fall of a curve, so they do not depend on the kind of loss. Each needs several
points that agree: a curve of a few epochs, or a single odd value, gives no finding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EARLY_PLATEAU, RISING_VALIDATION = "early plateau", "rising validation loss"
OSCILLATION, DIVERGENCE = "oscillation after warm-up", "divergence of training and validation"

_CHANCE = "oscillation by chance"
_CAUSES = {
    EARLY_PLATEAU: (
        "the network is too small, the learning rate too low or too high, or labels contradict each other; if the "
        "figures are good, fewer epochs do"
    ),
    RISING_VALIDATION: (
        "overfitting: the training goes on to learn its own clips; add clips or augmentation, raise weight_decay, or "
        "set fewer epochs"
    ),
    OSCILLATION: "the learning rate is too high for this batch size; lower learning_rate, or raise batch_size",
    _CHANCE: (
        "few and unlike crops in each epoch: the loss swings as much at a learning rate near zero; raise "
        "steps_per_epoch or batch_size, or use less mixup and augmentation"
    ),
    DIVERGENCE: (
        "the network learns what tells the training groups apart, and this does not carry over to held-out groups; add "
        "groups or augmentation, or choose a smaller network"
    ),
}
_LEAST_EPOCHS, _LEAST_VALIDATED = 12, 5
_LAST = 3
"""Points whose median is the end of a curve."""
_FLAT, _FLAT_LEVEL, _FLAT_START = 0.05, 0.1, 0.02
"""A loss is flat if it falls further by no more than this share of its whole fall (or of its first value), and of its
level."""
_SOLVED = 0.1
"""Share of its first value below which a loss is as good as zero, and may be flat."""
_RISE = 0.15
_SWING, _SWING_BY_CHANCE, _TURNS = 0.35, 0.5, 4.0
"""An oscillation spans this share of the level (one that no learning rate explains, more), and goes over its range so
many times."""
_GAP = 0.3


@dataclass(frozen=True, slots=True)
class Finding:
    """What a curve shows.

    Attributes
    ----------
    kind
        One of the four kinds.
    epoch
        The epoch, from 0, at which it begins.
    cause
        The likely cause, and what to try.
    """

    kind: str
    epoch: int
    cause: str


def diagnose(epochs: Sequence[Mapping[str, Any]]) -> tuple[Finding, ...]:
    """Return what the curves of one training show, at most one finding of each kind.

    Parameters
    ----------
    epochs
        By epoch, in order: ``epoch``, ``train_loss`` and, where measured, ``val_loss`` and ``learning_rate``.
    """
    train, validated = _curve(epochs, "train_loss"), _curve(epochs, "val_loss")
    first = _after_warmup(epochs)
    by_chance = _swings_at_rest(train.since(first), _curve(epochs, "learning_rate"))
    swing = _SWING_BY_CHANCE if by_chance else _SWING
    places = {
        EARLY_PLATEAU: _plateau(train, first),
        RISING_VALIDATION: _rise(validated),
        OSCILLATION: _first_epoch(_oscillation(train, first, swing), _oscillation(validated, first, _SWING)),
        DIVERGENCE: _divergence(train, validated),
    }
    causes = {**_CAUSES, OSCILLATION: _CAUSES[_CHANCE]} if by_chance else _CAUSES
    return tuple(Finding(kind, epoch, causes[kind]) for kind, epoch in places.items() if epoch is not None)


@dataclass(frozen=True, slots=True)
class _Curve:
    """Values (n,) at epochs (n,), rising."""

    epochs: NDArray[np.int64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.epochs)

    @property
    def smooth(self) -> NDArray[np.float64]:
        """Medians of three neighbours, so that a single odd value shows nothing."""
        if len(self) < 3:
            return self.values
        padded = np.concatenate([self.values[:1], self.values, self.values[-1:]])
        medians: NDArray[np.float64] = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
        return medians

    @property
    def end(self) -> float:
        """Median of the last values."""
        return float(np.median(self.values[-_LAST:]))

    @property
    def noise(self) -> float:
        """Median change from one value to the next."""
        return float(np.median(np.abs(np.diff(self.values))))

    @property
    def fall(self) -> float:
        """How far it fell from its first value to its lowest smooth one."""
        return float(max(self.values[0] - self.smooth.min(), 0.0)) if len(self) else 0.0

    @property
    def swings(self) -> NDArray[np.float64]:
        """What is left of the values without their trend, a straight line."""
        left: NDArray[np.float64] = self.values - np.polyval(np.polyfit(self.epochs, self.values, 1), self.epochs)
        return left

    def since(self, epoch: int) -> "_Curve":
        """Return the part from an epoch on."""
        keep = self.epochs >= epoch
        return _Curve(self.epochs[keep], self.values[keep])


def _curve(epochs: Sequence[Mapping[str, Any]], key: str) -> _Curve:
    points = [(epoch["epoch"], epoch[key]) for epoch in epochs if key in epoch and np.isfinite(epoch[key])]
    return _Curve(np.array([e for e, _ in points], dtype=np.int64), np.array([v for _, v in points], dtype=np.float64))


def _after_warmup(epochs: Sequence[Mapping[str, Any]]) -> int:
    """Return the first epoch after the learning rate was highest; 0 without learning rates."""
    rates = _curve(epochs, "learning_rate")
    return int(rates.epochs[int(np.argmax(rates.values))]) + 1 if len(rates) else 0


def _first_epoch(*epochs: int | None) -> int | None:
    return min((epoch for epoch in epochs if epoch is not None), default=None)


def _plateau(train: _Curve, first: int) -> int | None:
    """Return the epoch from which the loss hardly falls, if more than half of the epochs come after it."""
    if len(train) < _LEAST_EPOCHS:
        return None
    smooth, start = train.smooth, train.values[0]
    lowest = np.minimum.accumulate(smooth[::-1])[::-1]
    left = smooth - lowest
    near = max(_FLAT * train.fall, _FLAT_START * abs(float(start))) + 1.5 * train.noise
    flat = (left <= near) & (left <= _FLAT_LEVEL * np.abs(lowest))
    flat &= train.epochs >= min(first, int(train.epochs[-1]))
    # What a loss still falls only shrinks, but for noise: a few epochs may look otherwise.
    steady = np.cumsum(flat[::-1])[::-1] >= 0.9 * np.arange(len(flat), 0, -1)
    if not (flat & steady).any():
        return None
    turn = int(np.argmax(flat & steady))
    solved = smooth[turn] <= _SOLVED * start
    return None if solved or turn >= len(train) / 2 else int(train.epochs[turn])


def _rise(validated: _Curve) -> int | None:
    """Return the epoch of the lowest validation loss, if the loss then rises for good."""
    if len(validated) < _LEAST_VALIDATED:
        return None
    smooth = validated.smooth
    lowest = int(np.argmin(smooth))
    if len(validated) - lowest <= _LAST:
        return None
    rise, level = validated.end - float(smooth[lowest]), abs(float(smooth[lowest]))
    least = max(_RISE * level, _RISE * _SOLVED * abs(float(validated.values[0])), validated.noise)
    return int(validated.epochs[lowest]) if rise > least else None


def _oscillation(curve: _Curve, first: int, swing: float) -> int | None:
    """Return the first epoch after the warm-up at which a loss swings that goes up and down to the end."""
    later = curve.since(first)
    if len(later) < _LEAST_EPOCHS:
        return None
    low, high = np.percentile(later.swings, (5, 95))
    level = max(float(np.median(np.abs(later.values))), 0.5 * curve.fall)
    steps = np.abs(np.diff(later.values))
    if high - low <= swing * level or steps.sum() <= _TURNS * np.ptp(later.values):
        return None
    return int(later.epochs[int(np.argmax(steps >= (high - low) / 2)) + 1])


def _swings_at_rest(later: _Curve, rates: _Curve) -> bool:
    """Return whether a loss swings as much where the learning rate has all but ended."""
    if len(later) < _LEAST_EPOCHS or not len(rates) or rates.values[-1] > 0.1 * rates.values.max():
        return False
    swings = later.swings
    return bool(np.std(swings[-len(swings) // 4 :]) > 0.5 * np.std(swings))


def _divergence(train: _Curve, validated: _Curve) -> int | None:
    """Return the epoch at which the validation loss stops to fall, if the training loss falls far below it."""
    if len(validated) < _LEAST_VALIDATED or len(train) < _LEAST_EPOCHS:
        return None
    smooth = validated.smooth
    lowest = int(np.argmin(smooth))
    near = _FLAT * validated.fall + 1.5 * validated.noise
    above = np.flatnonzero(smooth[: lowest + 1] - smooth[lowest] > near)
    turn = int(above[-1]) + 1 if len(above) else 0
    if len(validated) - turn < _LAST:
        return None
    gaps = smooth - np.interp(validated.epochs, train.epochs, train.smooth)
    gap = validated.end - train.end
    grew = gap - float(gaps[: turn + 1].min()) > _GAP * train.fall
    learns_on = float(np.interp(validated.epochs[turn], train.epochs, train.smooth)) - train.end > _FLAT * train.fall
    return int(validated.epochs[turn]) if train.fall > 0 and gap > 0 and grew and learns_on else None
