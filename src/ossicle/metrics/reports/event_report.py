"""Results of an evaluation of events, as frozen values with a plain JSON form (NaN becomes null, six decimals)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BOUNDARY_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval; ``low`` and ``high`` are NaN where no interval can be given."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float | None]:
        """Return ``{"value", "low", "high"}``."""
        return {"value": plain(self.value), "low": plain(self.low), "high": plain(self.high)}


def estimate_from(written: Mapping[str, float | None]) -> Estimate:
    """Return the figure that :meth:`Estimate.to_json` wrote; None becomes NaN."""
    value, low, high = (math.nan if written[key] is None else float(written[key] or 0.0) for key in _KEYS)
    return Estimate(value, low, high)


_KEYS = ("value", "low", "high")


@dataclass(frozen=True, slots=True)
class Rates:
    """F1, precision and recall, each in [0, 1] with its interval."""

    f1: Estimate
    precision: Estimate
    recall: Estimate

    def to_json(self) -> dict[str, Any]:
        """Return ``{"f1", "precision", "recall"}``, each an estimate."""
        return {"f1": self.f1.to_json(), "precision": self.precision.to_json(), "recall": self.recall.to_json()}


@dataclass(frozen=True, slots=True)
class EventScores:
    """Rates with the counts from which they are computed."""

    rates: Rates
    tp: int
    fp: int
    fn: int
    false_alarms_per_hour: float

    @property
    def n_reference(self) -> int:
        """Number of reference events."""
        return self.tp + self.fn

    @property
    def n_predicted(self) -> int:
        """Number of predicted events."""
        return self.tp + self.fp

    def to_json(self) -> dict[str, Any]:
        """Return the keys of the rates and those of the counts."""
        return {
            **self.rates.to_json(),
            "n_reference": self.n_reference,
            "n_predicted": self.n_predicted,
            "tp": self.tp,
            "fp": self.fp,
            "fn": self.fn,
            "false_alarms_per_hour": plain(self.false_alarms_per_hour),
        }


@dataclass(frozen=True, slots=True)
class BoundaryErrors:
    """Quantiles (:data:`BOUNDARY_QUANTILES`) of predicted minus reference time over matched pairs, in seconds.

    Negative means early. NaN without pairs.
    """

    start_s: tuple[float, ...]
    end_s: tuple[float, ...]

    def to_json(self) -> dict[str, dict[str, float | None]]:
        """Return ``{"start_s": {"0.05": ...}, "end_s": {...}}``."""
        return {
            name: {f"{share:g}": plain(value) for share, value in zip(BOUNDARY_QUANTILES, values, strict=True)}
            for name, values in (("start_s", self.start_s), ("end_s", self.end_s))
        }


@dataclass(frozen=True, slots=True)
class EventReport:
    """Predicted events of many recordings and labels compared with their references.

    ``pooled`` sums counts over recordings and labels; ``macro`` is the mean over the labels that have references and a
    defined figure. ``few_groups``: there are too few groups for intervals that hold for new groups
    (``metrics.resampling.bootstrap``). If not ``timed``, recordings are counted instead of events: there are no
    boundary errors and no false alarms per hour. If not ``ends_judged``, starts are compared alone, and errors of ends
    are left out.
    """

    pooled: EventScores
    macro: Rates
    per_label: Mapping[str, EventScores]
    per_group: Mapping[str, EventScores]
    boundaries: BoundaryErrors
    n_recordings: int
    duration_s: float
    few_groups: bool
    method: str
    n_bootstrap: int
    n_groups: int
    level: float
    timed: bool = True
    ends_judged: bool = True

    @property
    def macro_labels(self) -> dict[str, int]:
        """Return over how many labels each mean is, and ``all``, how many there are."""
        counts: dict[str, int] = macro_json(self.macro, self.per_label)["labels"]
        return counts

    def to_json(self) -> dict[str, Any]:
        """Return plain values, ready for ``json.dumps``; pooled counts and false alarms are at the top level."""
        counts = self._scores(self.pooled)
        rates = {key: counts.pop(key) for key in ("f1", "precision", "recall")}
        return {
            "events": rates,
            **counts,
            "macro": macro_json(self.macro, self.per_label),
            "per_label": {label: self._scores(scores) for label, scores in self.per_label.items()},
            "per_group": {group: self._scores(scores) for group, scores in self.per_group.items()},
            **({"boundary_errors": self._boundary_errors()} if self.timed else {}),
            "n_recordings": self.n_recordings,
            "duration_s": plain(self.duration_s),
            "few_groups": self.few_groups,
            "bootstrap": {"method": self.method, "n": self.n_bootstrap, "groups": self.n_groups, "level": self.level},
        }

    def _boundary_errors(self) -> dict[str, dict[str, float | None]]:
        errors = self.boundaries.to_json()
        return errors if self.ends_judged else {"start_s": errors["start_s"]}

    def _scores(self, scores: EventScores) -> dict[str, Any]:
        plain_scores = scores.to_json()
        if not self.timed:
            del plain_scores["false_alarms_per_hour"]
        return plain_scores


def macro_json(macro: Rates, per_label: Mapping[str, EventScores]) -> dict[str, Any]:
    """Return the mean rates, with ``labels``: over how many labels each is, and ``all``, how many there are."""
    judged = [event_scores.rates for event_scores in per_label.values() if event_scores.n_reference > 0]
    return {
        **macro.to_json(),
        "labels": {
            "f1": sum(math.isfinite(scores.f1.value) for scores in judged),
            "precision": sum(math.isfinite(scores.precision.value) for scores in judged),
            "recall": sum(math.isfinite(scores.recall.value) for scores in judged),
            "all": len(per_label),
        },
    }


def mean_in_words(labels: Mapping[str, int]) -> str:
    """Return over how many labels means are; ``labels``: figure to number of labels, and ``all``.

    >>> mean_in_words({"f1": 4, "precision": 4, "recall": 4, "all": 4})
    'over labels'
    >>> mean_in_words({"f1": 3, "precision": 2, "recall": 3, "all": 4})
    'over labels (f1: 3 of 4, precision: 2 of 4, recall: 3 of 4)'
    >>> mean_in_words({"roc_auc": 3, "cmap": 3, "all": 4})
    'over 3 of 4 labels'
    """
    counts = {name: n for name, n in labels.items() if name != "all"}
    if all(n == labels["all"] for n in counts.values()):
        return "over labels"
    if len(set(counts.values())) == 1:
        return f"over {next(iter(counts.values()))} of {labels['all']} labels"
    every = labels["all"]
    return f"over labels ({', '.join(f'{name}: {n} of {every}' for name, n in counts.items())})"


def plain(value: float) -> float | None:
    """Return a figure for JSON: six decimals, None for NaN and infinities."""
    return round(float(value), 6) if math.isfinite(value) else None
