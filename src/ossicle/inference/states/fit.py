"""Fit the rule of each label to out-of-fold scores by replay.

Stretches of scores in which a label is steadily on or off, and not hidden, are spliced into sequences with known
switches (``splices``), and every rule of the settings decides on them (``replay``). Rules are admissible whose median
delay is at most the target. Of these, rules are good whose F1 of switches, in sequences under stress, is within 0.02 of
the best: missed and false switches count alike.

Thresholds are tried on the plateau of the F1 curve of the windows only, so that windows and switches are judged by one
threshold. As in decision record 11, the choice is a plateau and not a peak: the widest run of good rules along the
threshold, in log odds, with equal other settings, and its middle; where runs are equally wide, the simpler settings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.decisions.states import StateDecision, StateRule
from ossicle.core.digest import seed_of
from ossicle.core.errors import UsageError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.inference.states.fit_settings import StateFitSettings
from ossicle.inference.states.replay import Replay, replay
from ossicle.inference.states.splices import SteadyScores, log_odds, share_of, spliced
from ossicle.inference.states.threshold_curves import WITHIN, ThresholdCurve, threshold_curve, threshold_grid
from ossicle.metrics.events import precision_recall_f1
from ossicle.metrics.states.windows import UNKNOWN_TRUTH, hidden_windows

# Thresholds of the replay in log odds, from 0.02 to 0.98 at most.
_N_CENTRES = 21
_MOST_ODDS = 3.9
# A rule that finds less is reported.
_FOUND_SHARE = 0.95

Odds = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ScoredStates:
    """Out-of-fold scores of one recording's full windows, with their truth.

    Parameters
    ----------
    scores
        float32, shape (n, n_labels), one row a frame of the plan.
    truth
        int8 of the same shape: 1 on, 0 off, -1 unknown.
    group
        Group of the recording; switches are spliced within a group where it has both states.
    fold
        The fold that held the recording out.
    """

    scores: NDArray[np.float32]
    truth: NDArray[np.int8]
    group: str
    fold: int


@dataclass(frozen=True, slots=True, eq=False)
class LabelFit:
    """The fitted rule of one label, how it did in the replay, and the F1 curve of its windows.

    ``width`` is that of the plateau in log odds. ``found``, ``false_per_hour`` (also under stress) and ``delay_s`` are
    in-sample: of the sequences on which the rule was chosen.
    """

    rule: StateRule
    width: float
    found: float
    false_per_hour: float
    stressed_false_per_hour: float
    delay_s: float
    curve: ThresholdCurve
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "width_log_odds": round(self.width, 6),
            "replay": {
                "basis": "in-sample",
                "found": round(self.found, 6),
                "false_per_hour": round(self.false_per_hour, 6),
                "stressed_false_per_hour": round(self.stressed_false_per_hour, 6),
                "delay_s": round(self.delay_s, 6) if np.isfinite(self.delay_s) else None,
            },
            "curve": self.curve.to_json(),
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True, eq=False)
class FittedStates:
    """The fitted decision, and the fit of each label."""

    decision: StateDecision
    labels: Mapping[str, LabelFit]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the decision doubtful, in words."""
        return tuple(line for label in self.labels.values() for line in label.warnings)


def fit_states(
    recordings: Sequence[ScoredStates],
    labels: Sequence[str],
    plan: ChunkPlan,
    masks: Mapping[str, tuple[str, ...]],
    priority: tuple[str, ...],
    settings: StateFitSettings,
) -> FittedStates:
    """Return the decision that is fitted to these recordings.

    Parameters
    ----------
    recordings
        Out-of-fold scores. To judge a fold, give the recordings of the other folds only (:func:`cross_fit_states`).
    labels
        Names of the columns.
    plan
        The grid of the frames.
    masks, priority
        As in ``StateDecision``.
    settings
        What to try, and the target.

    Raises
    ------
    UsageError
        If a label is never on, or never off, where it is not hidden.
    """
    fits = {label: _label_fit(recordings, labels, label, plan, masks, settings) for label in labels}
    return FittedStates(StateDecision({label: fit.rule for label, fit in fits.items()}, masks, priority), fits)


def cross_fit_states(
    recordings: Sequence[ScoredStates],
    labels: Sequence[str],
    plan: ChunkPlan,
    masks: Mapping[str, tuple[str, ...]],
    priority: tuple[str, ...],
    settings: StateFitSettings,
) -> dict[int, FittedStates]:
    """Return for each fold the decision that is fitted to the recordings of the other folds."""
    folds = sorted({recording.fold for recording in recordings})
    return {
        fold: fit_states(
            [recording for recording in recordings if recording.fold != fold], labels, plan, masks, priority, settings
        )
        for fold in folds
    }


def steady_scores(
    recordings: Sequence[ScoredStates],
    labels: Sequence[str],
    label: str,
    masks: Mapping[str, tuple[str, ...]],
    least_frames: int,
) -> list[SteadyScores]:
    """Return the runs of at least ``least_frames`` windows in which a label is on or off, known and not hidden."""
    c, runs = list(labels).index(label), []
    for recording in recordings:
        hidden = hidden_windows(recording.truth, list(labels), masks)[:, c]
        state = np.where(hidden, UNKNOWN_TRUTH, recording.truth[:, c])
        edges = [0, *(np.flatnonzero(np.diff(state)) + 1).tolist(), len(state)]
        for start, end in pairwise(edges):
            if end - start >= least_frames and state[start] != UNKNOWN_TRUTH:
                runs.append(
                    SteadyScores(recording.scores[start:end, c].astype(np.float64), bool(state[start]), recording.group)
                )
    return runs


def _label_fit(
    recordings: Sequence[ScoredStates],
    labels: Sequence[str],
    label: str,
    plan: ChunkPlan,
    masks: Mapping[str, tuple[str, ...]],
    settings: StateFitSettings,
) -> LabelFit:
    across = -(-plan.window_samples // plan.hop_samples)
    sources = steady_scores(recordings, labels, label, masks, 2 * across + 1)
    for is_on in (True, False):
        if not any(source.on == is_on for source in sources):
            raise UsageError(
                f"the state decision cannot be fitted: no scored recording has {label!r} {'on' if is_on else 'off'} "
                f"for {(2 * across + 1) * plan.hop_s:g} s{' where nothing hides it' if masks else ''}; record some, or "
                "remove the label"
            )
    curve = _curve(recordings, labels, label, masks, settings)
    centres = _centres(curve)
    rules = [_rule(kind, centre) for kind in settings.kinds for centre in centres.tolist()]
    seed, stretch_s = seed_of("state_decision", settings.seed, label), (settings.stretch_min_s, settings.stretch_max_s)
    calm = replay(spliced(sources, plan, settings.switches, stretch_s, seed), rules, plan, settings.within_s)
    hard = calm
    if settings.stress > 0:
        stressed = spliced(sources, plan, settings.switches, stretch_s, seed, settings.stress * _half_distance(sources))
        hard = replay(stressed, rules, plan, settings.within_s)
    chosen, width = _chosen_rule(calm, hard, centres, plan, settings)
    return LabelFit(
        rule=rules[chosen],
        width=width,
        found=float(calm.n_found[chosen] / calm.n_switches),
        false_per_hour=float(calm.false[chosen] / calm.hours),
        stressed_false_per_hour=float(hard.false[chosen] / hard.hours),
        delay_s=float(calm.delay_s[chosen]),
        curve=curve,
        warnings=(*curve.warnings(label), *_shortfall(label, calm, chosen, plan, settings)),
    )


def _half_distance(sources: Sequence[SteadyScores]) -> float:
    """Return half the distance between the median log odds of on and off, at least 0."""
    medians = [
        np.median(log_odds(np.concatenate([source.scores for source in sources if source.on == on])))
        for on in (True, False)
    ]
    return float(max(0.0, medians[0] - medians[1]) / 2)


def _rule(kind: tuple[str, int, int, float, float], centre: float) -> StateRule:
    smoothing, frames, debounce, distance, hold_s = kind
    off, on = share_of(np.array([centre - distance / 2, centre + distance / 2])).tolist()
    return StateRule(
        on=on, off=off, smoothing=smoothing, frames=frames, min_on_s=hold_s, min_off_s=hold_s, debounce=debounce
    )


def target_delay_s(plan: ChunkPlan, settings: StateFitSettings) -> float:
    """Return the longest median delay in seconds that a rule may have."""
    return settings.delay_s or (plan.window_samples + 2 * plan.hop_samples) / plan.rate


def _centres(curve: ThresholdCurve) -> Odds:
    """Return the thresholds to try in log odds, ascending: those of the plateau of F1."""
    ends = np.array([0.0, 1.0] if curve.plateau is None else [curve.plateau.low, curve.plateau.high])
    low, high = np.clip(log_odds(ends), -_MOST_ODDS, _MOST_ODDS).tolist()
    return np.linspace(low, high, _N_CENTRES)


def _chosen_rule(
    calm: Replay, hard: Replay, centres: Odds, plan: ChunkPlan, settings: StateFitSettings
) -> tuple[int, float]:
    """Return the index of the chosen rule, and the width of its plateau in log odds.

    ``calm`` is the replay of the scores as they are, ``hard`` that under stress.
    """
    in_time = calm.delay_s <= target_delay_s(plan, settings)
    if not in_time.any():
        in_time = calm.delay_s <= calm.delay_s.min()
    f1 = np.where(in_time, switch_f1(hard), -1.0)
    good = (f1 >= f1.max() - WITHIN).reshape(-1, len(centres))
    runs = [(kind, run) for kind, row in enumerate(good) for run in _runs(row)]
    kind, run = max(runs, key=lambda numbered_run: len(numbered_run[1]))
    return kind * len(centres) + run[len(run) // 2], float(centres[run[-1]] - centres[run[0]])


def switch_f1(done: Replay) -> NDArray[np.float64]:
    """Return the F1 of the switches that each rule reports, shape (n_rules,)."""
    return precision_recall_f1(done.n_found, done.false, done.n_switches - done.n_found)[2]


def _runs(row: NDArray[np.bool_]) -> list[list[int]]:
    good = np.flatnonzero(row)
    return [run.tolist() for run in np.split(good, np.flatnonzero(np.diff(good) > 1) + 1) if len(run)]


def _curve(
    recordings: Sequence[ScoredStates],
    labels: Sequence[str],
    label: str,
    masks: Mapping[str, tuple[str, ...]],
    settings: StateFitSettings,
) -> ThresholdCurve:
    c = list(labels).index(label)
    truth = np.concatenate([recording.truth for recording in recordings])
    counts = (truth[:, c] != UNKNOWN_TRUTH) & ~hidden_windows(truth, list(labels), masks)[:, c]
    scores = np.concatenate([recording.scores[:, c] for recording in recordings]).astype(np.float64)
    folds = np.concatenate([np.full(len(recording.scores), recording.fold, dtype=np.int64) for recording in recordings])
    grid = None
    if settings.thresholds == "grid":
        grid = threshold_grid(settings.threshold_from, settings.threshold_to, settings.threshold_step)
    return threshold_curve(scores[counts], truth[counts, c] == 1, folds[counts], grid)


def _shortfall(label: str, calm: Replay, chosen: int, plan: ChunkPlan, settings: StateFitSettings) -> list[str]:
    """Return in words which target the chosen rule misses."""
    warnings = []
    if calm.n_found[chosen] < _FOUND_SHARE * calm.n_switches:
        warnings.append(
            f"{label!r}: the rule finds {calm.n_found[chosen] / calm.n_switches:.0%} of the replayed switches within "
            f"{settings.within_s:g} s, less than {_FOUND_SHARE:.0%}"
        )
    if calm.delay_s[chosen] > target_delay_s(plan, settings):
        warnings.append(
            f"{label!r}: the median delay of the rule is {calm.delay_s[chosen]:.2f} s, more than "
            f"{target_delay_s(plan, settings):.2f} s"
        )
    return warnings


def rule_middle(rule: StateRule) -> float:
    """Return the threshold in the middle of ``on`` and ``off``, in log odds: what windows and files are judged by.

    >>> rule_middle(StateRule(on=0.8, off=0.2))
    0.5
    """
    return float(share_of(log_odds(np.array([rule.on, rule.off])).mean(keepdims=True))[0])
