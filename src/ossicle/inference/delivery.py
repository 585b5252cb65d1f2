"""How a detector's scores are given out: decided frame by frame or for the recording as a whole, calibrated or not.

Calibration comes after the decision. Its maps never fall, so an event's calibrated score, that of its highest frame, is
the highest calibrated score in it; and as thresholds are compared with the scores they were fitted on, a calibrated
bundle decides exactly what an uncalibrated one does, also where an isotonic line is level and two scores become one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ossicle.bundle.manifest import Bundle
from ossicle.core.decision import Decision
from ossicle.core.pooling import MAX, RecordingPool
from ossicle.core.postprocess import Postprocess
from ossicle.core.score_map import ScoreMap
from ossicle.core.tracks import Event, ScoreTrack, event_order
from ossicle.inference.decisions.decide import Decider, decide
from ossicle.inference.postprocess import PostprocessFold


@dataclass(frozen=True, slots=True)
class Delivery:
    """``pool``: one of ``core.pooling.POOLS``; ``maps``: scores to probabilities by label, empty if not calibrated.

    ``postprocess`` comes before the decision.
    """

    pool: str = MAX
    maps: Mapping[str, ScoreMap] = field(default_factory=dict)
    postprocess: Postprocess = field(default_factory=Postprocess)

    @property
    def plain(self) -> bool:
        """Whether scores are decided on frame by frame as the model gives them, and given out as they are."""
        return self.pool == MAX and not self.maps and self.postprocess.does_nothing

    def given(self, events: list[Event]) -> list[Event]:
        """The events with calibrated scores, in their order."""
        if not self.maps:
            return events
        return [
            replace(one, score=float(self.maps[one.label](np.array([one.score]))[0])) if one.label in self.maps else one
            for one in events
        ]

    def decider(self, labels: tuple[str, ...], decisions: Mapping[str, Decision], hop_s: float) -> "AnyDecider":
        """The fold of one recording's scores into its events."""
        whole = self.pool != MAX
        inner = RecordingDecider(labels, decisions, hop_s) if whole else Decider(labels, decisions, hop_s)
        return inner if self.postprocess.does_nothing else PostprocessedDecider(self.postprocess, len(labels), inner)


class RecordingDecider:
    """A fold of one recording's score blocks into at most one event a label, of the whole recording: its mean score.

    Nothing is certain before the end, so a stream hears of its events when it stops.
    """

    def __init__(self, labels: tuple[str, ...], decisions: Mapping[str, Decision], hop_s: float) -> None:
        self._labels, self._decisions, self._hop_s = labels, decisions, hop_s
        self._pool = RecordingPool("mean", len(labels), hop_s)

    def feed(self, scores: NDArray[np.float32]) -> list[Event]:
        """Take the next score frames, float32 (n, n_labels); nothing is certain yet."""
        self._pool.feed(scores)
        return []

    def finish(self, duration_s: float) -> list[Event]:
        """The events of the recording, sorted; each lasts from 0 to ``duration_s`` seconds."""
        if self._pool.n_frames == 0:
            return []
        scores = np.broadcast_to(self._pool.finish(duration_s), (self._pool.n_frames, len(self._labels)))
        return decide(ScoreTrack(self._labels, scores, self._hop_s, duration_s), self._decisions)


class PostprocessedDecider:
    """A fold of one recording's score blocks into its events, post-processing first."""

    def __init__(self, how: Postprocess, n_labels: int, inner: "Decider | RecordingDecider") -> None:
        self._scores, self._inner = PostprocessFold(how, n_labels), inner

    def feed(self, scores: NDArray[np.float32]) -> list[Event]:
        """Take the next score frames, float32 (n, n_labels); returns the events that became certain, sorted."""
        return self._inner.feed(self._scores.feed(scores))

    def finish(self, duration_s: float) -> list[Event]:
        """The remaining events, clipped to ``duration_s`` seconds, sorted."""
        events = self._inner.feed(self._scores.finish()) + self._inner.finish(duration_s)
        return sorted(events, key=event_order)


AnyDecider = Decider | RecordingDecider | PostprocessedDecider


def bundled_delivery(bundle: Bundle) -> Delivery:
    """How a bundle wants its scores given out."""
    return Delivery(bundle.pool, bundle.calibration, bundle.postprocess)
