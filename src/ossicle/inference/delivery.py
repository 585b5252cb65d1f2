"""How a detector's scores are returned: decided frame by frame or for the whole recording, calibrated or not.

Calibration comes after the decision. Its maps never fall, so the calibrated score of an event's highest frame is the
highest calibrated score in the event. Thresholds are compared with the scores they were fitted on, so a calibrated
bundle makes exactly the decisions of an uncalibrated one, even where an isotonic map is level and two scores become
equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ossicle.bundle.manifest import Bundle
from ossicle.core.decisions.decision import Decision
from ossicle.core.scores.pooling import MAX, RecordingPool
from ossicle.core.scores.postprocess import Postprocess
from ossicle.core.scores.score_map import ScoreMap
from ossicle.core.tracks import Event, ScoreTrack, event_order
from ossicle.inference.decisions.decide import Decider, decide
from ossicle.inference.postprocess import PostprocessFold


@dataclass(frozen=True, slots=True)
class Delivery:
    """How scores are processed, decided and returned.

    ``pool``: one of ``core.scores.pooling.POOLS``. ``maps``: from scores to probabilities by label, empty if not
    calibrated. ``postprocess``: applied before the decision.
    """

    pool: str = MAX
    maps: Mapping[str, ScoreMap] = field(default_factory=dict)
    postprocess: Postprocess = field(default_factory=Postprocess)

    @property
    def plain(self) -> bool:
        """Whether the model's scores are decided frame by frame and returned unchanged."""
        return self.pool == MAX and not self.maps and self.postprocess.does_nothing

    def given(self, events: list[Event]) -> list[Event]:
        """Return the events with calibrated scores, in their order."""
        if not self.maps:
            return events
        return [
            replace(event, score=float(self.maps[event.label](np.array([event.score]))[0]))
            if event.label in self.maps
            else event
            for event in events
        ]

    def decider(self, labels: tuple[str, ...], decisions: Mapping[str, Decision], hop_s: float) -> "AnyDecider":
        """Return the object that turns one recording's scores into its events."""
        whole = self.pool != MAX
        inner = RecordingDecider(labels, decisions, hop_s) if whole else Decider(labels, decisions, hop_s)
        return inner if self.postprocess.does_nothing else PostprocessedDecider(self.postprocess, len(labels), inner)


class RecordingDecider:
    """Turn one recording's scores into at most one event per label, over the whole recording, with its mean score.

    Nothing is certain before the end, so a stream returns its events only when it stops.
    """

    def __init__(self, labels: tuple[str, ...], decisions: Mapping[str, Decision], hop_s: float) -> None:
        self._labels, self._decisions, self._hop_s = labels, decisions, hop_s
        self._pool = RecordingPool("mean", len(labels), hop_s)

    def feed(self, scores: NDArray[np.float32]) -> list[Event]:
        """Add the next score frames, float32 (n, n_labels); nothing is certain yet."""
        self._pool.feed(scores)
        return []

    def finish(self, duration_s: float) -> list[Event]:
        """Return the events of the recording, sorted; each lasts from 0 to ``duration_s`` seconds."""
        if self._pool.n_frames == 0:
            return []
        scores = np.broadcast_to(self._pool.finish(duration_s), (self._pool.n_frames, len(self._labels)))
        return decide(ScoreTrack(self._labels, scores, self._hop_s, duration_s), self._decisions)


class PostprocessedDecider:
    """Post-process one recording's scores block by block, then turn them into its events."""

    def __init__(self, postprocess: Postprocess, n_labels: int, inner: "Decider | RecordingDecider") -> None:
        self._scores, self._inner = PostprocessFold(postprocess, n_labels), inner

    def feed(self, scores: NDArray[np.float32]) -> list[Event]:
        """Add the next score frames, float32 (n, n_labels); return the events that became certain, sorted."""
        return self._inner.feed(self._scores.feed(scores))

    def finish(self, duration_s: float) -> list[Event]:
        """Return the remaining events, clipped to ``duration_s`` seconds, sorted."""
        events = self._inner.feed(self._scores.finish()) + self._inner.finish(duration_s)
        return sorted(events, key=event_order)


AnyDecider = Decider | RecordingDecider | PostprocessedDecider


def bundled_delivery(bundle: Bundle) -> Delivery:
    """Return how a bundle's scores are processed, decided and returned."""
    return Delivery(bundle.pool, bundle.calibration, bundle.postprocess)
