"""The figures of one reading under every decision, as rows of the benchmark's tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs
from numpy.typing import NDArray

from ossicle.core.intervals import Intervals
from ossicle.inference.decisions.grid import LabelEvents
from ossicle.metrics.events import boundary_errors, precision_recall_f1
from ossicle.metrics.matching.rules import Criterion
from ossicle.metrics.ranking import event_average_precision, false_alarms_per_hour
from ossicle.metrics.resampling.sweep import sweep_rates

ALL = "all"
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
RATES = ("precision", "recall", "f1")

_KEY = {
    "model": pl.String,
    "reading": pl.String,
    "window_s": pl.Float64,
    "step_s": pl.Float64,
    "decision": pl.String,
    "smoothing": pl.String,
    "smoothing_s": pl.Float64,
    "off_ratio": pl.Float64,
    "min_length_s": pl.Float64,
    "min_gap_s": pl.Float64,
    "threshold": pl.Float64,
    "layer": pl.String,
    "criterion": pl.String,
    "label": pl.String,
}
KEY = tuple(_KEY)
"""What a row is of. ``decision``: ``grid`` or ``bundle`` (the bundle's own); ``layer``: ``first`` stage, or ``second``
for both."""
_COUNTS = {"tp": pl.Int64, "fp": pl.Int64, "fn": pl.Int64, "n_reference": pl.Int64, "n_predicted": pl.Int64}
_ESTIMATES = {name: pl.Float64 for rate in RATES for name in (rate, f"{rate}_low", f"{rate}_high")}
_MARKS = {"marks": pl.String}

SCHEMAS: dict[str, dict[str, Any]] = {
    "metrics": {
        **_KEY,
        **_ESTIMATES,
        "average_precision": pl.Float64,
        "false_alarms_per_hour": pl.Float64,
        "start_error_ms": pl.Float64,
        "end_error_ms": pl.Float64,
        **_COUNTS,
        "hours": pl.Float64,
        "interval": pl.String,
        **_MARKS,
    },
    "per_tape": {
        **_KEY,
        "tape": pl.String,
        "precision": pl.Float64,
        "recall": pl.Float64,
        "f1": pl.Float64,
        "false_alarms_per_hour": pl.Float64,
        **_COUNTS,
        "hours": pl.Float64,
        **_MARKS,
    },
    "per_quality": {
        **_KEY,
        "quality": pl.String,
        "recall": pl.Float64,
        "found": pl.Int64,
        "annotated": pl.Int64,
        **_MARKS,
    },
    "boundaries": {
        **_KEY,
        "boundary": pl.String,
        **{f"q{round(100 * share):02d}_ms": pl.Float64 for share in QUANTILES},
        "pairs": pl.Int64,
        **_MARKS,
    },
    "leaderboard": {
        "model": pl.String,
        "reading": pl.String,
        "window_s": pl.Float64,
        "step_s": pl.Float64,
        "basis": pl.String,
        "layer": pl.String,
        "criterion": pl.String,
        **_ESTIMATES,
        "false_alarms_per_hour": pl.Float64,
        **_COUNTS,
        "decisions": pl.String,
        "tapes": pl.Int64,
        "hours": pl.Float64,
        "interval": pl.String,
        **_MARKS,
    },
}
"""Columns of every table, with their types."""
SORTED_BY = {
    "metrics": KEY,
    "per_tape": (*KEY, "tape"),
    "per_quality": (*KEY, "quality"),
    "boundaries": (*KEY, "boundary"),
    "leaderboard": ("model", "reading", "basis", "layer", "criterion"),
}


Row = dict[str, Any]
Counts = NDArray[np.int64]

# Distance between recordings on the axis on which average precision is computed for all of them at once.
_APART_S = 100.0
_DECIMALS = 6


@dataclass(frozen=True)
class Judging:
    """Data on which every decision of a reading is evaluated.

    ``criteria``: name and criterion of each; ``tapes`` and ``seconds``: of each recording, in order; ``qualities``: of
    each reference of a label, recordings one after another; ``n_bootstrap``, ``seed``: of the intervals.
    """

    labels: tuple[str, ...]
    criteria: tuple[tuple[str, Criterion], ...]
    tapes: tuple[str, ...]
    seconds: NDArray[np.float64]
    qualities: Mapping[str, Sequence[str]]
    n_bootstrap: int
    seed: int

    @property
    def hours(self) -> float:
        """Total hours of all recordings."""
        return float(self.seconds.sum()) / 3600

    @property
    def names(self) -> tuple[str, ...]:
        """Names for which there are rows: all labels together, then each label if there are several."""
        return (ALL, *(self.labels if len(self.labels) > 1 else ()))


class Tally:
    """The figures of decisions, added one after the other; of their events only counts and sums are kept."""

    def __init__(self, judging: Judging) -> None:
        self.judging = judging
        self._keys: list[Row] = []
        self._counts: list[list[Counts]] = [[] for _ in judging.criteria]
        self._pairs: list[list[list[Row]]] = [[] for _ in judging.criteria]
        self._qualities: list[Row] = []
        self._boundaries: list[Row] = []

    def add(self, key: Row, events_of_labels: Sequence[LabelEvents]) -> None:
        """Add the events of a decision, one entry per label; ``key`` are the columns that identify the decision.

        A column of ``key`` may be a tuple: its value for all labels, then for each.
        """
        self._keys.append(key)
        for index, (name, criterion) in enumerate(self.judging.criteria):
            self._counts[index].append(
                np.stack([self._of_recordings(label_events, index) for label_events in events_of_labels], axis=1)
            )
            errors = [
                np.stack(
                    boundary_errors(label_events.reference_times, label_events.times, label_events.pairs[index]), axis=1
                )
                for label_events in events_of_labels
            ]
            precisions = [self._average_precision(label_events, criterion) for label_events in events_of_labels]
            known = [value for value in precisions if np.isfinite(value)]
            together = float(np.mean(known)) if known else float("nan")
            self._pairs[index].append(
                [
                    {"average_precision": precision, **_mean_errors(error)}
                    for precision, error in zip((together, *precisions), (np.concatenate(errors), *errors), strict=True)
                ]
            )
            self._boundaries += _boundary_rows(
                {**_row_of(key, 0), "criterion": name, "label": ALL}, np.concatenate(errors)
            )
            self._qualities += self._quality_rows(key, name, events_of_labels, index)

    def tables(self, marks: str) -> dict[str, pl.DataFrame]:
        """Return the tables ``metrics``, ``per_tape``, ``per_quality`` and ``boundaries``; every row contains
        ``marks``.
        """
        rows: dict[str, list[Row]] = {"metrics": [], "per_tape": []}
        rows |= {"per_quality": self._qualities, "boundaries": self._boundaries}
        for index, (name, _) in enumerate(self.judging.criteria):
            counts = self.counts(index)
            rates = sweep_rates(counts, self.judging.tapes, self.judging.n_bootstrap, self.judging.seed)
            for row, key in enumerate(self._keys):
                for column, label in enumerate(self.judging.names):
                    here = {**_row_of(key, column), "criterion": name, "label": label}
                    label_counts = counts[row].sum(axis=1) if column == 0 else counts[row, :, column - 1]
                    values = (rates.value[row, column], rates.low[row, column], rates.high[row, column])
                    rows["metrics"].append(
                        {
                            **here,
                            **estimates(*values),
                            **self._pairs[index][row][column],
                            **counted(label_counts.sum(axis=0), self.judging.hours),
                            "interval": rates.method,
                        }
                    )
                    rows["per_tape"] += self._tape_rows(here, label_counts)
        return {table: frame(table, table_rows, marks) for table, table_rows in rows.items()}

    def counts(self, criterion: int) -> Counts:
        """Return the counts of all decisions under a criterion, int64 (n_decisions, n_recordings, n_labels, 3)."""
        return np.stack(self._counts[criterion])

    def _of_recordings(self, events: LabelEvents, criterion: int) -> Counts:
        """Return tp, fp and fn of each recording, int64 (n_recordings, 3)."""
        n, pairs = len(self.judging.tapes), events.pairs[criterion]
        tp = np.bincount(events.reference[pairs[:, 0]], minlength=n)
        of_events, of_references = (
            np.bincount(events.recording, minlength=n),
            np.bincount(events.reference, minlength=n),
        )
        return np.stack([tp, of_events - tp, of_references - tp], axis=1).astype(np.int64)

    def _average_precision(self, label_events: LabelEvents, criterion: Criterion) -> float:
        """Return the figure of all recordings at once, placed on one axis so far apart that their events never meet."""
        # Of a recording that is known in part only, what is judged may lie far behind the seconds that are.
        reach = np.zeros(len(self.judging.tapes))
        np.maximum.at(reach, label_events.reference, label_events.reference_times[:, 1])
        np.maximum.at(reach, label_events.recording, label_events.times[:, 1])
        base = np.concatenate([[0.0], np.cumsum(reach + _APART_S)[:-1]])
        references: Intervals = label_events.reference_times + base[label_events.reference][:, None]
        events: Intervals = label_events.times + base[label_events.recording][:, None]
        return event_average_precision({"": references}, {"": (events, label_events.scores)}, criterion)

    def _quality_rows(
        self, key: Row, criterion: str, events_of_labels: Sequence[LabelEvents], criterion_index: int
    ) -> list[Row]:
        sums: dict[tuple[int, str], list[int]] = {}
        for column, (label, label_events) in enumerate(
            zip(self.judging.labels, events_of_labels, strict=True), start=1
        ):
            hit = np.zeros(len(label_events.reference), dtype=np.bool_)
            hit[label_events.pairs[criterion_index][:, 0]] = True
            for quality, was_found in zip(self.judging.qualities[label], hit.tolist(), strict=True):
                for name in (0, column):
                    total = sums.setdefault((name, quality), [0, 0])
                    total[0] += was_found
                    total[1] += 1
        return [
            {
                **_row_of(key, column),
                "criterion": criterion,
                "label": self.judging.names[column],
                "quality": quality,
                "recall": tp / n,
                "found": tp,
                "annotated": n,
            }
            for (column, quality), (tp, n) in sums.items()
            if column < len(self.judging.names)
        ]

    def _tape_rows(self, here: Row, counts: Counts) -> list[Row]:
        rows = []
        names = np.array(self.judging.tapes, dtype=np.str_)
        for tape in sorted(set(self.judging.tapes)):
            on_tape = names == tape
            summed, hours = counts[on_tape].sum(axis=0), float(self.judging.seconds[on_tape].sum()) / 3600
            rates = dict(zip(RATES, map(float, precision_recall_f1(*summed)), strict=True))
            rows.append({**here, "tape": tape, **rates, **counted(summed, hours)})
        return rows


def estimates(value: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> Row:
    """Return precision, recall and F1, each (3,), with their intervals as columns."""
    columns: Row = {}
    for index, rate in enumerate(RATES):
        columns |= {rate: float(value[index]), f"{rate}_low": float(low[index]), f"{rate}_high": float(high[index])}
    return columns


def counted(counts: Counts, hours: float) -> Row:
    """Return columns of summed tp, fp and fn (3,)."""
    tp, fp, fn = (int(value) for value in counts)
    return {
        "false_alarms_per_hour": false_alarms_per_hour(fp, 3600 * hours),
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "n_reference": tp + fn,
        "n_predicted": tp + fp,
        "hours": hours,
    }


def frame(table: str, rows: Sequence[Row], marks: str) -> pl.DataFrame:
    """Return rows as the table of this name, sorted; undefined figures are empty, the others have six decimals.

    Rounding here makes page, notebook and CSV show the same figures.
    """
    table_frame = pl.DataFrame(
        [{"layer": "first", **row, "marks": marks} for row in rows], schema=SCHEMAS[table], strict=True
    )
    return in_order(table, table_frame.with_columns(cs.float().fill_nan(None).round(_DECIMALS)))


def in_order(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a table in its fixed order."""
    return rows.sort(SORTED_BY[table], nulls_last=True, maintain_order=True)


def _row_of(key: Row, column: int) -> Row:
    return {name: value[column] if isinstance(value, tuple) else value for name, value in key.items()}


def _mean_errors(errors: NDArray[np.float64]) -> Row:
    start, end = 1000 * np.abs(errors).mean(axis=0) if len(errors) else (float("nan"),) * 2
    return {"start_error_ms": float(start), "end_error_ms": float(end)}


def _boundary_rows(here: Row, errors: NDArray[np.float64]) -> list[Row]:
    rows = []
    for side, name in enumerate(("start", "end")):
        quantiles_ms = (
            1000 * np.quantile(errors[:, side], QUANTILES) if len(errors) else np.full(len(QUANTILES), np.nan)
        )
        shares = {
            f"q{round(100 * share):02d}_ms": float(value) for share, value in zip(QUANTILES, quantiles_ms, strict=True)
        }
        rows.append({**here, "boundary": name, **shares, "pairs": len(errors)})
    return rows
