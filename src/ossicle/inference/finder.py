"""The whole detector, block by block: from one recording's samples to its events (invariant 4).

``Scorer`` reads the samples on the chunk grid; ``Decider``, or ``Rescorer`` with a second stage, turns the scores into
events. Files, arrays and live streams all use this class.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ossicle.core.decisions.decision import Decision
from ossicle.core.tracks import Event, ScoreTrack
from ossicle.inference.delivery import Delivery
from ossicle.inference.predictor import Predictor
from ossicle.inference.scorer import Scorer
from ossicle.inference.second_stage.stage import Rescorer, SecondStage


class EventFinder:
    """Turn one recording's samples into its events, block by block.

    Parameters
    ----------
    predictor, decisions
        The model, and the decision of each label.
    batch_chunks
        Chunks scored at a time.
    second_stage
        Re-scores events; not together with a ``delivery`` other than the plain one.
    delivery
        How scores are returned; by default frame by frame and unchanged.
    keep_scores
        Keep the model's own scores in memory, 4 bytes per frame and label.

    Raises
    ------
    ValueError
        If both a second stage and a delivery are requested.
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
            raise ValueError(
                "a second stage needs the unchanged frame scores of the model, and includes its own calibration"
            )
        labels, hop_s = tuple(predictor.labels), predictor.plan.hop_s
        self._scorer = Scorer(predictor, batch_chunks)
        self._delivery = delivery or Delivery()
        self._decider = self._delivery.decider(labels, decisions, hop_s)
        self._rescorer = None if second_stage is None else Rescorer(labels, decisions, hop_s, second_stage)
        self._score_blocks: list[NDArray[np.float32]] | None = [] if keep_scores else None
        self._labels, self._hop_s, self._end_s = labels, hop_s, 0.0

    @property
    def n_samples(self) -> int:
        """Number of samples processed so far."""
        return self._scorer.n_samples

    def feed(self, samples: NDArray[np.float32]) -> list[Event]:
        """Add the next samples, float32 (n,) at the plan's rate; return the events that became certain."""
        scores = self._keep(self._scorer.feed(samples))
        if self._rescorer is not None:
            return self._rescorer.feed(samples, scores)
        return self._delivery.given(self._decider.feed(scores))

    def finish(self, duration_s: float) -> list[Event]:
        """Return the remaining events, clipped to ``duration_s`` seconds."""
        scores, self._end_s = self._keep(self._scorer.finish()), duration_s
        if self._rescorer is not None:
            return self._rescorer.finish(scores, duration_s)
        return self._delivery.given(self._decider.feed(scores) + self._decider.finish(duration_s))

    def track(self) -> ScoreTrack | None:
        """Return the model's scores of the finished recording, before post-processing and decision; None if not
        kept.
        """
        if self._score_blocks is None:
            return None
        return ScoreTrack(self._labels, np.concatenate(self._score_blocks), self._hop_s, self._end_s)

    def _keep(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._score_blocks is not None:
            self._score_blocks.append(scores)
        return scores
