"""Counts of every decision of a grid on every recording, from scores written once (invariant 3).

Work is shared, so hundreds of decisions cost little more than one. Each track is smoothed once per smoothing and
reduced to the frames that reach the lowest threshold. The recordings are then placed one after another on one frame
axis, where runs are found once per threshold and joined, dropped and matched as arrays.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.decisions.decision import Decision
from ossicle.core.intervals import Intervals
from ossicle.core.settings import setting, settings
from ossicle.core.tracks import ScoreTrack
from ossicle.inference.decisions.regions import Frames, fewest_frames_lasting, joins, most_frames_within, span_maxima
from ossicle.inference.decisions.smooth import smooth
from ossicle.metrics.columns.event_lists import EventLists, lists_by
from ossicle.metrics.columns.matching import match_lists
from ossicle.metrics.matching.assignment import Pairs
from ossicle.metrics.matching.rules import Criterion, IouMatch, RecordingMatch, recording_counts

Counts = NDArray[np.int32]

# Distance between recordings on the common axis (s), so that no gap between two of them is closed.
_APART_S = 10.0


@settings
class DecisionGrid:
    """The decisions to choose from for each label: every combination of these values."""

    on: tuple[float, ...] = setting(
        default=tuple(round(1 / (1 + math.exp(2.2 - 0.4 * step)), 3) for step in range(18)),
        help="thresholds that start an event, rising; evenly spaced in log odds by default, because scores "
        "crowd near 0 and 1",
        ge=0,
        le=1,
    )
    off_ratio: tuple[float, ...] = setting(default=(1.0, 0.75, 0.5), help="off threshold as a share of on", gt=0, le=1)
    median_frames: tuple[int, ...] = setting(
        default=(1,), help="lengths of the median filter, odd; 1: no filter", unit="frames", ge=1
    )
    ema_frames: tuple[int, ...] = setting(default=(), help="spans of the moving average", unit="frames", ge=2)
    min_length_s: tuple[float, ...] = setting(
        default=(0.0, 0.02, 0.04), help="lowest lengths of an event", unit="s", ge=0
    )
    min_gap_s: tuple[float, ...] = setting(
        default=(0.0, 0.01, 0.03), help="longest gaps that are closed", unit="s", ge=0
    )

    def __post_init__(self) -> None:
        """Reject an empty axis, thresholds out of order and an even median."""
        for name in ("on", "off_ratio", "min_length_s", "min_gap_s"):
            if not getattr(self, name):
                raise ValueError(f"{name} is empty: give at least one value")
        if not (self.median_frames or self.ema_frames):
            raise ValueError("median_frames and ema_frames are both empty: median_frames = [1] is no smoothing")
        if any(low >= high for low, high in zip(self.on, self.on[1:], strict=False)):
            raise ValueError("on must rise from value to value")
        even = [frames for frames in self.median_frames if frames % 2 == 0]
        if even:
            raise ValueError(f"median_frames = {even[0]} must be odd")

    @property
    def n_on(self) -> int:
        """Number of thresholds on the last and fastest axis of :meth:`decisions`."""
        return len(self.on)

    def smoothings(self) -> list[tuple[str, int]]:
        """Return kind and length of each smoothing, the simplest first."""
        median = [("median", frames) if frames > 1 else ("none", 1) for frames in sorted(self.median_frames)]
        return median + [("ema", frames) for frames in sorted(self.ema_frames)]

    def decisions(self) -> list[Decision]:
        """Return all decisions, ``on`` fastest, the simpler of the other settings first (this order breaks ties)."""
        return [
            Decision(on=on, off=on * ratio, smoothing=kind, smoothing_frames=frames, min_length_s=length, min_gap_s=gap)
            for kind, frames in self.smoothings()
            for ratio in self.off_ratio
            for length in self.min_length_s
            for gap in self.min_gap_s
            for on in self.on
        ]


def count_grid(
    tracks: Mapping[str, ScoreTrack],
    references: Mapping[str, Mapping[str, Intervals]],
    grid: DecisionGrid,
    labels: Sequence[str],
    criterion: Criterion | RecordingMatch | None = None,
) -> Counts:
    """Count true positives, false positives and false negatives: int32, (n_settings, n_recordings, n_labels, 3).

    Settings are in the order of ``grid.decisions()``, recordings in that of ``tracks``, which may read them lazily.
    ``references``: recording id to label to events (n, 2) in seconds; a recording that is absent has none. The default
    criterion is IoU >= 0.5. Raises ValueError if tracks differ in hop or lack a label.
    """
    criterion = criterion or IouMatch(threshold=0.5)
    decisions = grid.decisions()
    counts = np.zeros((len(decisions), len(tracks), len(labels), 3), dtype=np.int32)
    axis = _stack(tracks, grid, labels)
    for column, label in enumerate(labels):
        reference = EventLists.gather(references, list(tracks), [label])
        n_reference = reference.sizes
        shelf = _RunShelf(axis, column)
        for row, decision in enumerate(decisions):
            starts, ends = shelf.events(decision)
            recordings, predicted = axis.local(starts, ends)
            n_predicted = np.bincount(recordings, minlength=len(tracks))
            if isinstance(criterion, RecordingMatch):
                counts[row, :, column] = np.stack(recording_counts(n_reference, n_predicted), axis=-1)
                continue
            pairs = match_lists(reference, lists_by(recordings, predicted, len(tracks)), criterion)
            tp = np.bincount(reference.owner[pairs[:, 0]], minlength=len(tracks))
            counts[row, :, column] = np.stack([tp, n_predicted - tp, n_reference - tp], axis=-1)
    return counts


@dataclass(frozen=True, slots=True, eq=False)
class LabelEvents:
    """The events of one decision for one label in all recordings, in the order of the recordings and of time.

    ``recording``: int64 (k,), index of the recording; ``times``: float64 (k, 2) in its seconds; ``scores``: float32
    (k,), the highest raw score in each event. ``pairs``: for each criterion the matched pairs, int64 (p, 2), index of
    the reference (the recordings' references one after another) and of the event. ``reference``: int64 (n,), index of
    the recording of each reference, whose times are ``reference_times`` (n, 2).
    """

    recording: Frames
    times: Intervals
    scores: NDArray[np.float32]
    pairs: tuple[Pairs, ...]
    reference: Frames
    reference_times: Intervals


def found_by_grid(
    tracks: Mapping[str, ScoreTrack],
    references: Mapping[str, Mapping[str, Intervals]],
    grid: DecisionGrid,
    labels: Sequence[str],
    criteria: Sequence[Criterion],
) -> Iterator[tuple[LabelEvents, ...]]:
    """Yield the events of every decision in the order of ``grid.decisions()``, one :class:`LabelEvents` per label.

    The events equal those of :func:`~ossicle.inference.decisions.decide.decide`. Counts, arguments and errors are those
    of :func:`count_grid`. One decision is in memory at a time.
    """
    axis = _stack(tracks, grid, labels)
    smoothed = any(kind != "none" for kind, _ in grid.smoothings())
    gathered = [
        (
            EventLists.gather(references, list(tracks), [label]),
            _RunShelf(axis, column),
            _raw(tracks, axis, label) if smoothed else None,
        )
        for column, label in enumerate(labels)
    ]
    for decision in grid.decisions():
        yield tuple(_events_of_label(axis, *label_data, decision, criteria) for label_data in gathered)


def _events_of_label(
    axis: "_Axis",
    reference: EventLists,
    shelf: "_RunShelf",
    raw: NDArray[np.float32] | None,
    decision: Decision,
    criteria: Sequence[Criterion],
) -> LabelEvents:
    starts, ends, peaks = shelf.scored(decision)
    recordings, times = axis.local(starts, ends)
    predicted = lists_by(recordings, times, len(reference))
    return LabelEvents(
        recording=recordings,
        times=times,
        scores=peaks if raw is None else span_maxima(raw, starts, ends),
        pairs=tuple(match_lists(reference, predicted, criterion) for criterion in criteria),
        reference=reference.owner,
        reference_times=reference.times,
    )


def _raw(tracks: Mapping[str, ScoreTrack], axis: "_Axis", label: str) -> NDArray[np.float32]:
    """Return the raw scores of a label on the common axis, because smoothing moves the peaks of events."""
    lengths = [len(tracks[rid].scores) for rid in tracks]
    raw = np.zeros(int(axis.base[-1]) + lengths[-1] if lengths else 0, dtype=np.float32)
    for rid, base, length in zip(tracks, axis.base.tolist(), lengths, strict=True):
        raw[base : base + length] = tracks[rid].scores[:, tracks[rid].labels.index(label)]
    return raw


@dataclass(frozen=True, slots=True)
class _Axis:
    """The common frame axis: the start of each recording, and the frames above the lowest threshold.

    ``active[s][c]``: frames on the axis (int64) and smoothed scores (float32) of smoothing s and label c.
    """

    hop_s: float
    base: Frames
    duration_s: NDArray[np.float64]
    active: Mapping[tuple[str, int], list[tuple[Frames, NDArray[np.float32]]]]

    def local(self, starts: Frames, ends: Frames) -> tuple[Frames, Intervals]:
        """Return the recording of each span and its times in that recording, clipped to its end."""
        recordings = np.searchsorted(self.base, starts, side="right") - 1
        begin, end = (starts - self.base[recordings]) * self.hop_s, (ends - self.base[recordings]) * self.hop_s
        return recordings, np.stack([begin, np.minimum(end, self.duration_s[recordings])], axis=1)


def _stack(tracks: Mapping[str, ScoreTrack], grid: DecisionGrid, labels: Sequence[str]) -> _Axis:
    lowest = np.float32(min(grid.on) * min(grid.off_ratio))
    plain = {(decision.smoothing, decision.smoothing_frames): decision for decision in grid.decisions()}
    kept_frames: dict[tuple[str, int], list[list[tuple[Frames, NDArray[np.float32]]]]] = {
        key: [[] for _ in labels] for key in plain
    }
    base, durations, first_frame, hop_s = [], [], 0, 0.0
    places = _Places(labels)
    for rid in tracks:
        track = tracks[rid]
        hop_s = hop_s or track.hop_s
        if track.hop_s != hop_s:
            raise ValueError(f"recording {rid}: its score track has a hop of {track.hop_s:g} s, others {hop_s:g} s")
        columns = places.of(rid, track)
        # Smoothed scores are never above the highest raw one, so most labels of a short recording hold nothing to keep.
        highest = np.fmax.reduce(track.scores, axis=0, initial=-np.inf)
        for column in np.flatnonzero(highest[columns] >= lowest).tolist():
            raw = track.scores[:, columns[column]]
            for key, decision in plain.items():
                smoothed = smooth(raw, decision)
                frames = np.flatnonzero(smoothed >= lowest)
                if len(frames):
                    kept_frames[key][column].append((frames + first_frame, smoothed[frames]))
        base.append(first_frame)
        durations.append(track.duration_s)
        first_frame += len(track.scores) + int((_APART_S + max(grid.min_gap_s)) / hop_s) + 2
    active = {
        key: [
            (
                np.concatenate([np.zeros(0, dtype=np.int64), *(frames for frames, _ in parts)]),
                np.concatenate([np.zeros(0, dtype=np.float32), *(scores for _, scores in parts)]),
            )
            for parts in by_label
        ]
        for key, by_label in kept_frames.items()
    }
    return _Axis(hop_s, np.array(base, dtype=np.int64), np.array(durations), active)


class _Places:
    """The columns of ``labels`` in score tracks, looked up once for each order of labels in a track."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self._known: dict[tuple[str, ...], NDArray[np.int64]] = {}

    def of(self, rid: str, track: ScoreTrack) -> NDArray[np.int64]:
        """Return the columns of the labels, int64 (n_labels,); raises ValueError if the track lacks one."""
        if track.labels not in self._known:
            place = {label: column for column, label in enumerate(track.labels)}
            missing = [label for label in self._labels if label not in place]
            if missing:
                raise ValueError(f"recording {rid}: its score track lacks {missing[0]!r}")
            self._known[track.labels] = np.array([place[label] for label in self._labels], dtype=np.int64)
        return self._known[track.labels]


class _RunShelf:
    """The runs of one label: found once for each smoothing and off threshold, then used for many decisions."""

    def __init__(self, axis: _Axis, column: int) -> None:
        self._axis, self._column = axis, column
        self._runs: dict[tuple[str, int, float], tuple[Frames, Frames, NDArray[np.float32]]] = {}

    def events(self, decision: Decision) -> tuple[Frames, Frames]:
        """Return starts and ends of the events of ``decision``, in frames of the common axis."""
        starts, ends, _ = self.scored(decision)
        return starts, ends

    def scored(self, decision: Decision) -> tuple[Frames, Frames, NDArray[np.float32]]:
        """Return the same with the highest smoothed score of each event."""
        starts, ends, peaks = self._runs_at(decision)
        hot = peaks >= np.float32(decision.on)
        starts, ends, peaks = starts[hot], ends[hot], peaks[hot]
        first, last = joins(starts, ends, most_frames_within(decision.min_gap_s, self._axis.hop_s))
        starts, ends = starts[first], ends[last]
        peaks = np.maximum.reduceat(peaks, first) if len(first) else peaks
        long = ends - starts >= fewest_frames_lasting(decision.min_length_s, self._axis.hop_s)
        return starts[long], ends[long], peaks[long]

    def _runs_at(self, decision: Decision) -> tuple[Frames, Frames, NDArray[np.float32]]:
        key = (decision.smoothing, decision.smoothing_frames, decision.off)
        if key not in self._runs:
            frames, scores = self._axis.active[key[:2]][self._column]
            warm = scores >= np.float32(decision.off)
            frames, scores = frames[warm], scores[warm]
            first = np.flatnonzero(np.diff(frames, prepend=-2) > 1)
            last = np.append(first[1:], len(frames))[: len(first)] - 1
            peaks = np.maximum.reduceat(scores, first) if len(first) else scores
            self._runs[key] = (frames[first], frames[last] + 1, peaks)
        return self._runs[key]
