"""Recordings whose out-of-fold scores contradict their labels: wrong labels, or sounds that no model has learnt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ossicle.core.decisions.states import OFF, ON
from ossicle.evaluation.states.judging_rule import JudgingRule
from ossicle.inference.states.fit import ScoredStates
from ossicle.metrics.states.windows import UNKNOWN_TRUTH, hidden_windows


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A recording and a label that its windows contradict.

    Attributes
    ----------
    recording_id
        The recording.
    label
        The label.
    state
        What the label says: ``on`` or ``off``.
    score
        Median score of the windows in which it says so.
    threshold
        Score from which a window is on.
    share
        Share of these windows that are on the other side of the threshold.
    worst_window
        Index of the window with the score that is farthest on the other side.
    whole
        Whether the median contradicts the label, and not only some windows.
    """

    recording_id: str
    label: str
    state: str
    score: float
    threshold: float
    share: float
    worst_window: int
    whole: bool

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "recording_id": self.recording_id,
            "label": self.label,
            "state": self.state,
            "score": round(self.score, 6),
            "threshold": round(self.threshold, 6),
            "share": round(self.share, 6),
            "worst_window": self.worst_window,
            "whole": self.whole,
        }


def contradictions(
    recordings: Mapping[str, ScoredStates],
    labels: Sequence[str],
    rules: Mapping[int, JudgingRule],
    least_share: float = 0.05,
) -> list[Contradiction]:
    """Return recordings whose held-out windows contradict a label, the most confident first.

    Parameters
    ----------
    recordings
        Held-out scores and truth by recording. Windows in which a label is hidden or unknown do not count.
    labels
        The labels, in the order of the columns.
    rules
        What each fold is judged by.
    least_share
        Smallest share of contradicting windows that is listed.

    Returns
    -------
    list of Contradiction
        Those whose median contradicts the label come first, by the distance of the median from the threshold; then
        those of which only some windows do, by their share.
    """
    contradictions = []
    for key, recording in recordings.items():
        rule = rules[recording.fold]
        hidden = hidden_windows(recording.truth, labels, rule.decision.masks)
        for column, label in enumerate(labels):
            threshold = rule.thresholds[label]
            for value, state in ((1, ON), (0, OFF)):
                rows = (
                    (recording.truth[:, column] == value)
                    & ~hidden[:, column]
                    & (recording.truth[:, column] != UNKNOWN_TRUTH)
                )
                if not rows.any():
                    continue
                scores = recording.scores[:, column].astype(np.float64)
                wrong = rows & ((scores >= threshold) != (value == 1))
                share = float(wrong.sum() / rows.sum())
                median = float(np.median(scores[rows]))
                whole = (median >= threshold) != (value == 1)
                if not whole and share < least_share:
                    continue
                distance = np.where(wrong, np.abs(scores - threshold), -1.0)
                worst = int(distance.argmax())
                contradictions.append(Contradiction(key, label, state, median, threshold, share, worst, whole))
    return sorted(
        contradictions,
        key=lambda contradiction: (
            not contradiction.whole,
            -abs(contradiction.score - contradiction.threshold) if contradiction.whole else -contradiction.share,
            contradiction.recording_id,
        ),
    )
