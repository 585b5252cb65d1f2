"""The second stage as a value: trees that score candidates from their features, and the weights of both stages.

The score of a candidate is ``sigmoid(w0 + w1 * logit(trees) + w2 * logit(first stage's peak))``, Platt scaling (1999)
of both stages together with ``w1, w2 >= 0``: a higher score of either stage never lowers it. Isotonic calibration, if
chosen, then maps that through a rising piecewise linear function. A candidate whose score reaches the label's threshold
is an event with that score. A label without trees keeps the events of the first stage.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.features.event_features import EventFeatureSettings, Features
from ossicle.core.decisions.decision import Decision
from ossicle.core.tracks import Event
from ossicle.inference.second_stage.candidates import CANDIDATE_FEATURES, PEAK, Candidate, CandidateFold
from ossicle.inference.second_stage.trees import Trees, logit, sigmoid

LEAST_PROBABILITY = 1e-3
"""The trees' probabilities are clipped this far from 0 and 1: a forest fitted on few events easily gives either."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Weights of both stages, as plain arrays.

    ``weights``: float64 (3,): offset, weight of the trees' logit, weight of the first stage's peak logit. ``isotonic``:
    float64 (k, 2), rising scores in [0, 1] and their mapped values, joined by straight lines; k = 0 for none.
    """

    weights: NDArray[np.float64]
    isotonic: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.weights.shape != (3,) or not np.isfinite(self.weights).all() or (self.weights[1:] < 0).any():
            raise ValueError("weights must be three finite numbers, the last two at least 0")
        line = self.isotonic
        if line.ndim != 2 or line.shape[1] != 2 or not np.isfinite(line).all() or np.any((line < 0) | (line > 1)):
            raise ValueError("isotonic is not an array (k, 2) within [0, 1]")
        if np.any(np.diff(line[:, 0]) <= 0) or np.any(np.diff(line[:, 1]) < 0):
            raise ValueError("isotonic is not ascending")

    def __call__(self, second: Features, first_logit: Features) -> Features:
        """Return calibrated scores in [0, 1] from the trees' probabilities and the first stage's log odds, all (n,)."""
        calibrated = sigmoid(self.linear(second, first_logit))
        if len(self.isotonic) == 0:
            return calibrated
        mapped: Features = np.interp(calibrated, self.isotonic[:, 0], self.isotonic[:, 1])
        return mapped

    def linear(self, second: Features, first_logit: Features) -> Features:
        """Return the log odds before any isotonic map, (n,)."""
        offset, of_trees, of_first = self.weights.tolist()
        log_odds: Features = offset + of_trees * logit(second, LEAST_PROBABILITY) + of_first * first_logit
        return log_odds


@dataclass(frozen=True, slots=True, eq=False)
class LabelStage:
    """The second stage of one label."""

    trees: Trees
    calibration: Calibration
    threshold: float

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold = {self.threshold:g} is not from 0 to 1")

    def scores(self, features: Features) -> Features:
        """Return the combined scores of candidates from their features (n, n_features), shape (n,)."""
        return self.calibration(self.trees.predict(features), features[:, CANDIDATE_FEATURES.index(PEAK)])


@dataclass(frozen=True, slots=True, eq=False)
class SecondStage:
    """The models that score the candidates of every label in ``labels``, and how candidates are found and described.

    ``lower_on``: the lowest threshold of candidates, as a share of the decision's threshold.
    """

    kind: str
    lower_on: float
    features: EventFeatureSettings
    labels: Mapping[str, LabelStage]

    def __post_init__(self) -> None:
        if not 0 < self.lower_on <= 1:
            raise ValueError(f"lower_on = {self.lower_on:g} is not above 0 and at most 1")

    def judge(self, candidates: list[Candidate]) -> list[Event]:
        """Return the events among candidates, in their order: re-scored, or unchanged for labels without a model."""
        scores = {id(candidate): candidate.event.score for candidate in candidates}
        for label, stage in self.labels.items():
            label_candidates = [candidate for candidate in candidates if candidate.event.label == label]
            if label_candidates:
                label_scores = stage.scores(np.stack([candidate.features for candidate in label_candidates]))
                scores.update(
                    (id(candidate), score)
                    for candidate, score in zip(label_candidates, label_scores.tolist(), strict=True)
                )
        return [
            replace(candidate.event, score=scores[id(candidate)])
            for candidate in candidates
            if (
                candidate.decided
                if candidate.event.label not in self.labels
                else self._keeps(candidate.event.label, scores[id(candidate)])
            )
        ]

    def _keeps(self, label: str, score: float) -> bool:
        return score >= self.labels[label].threshold


class Rescorer:
    """Turn one recording's samples and scores into its events under both stages, block by block."""

    def __init__(
        self, labels: tuple[str, ...], decisions: Mapping[str, Decision], hop_s: float, stage: SecondStage
    ) -> None:
        self._stage = stage
        self._fold = CandidateFold(labels, decisions, hop_s, stage.features, stage.lower_on)

    def feed(self, samples: NDArray[np.float32], scores: NDArray[np.float32]) -> list[Event]:
        """Add the next samples (n,) and score frames (k, n_labels); return the events that became certain, sorted."""
        return self._stage.judge(self._fold.feed(samples, scores))

    def finish(self, scores: NDArray[np.float32], duration_s: float) -> list[Event]:
        """Add the last score frames; return the remaining events, clipped to ``duration_s`` seconds, sorted."""
        before = self._fold.feed(np.zeros(0, dtype=np.float32), scores)
        return self._stage.judge(before + self._fold.finish(duration_s))
