"""Rows of the benchmark leaderboard: thresholds chosen on other tapes, taken from the bundle, or chosen in-sample."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ossicle.app.steps.benchmark.keys import BUNDLE, reading_key
from ossicle.app.steps.benchmark.models import Opened
from ossicle.core.decisions.decision import Decision
from ossicle.evaluation.figures.benchmark import Judging, Row, Tally, counted, estimates
from ossicle.inference.decisions.fit import cross_fit
from ossicle.inference.decisions.grid import DecisionGrid
from ossicle.metrics.resampling.sweep import sweep_rates

CROSS_FITTED, IN_SAMPLE = "cross-fitted", "in-sample"


def fitted_rows(opened: Opened, tally: Tally, judging: Judging, grid: DecisionGrid) -> list[Row]:
    """Return the rows of thresholds chosen from the grid: cross-fitted over tapes, and the best in-sample."""
    tapes = sorted(set(judging.tapes))
    fold_of_tape = {tape: number for number, tape in enumerate(tapes)}
    rows: list[Row] = []
    for number, (criterion, _) in enumerate(judging.criteria):
        counts = tally.counts(number)
        if len(tapes) > 1:
            fitted = cross_fit(
                counts.astype(np.int32), [fold_of_tape[tape] for tape in judging.tapes], judging.labels, grid
            )
            thresholds = _thresholds_in_words(
                {label: [decisions[label] for decisions in fitted.per_fold.values()] for label in judging.labels}
            )
            rows.append(_board_row(opened, CROSS_FITTED, criterion, fitted.held_out, judging, thresholds))
            thresholds = _thresholds_in_words({label: [decision] for label, decision in fitted.final.items()})
            rows.append(_board_row(opened, IN_SAMPLE, criterion, fitted.in_sample, judging, thresholds))
    return rows


def bundle_rows(opened: Opened, tally: Tally, judging: Judging, decisions: Mapping[str, Decision]) -> list[Row]:
    """Return the rows of the bundle's own decisions; ``tally`` holds only these."""
    thresholds = _thresholds_in_words({label: [decision] for label, decision in decisions.items()})
    return [
        _board_row(opened, BUNDLE, criterion, tally.counts(number)[0], judging, thresholds)
        for number, (criterion, _) in enumerate(judging.criteria)
    ]


def _board_row(opened: Opened, basis: str, criterion: str, counts: Any, judging: Judging, thresholds: str) -> Row:
    rates = sweep_rates(counts[None].astype(np.int64), judging.tapes, judging.n_bootstrap, judging.seed)
    return {
        **reading_key(opened),
        "basis": basis,
        "criterion": criterion,
        **estimates(rates.value[0, 0], rates.low[0, 0], rates.high[0, 0]),
        **counted(counts.sum(axis=(0, 1)), judging.hours),
        "decisions": thresholds,
        "tapes": len(set(judging.tapes)),
        "interval": rates.method,
    }


def _thresholds_in_words(decisions: Mapping[str, list[Decision]]) -> str:
    """Return thresholds in words: the lowest and the highest of each label."""
    ranges = []
    for label, label_decisions in decisions.items():
        low, high = min(decision.on for decision in label_decisions), max(decision.on for decision in label_decisions)
        ranges.append(f"{label} {low:g}" + (f" to {high:g}" if high > low else ""))
    return ", ".join(ranges)
