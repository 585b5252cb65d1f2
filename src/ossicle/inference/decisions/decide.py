"""From scores to events, block by block with carried state; the result is equal for any block sizes (invariants 4, 10).

``core.decisions.decision.Decision`` defines the rule. In addition, thresholds are compared in float32, as scores are
stored. Lengths and gaps are counted in whole frames, before the last frame is clipped to the end of the recording. An
event's score is the highest raw score between its first and last frame, including joined gaps.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.decisions.decision import PEAKS, Decision
from ossicle.core.tracks import Event, ScoreTrack, event_order
from ossicle.inference.decisions.peaks import PeakFold, Peaks
from ossicle.inference.decisions.regions import (
    Frames,
    fewest_frames_lasting,
    joins,
    most_frames_within,
    runs,
    span_maxima,
)
from ossicle.inference.decisions.smooth import Column, Smoother

_LOWEST = np.float32(-np.inf)


def decide(track: ScoreTrack, decisions: Mapping[str, Decision]) -> list[Event]:
    """Decide on the scores of a whole recording.

    Parameters
    ----------
    track
        The scores.
    decisions
        The decision rule of each label of the track.

    Returns
    -------
    list of Event
        The events, sorted by start, end and label, and clipped to the length of the recording.

    Raises
    ------
    ValueError
        If a label of the track has no decision.

    Examples
    --------
    >>> track = ScoreTrack(["call"], [[0.1], [0.9], [0.8], [0.2]], hop_s=0.5, duration_s=2.0)
    >>> [(event.start_s, event.end_s) for event in decide(track, {"call": Decision(on=0.5, off=0.5)})]
    [(0.5, 1.5)]
    """
    _require(track.labels, decisions)
    # An event holds a smoothed score of at least ``on``, and no smoothing exceeds the highest raw score.
    lowest = np.array([decisions[label].on for label in track.labels], dtype=np.float32)
    columns = np.flatnonzero(track.scores.max(axis=0, initial=_LOWEST) >= lowest)
    if len(columns) == len(track.labels):
        labels, scores = track.labels, track.scores
    else:
        labels, scores = tuple(track.labels[column] for column in columns.tolist()), track.scores[:, columns]
    decider = Decider(labels, decisions, track.hop_s)
    return sorted(decider.feed(scores) + decider.finish(track.duration_s), key=event_order)


class Decider:
    """Turn one recording's scores into events, block by block, all labels at once."""

    def __init__(self, labels: tuple[str, ...], decisions: Mapping[str, Decision], hop_s: float) -> None:
        _require(labels, decisions)
        self.labels = labels
        self.hop_s = hop_s
        self._folds = [_fold_of(decisions[label], hop_s) for label in labels]

    @property
    def delay_s(self) -> float:
        """Longest time in seconds from the score of a frame until the end of an event there is decided.

        It consists of one frame to see the event end, the delay of the smoothing, and the gap that a later region could
        close.
        """
        return max((fold.delay_frames for fold in self._folds), default=0) * self.hop_s

    def feed(self, scores: NDArray[np.float32]) -> list[Event]:
        """Add the next score frames, float32 (n, n_labels), n >= 0; return the events that became certain, sorted."""
        events = []
        for column, (label, fold) in enumerate(zip(self.labels, self._folds, strict=True)):
            raw = np.ascontiguousarray(scores[:, column], dtype=np.float32)
            events += self._events(label, fold.feed(raw), np.inf)
        return sorted(events, key=event_order)

    def finish(self, duration_s: float) -> list[Event]:
        """Return the events that become certain at the end of the recording, clipped to ``duration_s`` seconds,
        sorted.
        """
        events = []
        for label, fold in zip(self.labels, self._folds, strict=True):
            events += self._events(label, fold.finish(), duration_s)
        return sorted(events, key=event_order)

    def _events(self, label: str, spans: "Spans | OnsetSpans", end_s: float) -> list[Event]:
        # A resampled recording is rounded to samples, so its last frame may begin just after its end.
        starts, ends = (np.minimum(frames * self.hop_s, end_s) for frames in (spans.starts, spans.ends))
        return [
            Event(start, end, label, score)
            for start, end, score in zip(starts.tolist(), ends.tolist(), spans.peaks.tolist(), strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Spans:
    """Spans of frames with the highest raw score in each; all arrays have one length."""

    starts: Frames
    ends: Frames
    peaks: NDArray[np.float32]


@dataclass(slots=True)
class _Open:
    """A run of scores of at least ``off`` that reaches the last frame seen."""

    start: int
    hot: bool
    peak: np.float32


@dataclass(slots=True)
class _Pending:
    """A kept region that a later one may still join; ``since`` is the highest raw score after it."""

    start: int
    end: int
    peak: np.float32
    since: np.float32


class _LabelFold:
    """The decision of one label: smoothing, hysteresis, joining, dropping."""

    def __init__(self, decision: Decision, hop_s: float) -> None:
        self._on, self._off = np.float32(decision.on), np.float32(decision.off)
        self._max_gap = most_frames_within(decision.min_gap_s, hop_s)
        self._min_length = fewest_frames_lasting(decision.min_length_s, hop_s)
        self._smoother = Smoother(decision)
        self._n_frames = 0
        self._open: _Open | None = None
        self._pending: _Pending | None = None

    @property
    def delay_frames(self) -> int:
        return 1 + self._smoother.delay_frames + self._max_gap

    def feed(self, raw: Column) -> Spans:
        return self._advance(*self._smoother.feed(raw), last=False)

    def finish(self) -> Spans:
        return self._advance(*self._smoother.finish(), last=True)

    def _advance(self, raw: Column, smoothed: Column, last: bool) -> Spans:
        """Take frames with their smoothed scores; ``last`` closes open runs."""
        base = self._n_frames
        self._n_frames += len(raw)
        regions = self._regions(raw, smoothed, base, last)
        return self._joined_spans(raw, base, regions, last)

    def _regions(self, raw: Column, smoothed: Column, base: int, last: bool) -> Spans:
        """Return the kept regions that closed in this block (absolute frames); update the open run."""
        starts, ends = runs(smoothed >= self._off)
        hot = span_maxima(smoothed, starts, ends) >= self._on
        peaks = span_maxima(raw, starts, ends)
        starts, ends = starts + base, ends + base
        before = self._open
        if before is not None:
            if len(starts) and starts[0] == base:
                starts[0], hot[0], peaks[0] = before.start, hot[0] or before.hot, max(peaks[0], before.peak)
            else:
                starts, ends = np.insert(starts, 0, before.start), np.insert(ends, 0, base)
                hot, peaks = np.insert(hot, 0, before.hot), np.insert(peaks, 0, before.peak)
        self._open = None
        if not last and len(ends) and ends[-1] == self._n_frames:
            self._open = _Open(int(starts[-1]), bool(hot[-1]), peaks[-1])
            starts, ends, hot, peaks = starts[:-1], ends[:-1], hot[:-1], peaks[:-1]
        return Spans(starts[hot], ends[hot], peaks[hot])

    def _joined_spans(self, raw: Column, base: int, regions: Spans, last: bool) -> Spans:
        """Return the joined events that no later region can reach; update the pending one."""
        starts, ends, peaks = regions.starts, regions.ends, regions.peaks
        before = self._pending
        if before is not None:
            starts, ends = np.insert(starts, 0, before.start), np.insert(ends, 0, before.end)
            peaks = np.insert(peaks, 0, before.peak)
        first, final = joins(starts, ends, self._max_gap)
        starts, ends = starts[first], ends[final]
        peaks = np.maximum.reduceat(peaks, first) if len(first) else peaks
        inside = np.clip(starts - base, 0, None), ends - base
        touched = inside[1] > 0
        peaks[touched] = np.maximum(peaks[touched], span_maxima(raw, inside[0][touched], inside[1][touched]))
        if before is not None and final[0] > 0:
            peaks[0] = max(peaks[0], before.since)
        self._pending = None
        earliest = self._open.start if self._open is not None else self._n_frames
        if not last and len(starts) and earliest - ends[-1] <= self._max_gap:
            since = raw[max(int(ends[-1]) - base, 0) :].max(initial=_LOWEST)
            if before is not None and len(starts) == 1 and final[0] == 0:
                since = max(since, before.since)
            self._pending = _Pending(int(starts[-1]), int(ends[-1]), peaks[-1], since)
            starts, ends, peaks = starts[:-1], ends[:-1], peaks[:-1]
        long = ends - starts >= self._min_length
        return Spans(starts[long], ends[long], peaks[long])


@dataclass(frozen=True, slots=True)
class OnsetSpans:
    """Onsets as :class:`Spans`, in frames with fractions."""

    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    peaks: NDArray[np.float32]


class _OnsetFold:
    """The onsets of one label, each as a span of one frame from there."""

    def __init__(self, decision: Decision, hop_s: float) -> None:
        self._fold = PeakFold(decision, hop_s)

    @property
    def delay_frames(self) -> int:
        return self._fold.delay_frames

    def feed(self, raw: Column) -> OnsetSpans:
        return _spans(self._fold.feed(raw))

    def finish(self) -> OnsetSpans:
        return _spans(self._fold.finish())


def _require(labels: tuple[str, ...], decisions: Mapping[str, Decision]) -> None:
    missing = [label for label in labels if label not in decisions]
    if missing:
        raise ValueError(f"no decision for the labels: {', '.join(missing)}")


def _fold_of(decision: Decision, hop_s: float) -> _LabelFold | _OnsetFold:
    return (_OnsetFold if decision.pick == PEAKS else _LabelFold)(decision, hop_s)


def _spans(peaks: Peaks) -> OnsetSpans:
    return OnsetSpans(peaks.places, peaks.places + 1, peaks.scores)
