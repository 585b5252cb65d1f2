"""Candidates of a second stage: events found with a lower threshold too, each with its features, in bounded memory.

A candidate is an event of the decision (``decided``), or an event of the same decision with a lower ``on`` threshold
that contains no such event. Events thus keep their boundaries, and near misses of the first stage can be recovered.
Every event under the decision lies within an event under the lower thresholds, which never ends earlier. A candidate
can therefore be separated from its neighbours as soon as it is certain.

Recordings are read once: the last few seconds of scores and samples are kept, and the features of a candidate are
computed once the sound just after it is available. Training and prediction run this same code, and blocks of any size
give the same candidates (invariants 4 and 10).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.features.event_features import (
    FEATURES,
    EventFeatureSettings,
    Features,
    Frames,
    event_features,
    event_frames,
)
from ossicle.core.decisions.decision import Decision
from ossicle.core.time import first_frame_at_or_after, nearest_frames, to_samples
from ossicle.core.tracks import Event, event_order
from ossicle.inference.decisions.decide import Decider
from ossicle.inference.second_stage.trees import logit

DURATION, PEAK, MEAN = "event_duration_s", "first_stage_peak_logit", "first_stage_mean_logit"
CANDIDATE_FEATURES: tuple[str, ...] = (*FEATURES, DURATION, PEAK, MEAN)
"""Features of a candidate: its sound, its length, and the scores of the first stage."""

LEAST_SCORE = 1e-6
"""Scores are clipped this far from 0 and 1 before their log odds are computed."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A possible event with its features: float64, shape (len(CANDIDATE_FEATURES),)."""

    event: Event
    decided: bool
    features: Features


def lowered(decisions: Mapping[str, Decision], share: float) -> dict[str, Decision]:
    """Return the decisions with ``on`` multiplied by ``share``, and ``off`` at most at the new ``on``."""
    return {
        label: replace(decision, on=decision.on * share, off=min(decision.off, decision.on * share))
        for label, decision in decisions.items()
    }


class CandidateFold:
    """Turn one recording's samples and scores into candidates, block by block.

    Parameters
    ----------
    labels, decisions
        Labels of the scores, and the decision of each.
    hop_s
        Length of a frame in seconds.
    chosen
        Settings of the features.
    share
        Share of the threshold down to which weaker events are candidates too.
    known
        Acoustic features by first and last sample, shared between folds over one recording.
    """

    def __init__(
        self,
        labels: tuple[str, ...],
        decisions: Mapping[str, Decision],
        hop_s: float,
        chosen: EventFeatureSettings,
        share: float,
        known: dict[tuple[int, int], Features] | None = None,
    ) -> None:
        self._labels, self._hop_s, self._chosen = labels, hop_s, chosen
        self._decider = Decider(labels, decisions, hop_s)
        self._lower = Decider(labels, lowered(decisions, share), hop_s)
        self._delay_frames = nearest_frames(max(self._decider.delay_s, self._lower.delay_s), hop_s) + 2
        self._long_frames = nearest_frames(chosen.longest_s, hop_s) + 1
        self._known = known
        self._samples: _Tail = _Tail()
        self._scores: _Tail = _Tail()
        self._waiting: list[tuple[Event, bool, Features]] = []
        self._decided: dict[str, list[Event]] = {label: [] for label in labels}

    def feed(self, samples: NDArray[np.float32], scores: NDArray[np.float32]) -> list[Candidate]:
        """Add the next samples (n,) and score frames (k, n_labels); return the candidates that are ready, sorted."""
        self._samples.append(samples)
        self._scores.append(scores)
        self._sort(self._decider.feed(scores), self._lower.feed(scores))
        candidates = self._ready(None)
        self._forget()
        return candidates

    def finish(self, duration_s: float) -> list[Candidate]:
        """Return the remaining candidates, clipped to ``duration_s`` seconds, sorted."""
        self._sort(self._decider.finish(duration_s), self._lower.finish(duration_s))
        return self._ready(self._samples.stop)

    def _sort(self, decided: Iterable[Event], lower: Iterable[Event]) -> None:
        """Queue new events: decided ones, and those under the lower thresholds that contain no decided event."""
        for event in decided:
            self._decided[event.label].append(event)
            self._waiting.append((event, True, self._first_stage(event)))
        for event in lower:
            inside = [
                decided_event for decided_event in self._decided[event.label] if decided_event.start_s < event.end_s
            ]
            # Events arrive in order, so none of these can lie within a later one.
            self._decided[event.label] = self._decided[event.label][len(inside) :]
            if not inside:
                self._waiting.append((event, False, self._first_stage(event)))

    def _first_stage(self, event: Event) -> Features:
        """Return the duration, and the log odds of the highest and the mean score over the event's last
        ``longest_s``.
        """
        first = nearest_frames(event.start_s, self._hop_s)
        stop = max(first + 1, first_frame_at_or_after(event.end_s, self._hop_s))
        column = self._labels.index(event.label)
        scores = self._scores.stretch(max(first, stop - self._long_frames), stop)[:, column].astype(np.float64)
        peak = logit(np.array(event.score), LEAST_SCORE)
        return np.array([event.end_s - event.start_s, float(peak), logit(scores, LEAST_SCORE).mean()])

    def _ready(self, n_samples: int | None) -> list[Candidate]:
        """Return the candidates whose surroundings have been read; all candidates if the recording's end is known."""
        candidates: list[Candidate] = []
        waiting: list[tuple[Event, bool, Features]] = []
        for event, decided, scored in self._waiting:
            frames = event_frames(event.start_s, event.end_s, self._chosen, n_samples)
            if n_samples is None and frames.stop_sample > self._samples.stop:
                waiting.append((event, decided, scored))
            else:
                candidates.append(Candidate(event, decided, np.concatenate([self._acoustic(frames), scored])))
        self._waiting = waiting
        return sorted(candidates, key=lambda candidate: event_order(candidate.event))

    def _acoustic(self, frames: Frames) -> Features:
        key = (frames.first_sample, frames.stop_sample)
        if self._known is not None and key in self._known:
            return self._known[key]
        features = event_features(self._samples.stretch(*key), frames, self._chosen)
        if self._known is not None:
            self._known[key] = features
        return features

    def _forget(self) -> None:
        """Drop samples and scores that no later event can need."""
        chosen = self._chosen
        first_frame = self._scores.stop - self._delay_frames - self._long_frames
        self._scores.drop_before(first_frame)
        around = to_samples(chosen.surroundings_s, chosen.rate) + chosen.n_fft
        begin_s = (self._scores.stop - self._delay_frames) * self._hop_s
        needed = to_samples(begin_s - chosen.longest_s, chosen.rate) - around
        for event, _, _ in self._waiting:
            needed = min(needed, event_frames(event.start_s, event.end_s, chosen).first_sample)
        self._samples.drop_before(needed)


class _Tail:
    """The last part of a growing array; ``first`` and ``stop`` are positions in the whole array."""

    def __init__(self) -> None:
        self._rows: NDArray[Any] | None = None
        self.first = 0

    @property
    def stop(self) -> int:
        return self.first + (0 if self._rows is None else len(self._rows))

    def append(self, rows: NDArray[Any]) -> None:
        self._rows = rows.copy() if self._rows is None else np.concatenate([self._rows, rows])

    def stretch(self, first: int, stop: int) -> NDArray[Any]:
        """Return rows [first, stop), zeros before 0 and after the last; raises ValueError for rows that were
        dropped.
        """
        if max(first, 0) < self.first:
            raise ValueError(f"rows from {first} were dropped: only those from {self.first} are there")
        rows = np.zeros((0,), dtype=np.float32) if self._rows is None else self._rows
        low, high = max(first, 0), min(stop, self.stop)
        inside = rows[low - self.first : max(low, high) - self.first]
        lead, rest = max(0, min(0, stop) - first), max(0, stop - max(high, low))
        if not (lead or rest):
            return inside
        padded: NDArray[Any] = np.concatenate(
            [np.zeros((lead, *rows.shape[1:]), rows.dtype), inside, np.zeros((rest, *rows.shape[1:]), rows.dtype)]
        )
        return padded

    def drop_before(self, first: int) -> None:
        if self._rows is not None and first > self.first:
            dropped = min(first, self.stop)
            # A copy, so that the dropped rows are freed.
            self._rows, self.first = self._rows[dropped - self.first :].copy(), dropped
