"""The probe gate as a pure function: a part of the held-out clips against limits and against the previous run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.text.suggestion import did_you_mean
from ossicle.evaluation.gates.gate_line import GateLine
from ossicle.evaluation.gates.settings import ProbeGateSettings

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class ProbeFigures:
    """Figures of the part of the clips that was judged.

    Attributes
    ----------
    labels
        The labels of the rows and columns.
    confusion
        Counts (n_labels, n_labels), int64; rows are true labels.
    """

    labels: tuple[str, ...]
    confusion: NDArray[np.int64]

    @property
    def n_clips(self) -> int:
        """The number of clips."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float | None:
        """The share of clips that were given their label; None without clips."""
        return None if self.n_clips == 0 else int(np.trace(self.confusion)) / self.n_clips

    def recall(self, label: str) -> float | None:
        """Return the share of the clips of a label that were given it; None without clips of the label."""
        row = self.labels.index(label)
        n_clips = int(self.confusion[row].sum())
        return None if n_clips == 0 else int(self.confusion[row, row]) / n_clips


def probe_lines(
    figures: ProbeFigures, settings: ProbeGateSettings, previous: Mapping[str, Any] | None = None
) -> list[GateLine]:
    """Return the lines of the probe gate.

    Parameters
    ----------
    figures
        Counts of the judged clips.
    settings
        The limits.
    previous
        Shares of confusions in the previous run by pair, as :func:`confusion_shares` returns them; None if there was no
        run before.
    """
    return [
        *_accuracy(figures, settings),
        *_recalls(figures, settings),
        *_pairs(figures, settings, previous),
    ]


def confusion_shares(figures: ProbeFigures, settings: ProbeGateSettings) -> dict[str, float | None]:
    """Return the share of each named confusion, for the comparison with the next run."""
    return {str(pair): pair.share(figures.labels, figures.confusion) for pair in settings.confusion_pairs}


def labels_without_recall(figures: ProbeFigures) -> list[str]:
    """Return the labels of which no clip was recognised."""
    return [label for label in figures.labels if figures.recall(label) == 0]


def _accuracy(figures: ProbeFigures, settings: ProbeGateSettings) -> Iterator[GateLine]:
    if settings.accuracy == 0:
        return
    name, value = f"accuracy >= {settings.accuracy:g}", figures.accuracy
    if value is None:
        yield GateLine(name, False, None, settings.accuracy, "is undefined: there are no held-out clips")
    elif value < settings.accuracy:
        yield GateLine(name, False, value, settings.accuracy, f"{value:.4g} is below {settings.accuracy:g}")
    else:
        yield GateLine(name, True, value, settings.accuracy)


def _recalls(figures: ProbeFigures, settings: ProbeGateSettings) -> Iterator[GateLine]:
    for bucket, patterns in settings.buckets.items():
        for pattern in patterns:
            labels = [label for label in figures.labels if fnmatchcase(label, pattern)]
            if not labels:
                remedy = did_you_mean(pattern, figures.labels)
                reason = f"no class is called {pattern!r}; {remedy}, or change [probe_gate] buckets"
                yield GateLine(f"recall of {bucket}: {pattern}", False, None, settings.recall, reason)
            for label in labels:
                yield _recall(f"recall of {bucket}: {label} > {settings.recall:g}", figures.recall(label), settings)


def _recall(name: str, value: float | None, settings: ProbeGateSettings) -> GateLine:
    if value is None:
        return GateLine(name, False, None, settings.recall, "is undefined: there are no held-out clips of this class")
    if value > settings.recall:
        return GateLine(name, True, value, settings.recall)
    reason = "zero recall" if value == 0 else f"{value:.4g} is not above {settings.recall:g}"
    return GateLine(name, False, value, settings.recall, reason)


def _pairs(
    figures: ProbeFigures, settings: ProbeGateSettings, previous: Mapping[str, Any] | None
) -> Iterator[GateLine]:
    for pair in settings.confusion_pairs:
        name = f"confusion {pair}"
        if pattern := pair.unknown(figures.labels):
            remedy = did_you_mean(pattern, figures.labels)
            yield GateLine(
                name, False, reason=f"no class is called {pattern!r}; {remedy}, or change [probe_gate] pairs"
            )
            continue
        value = pair.share(figures.labels, figures.confusion)
        before = None if previous is None else previous.get(str(pair))
        if value is None:
            yield GateLine(name, False, reason="is undefined: there are no held-out clips of the true class")
        elif not isinstance(before, int | float):
            yield GateLine(name, True, value, note="no previous run to compare with")
        elif value <= before + settings.growth + _ROUNDING:
            yield GateLine(name, True, value, before + settings.growth)
        else:
            reason = f"{value:.4g} has grown from {before:.4g} in the previous run"
            yield GateLine(name, False, value, before + settings.growth, reason)
