"""The rows of a leaderboard: variants of a project with their figures, and summaries over seeds."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.metrics.reports.event_report import plain

FIGURES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "f1": ("F1", ("events", "f1")),
    "macro_f1": ("macro F1", ("macro", "f1")),
    "accuracy": ("accuracy", ("recordings", "accuracy")),
    "roc_auc": ("macro AUC", ("recordings", "macro", "roc_auc")),
    "cmap": ("cmAP", ("recordings", "macro", "cmap")),
    "state_accuracy": ("state accuracy, worst fold", ("states", "state_accuracy")),
    "files": ("state accuracy of files, worst fold", ("states", "files", "state_accuracy")),
    "clips_macro_f1": ("macro F1 by hit", ("clips", "macro_f1")),
    "clips_accuracy": ("accuracy by hit", ("clips", "accuracy")),
    "units_ami": ("AMI with words, worst fold", ("units", "ami")),
    "units_purity": ("purity, worst fold", ("units", "purity")),
    "vocoder_log_mel": ("vocoder log-mel, dB", ("vocoder", "log_mel_db")),
    "vocoder_mcd": ("vocoder MCD, dB", ("vocoder", "mcd_db")),
}
"""Figures of a row: their names and keys in ``metrics.json``, headline first; those that some row has are shown."""


Figure = Mapping[str, float | None]


NO_FIGURE: Figure = {"value": None, "low": None, "high": None}


@dataclass(frozen=True, slots=True)
class Row:
    """A variant (``"."``: the project itself) on the board.

    ``figures``: name as in :data:`FIGURES` to value and interval. ``training_s``: seconds of all its epochs.
    ``noise_gate``: ``passed`` (with the number of exceptions), ``refused`` or empty. ``to_best``: its headline minus
    that of the best, paired; None for the best itself and if the two were not evaluated on the same data. ``differs``:
    the settings in which it differs from the project itself, as ``table.key = value``. ``note``: why there is no
    figure, why the headline is undefined, or which settings have no effect. An undefined figure has the value None.
    """

    name: str
    figures: Mapping[str, Figure]
    training_s: float | None
    noise_gate: str
    criterion: str
    to_best: Figure | None = None
    differs: tuple[str, ...] = ()
    note: str = ""

    @property
    def headline_name(self) -> str:
        """Name of the figure by which rows are sorted: F1; the accuracy of the worst fold of states; the agreement
        of units with words; macro F1 by hit where clips are the headline.
        """
        for name in ("state_accuracy", "units_ami"):
            if name in self.figures:
                return name
        return "clips_macro_f1" if "f1" not in self.figures and "clips_macro_f1" in self.figures else "f1"

    @property
    def headline(self) -> float | None:
        """The figure by which rows are sorted; None if it is undefined."""
        return self.figures.get(self.headline_name, NO_FIGURE)["value"]

    def has(self, name: str) -> bool:
        """Return whether the row has a figure: the headline even if undefined, the others only if defined."""
        return name in self.figures and (name == self.headline_name or self.figures[name]["value"] is not None)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "name": self.name,
            **{name: dict(figures) for name, figures in self.figures.items()},
            "training_s": self.training_s,
            "gate": self.noise_gate,
            "criterion": self.criterion,
            "to_best": None if self.to_best is None else dict(self.to_best),
            "differs": list(self.differs),
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class OverSeeds:
    """Variants that differ only in ``training.seed``: mean and standard deviation (n - 1) of each figure."""

    names: tuple[str, ...]
    seeds: tuple[int, ...]
    figures: Mapping[str, tuple[float, float]]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        facts = {
            name: {"mean": plain(mean), "deviation": plain(spread)} for name, (mean, spread) in self.figures.items()
        }
        return {"names": list(self.names), "seeds": list(self.seeds), **facts}


@dataclass(frozen=True, slots=True)
class Board:
    """The rows, the best first and those without a figure last, and the summaries over seeds."""

    rows: tuple[Row, ...]
    seeds: tuple[OverSeeds, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "figures": {name: word for name, (word, _) in FIGURES.items() if any(row.has(name) for row in self.rows)},
            "rows": [row.to_json() for row in self.rows],
            "over_seeds": [seed.to_json() for seed in self.seeds],
        }


def differences(settings: Mapping[str, Any], base: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the settings in which ``settings`` differ from ``base``, nested tables as dotted names, sorted.

    >>> differences({"training": {"seed": 1, "epochs": 80}}, {"training": {"seed": 0, "epochs": 80}})
    ('training.seed = 1',)
    """
    own_leaves, base_leaves = dict(_leaves(settings)), dict(_leaves(base))
    return tuple(
        f"{name} = {json.dumps(own_leaves.get(name), ensure_ascii=False)}"
        for name in sorted({*own_leaves, *base_leaves})
        if own_leaves.get(name) != base_leaves.get(name)
    )


def _leaves(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, below in value.items():
        if isinstance(below, Mapping):
            yield from _leaves(below, f"{above}{name}.")
        else:
            yield f"{above}{name}", below


def place(row: Row) -> tuple[float, str]:
    """Return the sort key of a row: the highest headline first, rows without one last, then by name."""
    return (math.inf if row.headline is None else -row.headline, row.name)


def mean_and_deviation(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and standard deviation (n - 1) of float64 values (n,)."""
    return float(values.mean()), float(values.std(ddof=1))
