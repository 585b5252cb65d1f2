"""The whole detector as a fold: one recording's samples in, its events out (invariant 4).

``Scorer`` reads the samples on the chunk grid, ``Decider`` folds the scores into events, or ``Rescorer`` where there is
a second stage. Files, arrays and live streams all feed this fold.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ossicle.core.decision import Decision
from ossicle.core.tracks import Event, ScoreTrack
from ossicle.inference.delivery import Delivery
from ossicle.inference.predictor import Predictor
from ossicle.inference.scorer import Scorer
from ossicle.inference.second_stage.stage import Rescorer, SecondStage


class EventFinder:
    """The whole detector as a fold of one recording's samples into its events; ``second_stage`` may re-score them.

    ``delivery`` says how scores are given out, by default frame by frame and as they are. Raises ValueError where both
    are asked for. With ``keep_scores`` the model's own scores stay in memory, 4 bytes a frame and label.
    """

    def __init__(
        self,
        predictor: Predictor,
        decisions: Mapping[str, Decision],
        batch_chunks: int = 8,
        second_stage: SecondStage | None = None,
        delivery: Delivery | None = None,
        *,
        keep_scores: bool = False,
    ) -> None:
        if second_stage is not None and delivery is not None and not delivery.plain:
            raise ValueError("a second stage judges events frame by frame by the model's scores, and calibrates itself")
        labels, hop_s = tuple(predictor.labels), predictor.plan.hop_s
        self._scorer = Scorer(predictor, batch_chunks)
        self._delivery = delivery or Delivery()
        self._decider = self._delivery.decider(labels, decisions, hop_s)
        self._rescorer = None if second_stage is None else Rescorer(labels, decisions, hop_s, second_stage)
        self._kept: list[NDArray[np.float32]] | None = [] if keep_scores else None
        self._labels, self._hop_s, self._end_s = labels, hop_s, 0.0

    @property
    def n_samples(self) -> int:
        """Samples taken so far."""
        return self._scorer.n_samples

    def feed(self, samples: NDArray[np.float32]) -> list[Event]:
        """Take the next samples, float32 (n,) at the plan's rate; returns the events that became certain."""
        scores = self._keep(self._scorer.feed(samples))
        if self._rescorer is not None:
            return self._rescorer.feed(samples, scores)
        return self._delivery.given(self._decider.feed(scores))

    def finish(self, duration_s: float) -> list[Event]:
        """The remaining events, clipped to ``duration_s`` seconds."""
        scores, self._end_s = self._keep(self._scorer.finish()), duration_s
        if self._rescorer is not None:
            return self._rescorer.finish(scores, duration_s)
        return self._delivery.given(self._decider.feed(scores) + self._decider.finish(duration_s))

    def track(self) -> ScoreTrack | None:
        """The model's scores of the finished recording, before post-processing and decision; None if not kept."""
        if self._kept is None:
            return None
        return ScoreTrack(self._labels, np.concatenate(self._kept), self._hop_s, self._end_s)

    def _keep(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._kept is not None:
            self._kept.append(scores)
        return scores
