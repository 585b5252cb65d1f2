"""From one recording's samples to its changes of state, block by block (invariant 4).

``Scorer`` reads the samples on the chunk grid; ``StateFold`` turns the scores into changes. Files, arrays and live
streams all use this class.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ossicle.core.decisions.states import StateChange, StateDecision
from ossicle.core.time import to_seconds
from ossicle.core.tracks import ScoreTrack
from ossicle.inference.predictor import Predictor
from ossicle.inference.scorer import Scorer
from ossicle.inference.states.fold import StateFold
from ossicle.inference.states.frames import n_full_frames


class StateFinder:
    """Turn one recording's samples into its changes of state, block by block.

    Parameters
    ----------
    predictor, decision
        The model, and the decision about its scores.
    batch_chunks
        Chunks scored at a time.
    keep_scores
        Keep the scores in memory, 4 bytes a frame and label.

    Raises
    ------
    ValueError
        If a label has no rule.
    """

    def __init__(
        self, predictor: Predictor, decision: StateDecision, batch_chunks: int = 8, *, keep_scores: bool = False
    ) -> None:
        self._predictor, self._batch_chunks = predictor, batch_chunks
        self._labels, self._plan = tuple(predictor.labels), predictor.plan
        self._scorer = Scorer(predictor, batch_chunks)
        self._fold = StateFold(decision, self._labels, self._plan)
        self._score_blocks: list[NDArray[np.float32]] | None = [] if keep_scores else None
        self._origin_s, self._end_s = 0.0, 0.0

    @property
    def heard_s(self) -> float:
        """Seconds from the start of the recording to the last sample that was processed."""
        return self._origin_s + to_seconds(self._scorer.n_samples, self._plan.rate)

    @property
    def states(self) -> dict[str, str]:
        """The state of each label after what was processed so far."""
        return self._fold.states

    def feed(self, samples: NDArray[np.float32]) -> list[StateChange]:
        """Add the next samples, float32 (n,) at the plan's rate; return the changes that they decide."""
        return self._fold.feed(self._keep(self._scorer.feed(samples)))

    def gap(self, lost_s: float) -> list[StateChange]:
        """Mark the next ``lost_s`` seconds as lost and begin again after them; every label becomes unknown."""
        changes = self._last_changes(self.heard_s)
        start_s = self.heard_s
        self._origin_s = start_s + lost_s
        self._scorer = Scorer(self._predictor, self._batch_chunks)
        return changes + self._fold.gap(start_s, self._origin_s)

    def finish(self, end_s: float) -> list[StateChange]:
        """Return the changes that were waiting for the end of the recording at ``end_s`` seconds."""
        self._end_s = end_s
        return self._last_changes(end_s)

    def track(self) -> ScoreTrack | None:
        """Return the scores of the finished recording, those of windows that reach beyond it included; None if not
        kept, or if sound was lost.
        """
        if self._score_blocks is None or self._origin_s > 0:
            return None
        return ScoreTrack(self._labels, np.concatenate(self._score_blocks), self._plan.hop_s, self._end_s)

    def _last_changes(self, end_s: float) -> list[StateChange]:
        n_done, n_full = self._scorer.n_frames, n_full_frames(self._plan, self._scorer.n_samples)
        scores = self._keep(self._scorer.finish())
        changes = self._fold.feed(scores[: max(0, n_full - n_done)])
        # The last chunk was waited for until the end only, not until it was full.
        return [replace(change, decided_at_s=min(change.decided_at_s, end_s)) for change in changes]

    def _keep(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._score_blocks is not None:
            self._score_blocks.append(scores)
        return scores
