"""Figures of states for each held-out fold, and over folds: the worst one, the mean, and the gap between them.

The worst fold is the headline: a part of the day, a house or a machine that the model has not heard is what a user
brings to it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ossicle.core.decisions.states import OFF, ON, UNKNOWN, StateDecision, StateStretch
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.evaluation.states.judging_rule import JudgingRule
from ossicle.evaluation.states.sufficiency import wide
from ossicle.inference.states.fit import ScoredStates
from ossicle.inference.states.fold import StateFold
from ossicle.inference.states.frames import first_full_frame
from ossicle.metrics.reports.event_report import Estimate, plain
from ossicle.metrics.states.switches import JudgedStates, SwitchFigures, switch_figures
from ossicle.metrics.states.windows import LevelFigures, StateWindows, state_figures

CROSS_FITTED, IN_SAMPLE = "cross-fitted", "in-sample"
"""How the decision of a fold was fitted: to other folds only, or to the fold as well."""
_WORDS = {1: ON, 0: OFF, -1: UNKNOWN}


@dataclass(frozen=True)
class ResampleSettings:
    """Number of resamples of the intervals, their seed, and the longest delay in seconds of a switch that is found."""

    bootstrap: int
    seed: int
    within_s: float


@dataclass(frozen=True, eq=False)
class FoldFigures:
    """The figures of one fold.

    Attributes
    ----------
    name
        The fold.
    basis
        :data:`CROSS_FITTED` or :data:`IN_SAMPLE`.
    recordings
        Number of recordings.
    thresholds
        By label: the score at which a window or a file is on.
    windows, files
        Figures of windows, and of files by the median over their windows.
    switches
        By label: figures of the states over time.
    """

    name: str
    basis: str
    recordings: int
    thresholds: Mapping[str, float]
    windows: LevelFigures
    files: LevelFigures
    switches: Mapping[str, SwitchFigures]

    @property
    def figures(self) -> dict[str, Estimate]:
        """The figures of windows by their keys: ``state_accuracy``, ``f1.LABEL`` and ``f1_unmasked.LABEL``."""
        figures = {"state_accuracy": self.windows.state_accuracy}
        figures |= {f"f1.{label}": estimate for label, estimate in self.windows.f1.items()}
        return figures | {f"f1_unmasked.{label}": estimate for label, estimate in self.windows.f1_unmasked.items()}

    def to_json(self) -> dict[str, Any]:
        """Return plain values; undefined figures are None."""
        return {
            "basis": self.basis,
            "recordings": self.recordings,
            "thresholds": {label: round(value, 6) for label, value in self.thresholds.items()},
            **self.windows.to_json(),
            "files": self.files.to_json(),
            "switches": {label: switch.to_json() for label, switch in self.switches.items()},
        }


def fold_figures(
    name: str,
    basis: str,
    recordings: Mapping[str, ScoredStates],
    labels: Sequence[str],
    rule: JudgingRule,
    plan: ChunkPlan,
    resampling: ResampleSettings,
) -> FoldFigures:
    """Return the figures of a fold.

    Parameters
    ----------
    name, basis
        The fold, and how its decision was fitted.
    recordings
        Held-out scores and truth by recording.
    labels
        The labels, in the order of the columns.
    rule
        The decision of the fold, and its thresholds of windows and files.
    plan
        The grid of the windows.
    resampling
        Settings of the intervals.
    """
    scored, decision = list(recordings.values()), rule.decision
    thresholds = {label: rule.thresholds[label] for label in labels}
    windows = StateWindows(
        np.concatenate([scored_states.scores for scored_states in scored]),
        np.concatenate([scored_states.truth for scored_states in scored]),
        np.repeat(np.arange(len(scored)), [len(scored_states.scores) for scored_states in scored]),
        tuple(scored_states.group for scored_states in scored),
        np.tile([thresholds[label] for label in labels], (len(scored), 1)),
    )

    def figures(level: StateWindows) -> LevelFigures:
        return state_figures(level, labels, decision.masks, decision.priority, resampling.bootstrap, resampling.seed)

    judged = [judged_states(scored_states, labels, decision, plan) for scored_states in scored]
    return FoldFigures(
        name=name,
        basis=basis,
        recordings=len(scored),
        thresholds=thresholds,
        windows=figures(windows),
        files=figures(windows.as_files()),
        switches=switch_figures(judged, labels, resampling.within_s, resampling.bootstrap, resampling.seed),
    )


def right_windows(scored_states: ScoredStates, labels: Sequence[str], rule: JudgingRule) -> tuple[int, int]:
    """Return how many windows of a recording have the right overall state, and how many have a known one."""
    thresholds = np.array([[rule.thresholds[label] for label in labels]])
    rows = np.zeros(len(scored_states.scores), dtype=np.int64)
    windows = StateWindows(scored_states.scores, scored_states.truth, rows, (scored_states.group,), thresholds)
    level_figures = state_figures(windows, labels, rule.decision.masks, rule.decision.priority, n_bootstrap=0)
    return (round(level_figures.state_accuracy.value * level_figures.n) if level_figures.n else 0), level_figures.n


def judged_states(
    scored_states: ScoredStates, labels: Sequence[str], decision: StateDecision, plan: ChunkPlan
) -> JudgedStates:
    """Return the states that a decision gives for one recording's windows, beside the truth."""
    fold, first = StateFold(decision, tuple(labels), plan), first_full_frame(plan)
    # Frames before the first full window decide nothing, whatever their scores.
    before = np.zeros((first, len(labels)), dtype=np.float32)
    changes = [*fold.feed(before), *fold.feed(np.asarray(scored_states.scores, dtype=np.float32))]
    end_s = (first + len(scored_states.scores)) * plan.hop_s
    return JudgedStates(_stretches(scored_states, labels, first, plan.hop_s), changes, end_s, scored_states.group)


def _stretches(scored_states: ScoredStates, labels: Sequence[str], first: int, hop_s: float) -> list[StateStretch]:
    """Return the truth as stretches; the windows before the first frame have the truth of the first window."""
    stretches = []
    for column, label in enumerate(labels):
        states = scored_states.truth[:, column]
        edges = [0, *(np.flatnonzero(np.diff(states)) + 1).tolist(), len(states)]
        for start, end in pairwise(edges):
            begin_s = (first + start) * hop_s if start else 0.0
            stretches.append(StateStretch(begin_s, (first + end) * hop_s, label, _WORDS[int(states[start])], None))
    return stretches


def over_folds(folds: Sequence[FoldFigures]) -> dict[str, Any]:
    """Return the headline of ``metrics.json``: the worst fold of every figure, the mean, and the gap to the best.

    Undefined figures (NaN) of a fold are left out; a figure that no fold has is None.

    Parameters
    ----------
    folds
        The figures of every fold.

    Returns
    -------
    dict
        ``state_accuracy``, ``f1`` and ``f1_unmasked`` (by label) of the worst fold, each with ``value``, ``low``,
        ``high``, ``fold``, ``mean`` and ``gap``, and ``files`` with the same keys.
    """
    return {
        **_headline([(figures.name, figures.windows) for figures in folds]),
        "files": _headline([(figures.name, figures.files) for figures in folds]),
    }


def _headline(levels: Sequence[tuple[str, LevelFigures]]) -> dict[str, Any]:
    labels = list(levels[0][1].f1)
    hideable = list(levels[0][1].f1_unmasked)
    return {
        "state_accuracy": _worst([(name, level.state_accuracy) for name, level in levels]),
        "f1": {label: _worst([(name, level.f1[label]) for name, level in levels]) for label in labels},
        "f1_unmasked": {
            label: _worst([(name, level.f1_unmasked[label]) for name, level in levels]) for label in hideable
        },
    }


def _worst(figures: Sequence[tuple[str, Estimate]]) -> dict[str, Any]:
    defined = [(name, estimate) for name, estimate in figures if not math.isnan(estimate.value)]
    if not defined:
        return {"value": None, "low": None, "high": None, "fold": None, "mean": None, "gap": None}
    name, worst = min(defined, key=lambda pair: pair[1].value)
    values = [estimate.value for _, estimate in defined]
    return {
        **worst.to_json(),
        "fold": name,
        "mean": plain(sum(values) / len(values)),
        "gap": plain(max(values) - min(values)),
    }


def wide_figures(folds: Sequence[FoldFigures]) -> list[str]:
    """Return the figures of windows whose interval is too wide for a claim, with their fold."""
    return [
        f"{key} of {figures.name}: {estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
        for figures in folds
        for key, estimate in figures.figures.items()
        if not math.isnan(estimate.value) and wide(estimate)
    ]
