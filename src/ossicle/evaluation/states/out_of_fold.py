"""Out-of-fold scores of states with their truth, and the decisions that judge each fold without having seen it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ossicle.artefacts.typed.states import StateScoresFolder
from ossicle.core.decisions.states import StateDecision
from ossicle.core.errors import UsageError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.evaluation.states.fold_figures import CROSS_FITTED, IN_SAMPLE
from ossicle.evaluation.states.recordings import LabelledWindows
from ossicle.inference.states.fit import FittedStates, ScoredStates, fit_states
from ossicle.inference.states.fit_settings import StateFitSettings


def scored_states(windows: LabelledWindows, scores: StateScoresFolder) -> dict[str, ScoredStates]:
    """Return scores and truth of every recording with windows."""
    return {
        key: ScoredStates(
            np.asarray(scores.track(key).scores), windows.truth[key], windows.groups[key], windows.folds[key]
        )
        for key in windows.ids
    }


@dataclass(frozen=True, eq=False)
class FoldDecision:
    """The decision that judges a fold, and its basis: fitted to other folds, or to the fold as well."""

    fitted: FittedStates
    basis: str
    reason: str = ""


@dataclass(frozen=True, eq=False)
class StateDecisions:
    """The decision of the bundle, fitted to all folds, and that of each fold."""

    final: FittedStates
    folds: Mapping[int, FoldDecision]


def fit_decisions(
    recordings: Mapping[str, ScoredStates],
    labels: Sequence[str],
    plan: ChunkPlan,
    unfitted: StateDecision,
    settings: StateFitSettings,
) -> StateDecisions:
    """Fit the decision of the bundle to all folds, and that of each fold to the other folds.

    Parameters
    ----------
    recordings
        Out-of-fold scores and truth.
    labels
        The labels, in the order of the columns.
    plan
        The grid of the windows.
    unfitted
        Masks and priority.
    settings
        What to try.

    Returns
    -------
    StateDecisions
        A fold whose other folds lack a state of a label is judged in-sample by the final decision; its ``reason`` says
        why.

    Raises
    ------
    UsageError
        All folds together lack a state of a label.
    """

    def fit(training_recordings: list[ScoredStates]) -> FittedStates:
        return fit_states(training_recordings, labels, plan, dict(unfitted.masks), unfitted.priority, settings)

    final = fit(list(recordings.values()))
    folds: dict[int, FoldDecision] = {}
    for fold in sorted({recording.fold for recording in recordings.values()}):
        try:
            others = [recording for recording in recordings.values() if recording.fold != fold]
            folds[fold] = FoldDecision(fit(others), CROSS_FITTED)
        except UsageError as problem:
            folds[fold] = FoldDecision(final, IN_SAMPLE, str(problem))
    return StateDecisions(final, folds)
