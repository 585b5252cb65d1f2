"""Choose what a person should check: events about which a model is unsure, sure, or disagrees with the annotations.

Each choice includes its surroundings, as a stretch of the recording with all known and detected events in it, so that
the reviewer can judge the whole stretch.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from ossicle.core.intervals import as_intervals, iou, overlap, union
from ossicle.core.records import Annotation, Recording
from ossicle.core.settings import setting, settings
from ossicle.corpus.review.rounds import Stretches, within

KINDS: Mapping[str, str] = {
    "uncertain": "unchecked stretches with scores closest to the threshold, above or below",
    "best": "unchecked events with the highest scores",
    "worst": "out-of-fold detections without an annotation, and annotations without a detection",
}

FOUND, BELOW = "found", "below the threshold"


@settings
class ReviewSettings:
    """Which events are chosen, how many, and how much of their surroundings is shown."""

    select: tuple[str, ...] = setting(default=tuple(KINDS), help="kinds of events, taken in turn", choices=tuple(KINDS))
    most: int = setting(default=50, help="highest number of events", ge=1)
    margin_s: float = setting(default=1.0, help="sound to check before and after an event", unit="s", ge=0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A detection of a model: its highest score, the threshold of its label, and whether it was decided to be an
    event.
    """

    recording_id: str
    start_s: float
    end_s: float
    label: str
    score: float
    on: float
    decided: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a review table: an annotation (``score`` None) or a candidate, and the reason for showing it."""

    start_s: float
    end_s: float
    label: str
    score: float | None
    reason: str
    low_hz: float | None = None
    high_hz: float | None = None
    quality: int | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """A stretch to check as a whole, in seconds, with the reasons and its rows."""

    start_s: float
    end_s: float
    reasons: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class _Pick:
    recording_id: str
    reason: str
    row: Row


def choose(
    recordings: Sequence[Recording],
    annotations: Sequence[Annotation],
    candidates: Sequence[Candidate],
    examined: Mapping[str, Stretches],
    settings: ReviewSettings,
    least_iou: float = 0.5,
) -> dict[str, tuple[Look, ...]]:
    """Return stretches to check by recording id, in time order; at most ``settings.most`` events, taking labels in
    turn.

    ``examined`` holds the stretches of earlier reviews, which are not chosen again. A candidate whose intersection over
    union with an annotation of its label reaches ``least_iou`` agrees with it and is not shown beside it.
    """
    notes: dict[str, list[Annotation]] = defaultdict(list)
    for note in annotations:
        notes[note.recording_id].append(note)
    found: dict[str, list[Candidate]] = defaultdict(list)
    for one in candidates:
        found[one.recording_id].append(one)
    annotated = {one.id for one in recordings if one.reviewed}
    open_: dict[str, list[Candidate]] = {}
    missed: list[Annotation] = []
    for key in sorted({*notes, *found}):
        mine, theirs = notes[key], found[key]
        open_[key] = [one for one in theirs if not _agrees(one, mine, least_iou)]
        decided = [one for one in theirs if one.decided]
        missed += [one for one in mine if key in annotated and not _agrees(one, decided, least_iou)]
    everywhere = [one for of in open_.values() for one in of]
    queues = [
        [pick for pick in queue if not _examined(pick.recording_id, pick.row, examined)]
        for kind in settings.select
        for queue in _queues(kind, annotated, everywhere, missed)
    ]
    picks: dict[tuple[str, Row], str] = {}
    for pick in (pick for turn in zip_longest(*queues) for pick in turn if pick is not None):
        if len(picks) < settings.most:
            picks.setdefault((pick.recording_id, pick.row), pick.reason)
    durations = {one.id: one.duration_s for one in recordings}
    out = {}
    for key in sorted({key for key, _ in picks}):
        wanted = {row: reason for (of, row), reason in picks.items() if of == key}
        shown = [_annotated(one) for one in notes[key]]
        shown += [row for row in map(_row, open_[key]) if row.reason == FOUND and not _examined(key, row, examined)]
        out[key] = _looks(wanted, sorted({*shown, *wanted}, key=_order), durations[key], settings.margin_s)
    return out


def _queues(
    kind: str, annotated: Collection[str], open_: Sequence[Candidate], missed: Sequence[Annotation]
) -> Iterator[list[_Pick]]:
    """Yield for each label the possible choices of a kind, the most useful first."""
    for label in sorted({one.label for one in open_} | {one.label for one in missed}):
        mine = [one for one in open_ if one.label == label]
        new = [one for one in mine if one.recording_id not in annotated]
        if kind == "uncertain":
            yield _picks(kind, sorted(new, key=lambda one: (abs(one.score - one.on), *_place(one))))
        elif kind == "best":
            yield _picks(kind, sorted((one for one in new if one.decided), key=lambda one: (-one.score, *_place(one))))
        else:
            false = [one for one in mine if one.recording_id in annotated and one.decided]
            alarms = _picks("found, not annotated", sorted(false, key=lambda one: (one.on - one.score, *_place(one))))
            clearest = sorted((one for one in missed if one.label == label), key=lambda one: one.quality or 0)
            lost = [_Pick(one.recording_id, "annotated, not found", _annotated(one)) for one in clearest]
            yield [pick for pair in zip_longest(alarms, lost) for pick in pair if pick is not None]


def _picks(kind: str, candidates: Iterable[Candidate]) -> list[_Pick]:
    return [_Pick(one.recording_id, kind, _row(one)) for one in candidates]


def _looks(picks: Mapping[Row, str], rows: Sequence[Row], duration_s: float, margin_s: float) -> tuple[Look, ...]:
    """Return the stretches around the picks, joined if they touch and extended so that they cut no row."""
    times = as_intervals([(row.start_s, row.end_s) for row in rows])
    stretches = union(
        np.clip(as_intervals([(one.start_s - margin_s, one.end_s + margin_s) for one in picks]), 0, duration_s)
    )
    while True:
        reached = times[(overlap(times, stretches) > 0).any(axis=1)]
        longer = union(np.concatenate([stretches, reached]))
        if len(longer) == len(stretches) and np.array_equal(longer, stretches):
            break
        stretches = longer
    return tuple(
        Look(
            float(start),
            float(end),
            tuple(sorted({reason for row, reason in picks.items() if start <= _centre(row) <= end})),
            tuple(row for row in rows if start <= _centre(row) <= end),
        )
        for start, end in stretches
    )


def _agrees(one: Candidate | Annotation, others: Sequence[Candidate | Annotation], least_iou: float) -> bool:
    same = as_intervals([(other.start_s, other.end_s) for other in others if other.label == one.label])
    return bool((iou(as_intervals([(one.start_s, one.end_s)]), same) >= least_iou).any())


def _row(one: Candidate) -> Row:
    return Row(one.start_s, one.end_s, one.label, one.score, FOUND if one.decided else BELOW)


def _annotated(one: Annotation) -> Row:
    return Row(one.start_s, one.end_s, one.label, None, one.provenance, one.low_hz, one.high_hz, one.quality)


def _examined(recording_id: str, row: Row, examined: Mapping[str, Stretches]) -> bool:
    return within(_centre(row), examined.get(recording_id, ()))


def _centre(row: Row) -> float:
    return (row.start_s + row.end_s) / 2


def _place(one: Candidate) -> tuple[str, float, float]:
    return one.recording_id, one.start_s, one.end_s


def _order(row: Row) -> tuple[float, float, str, str]:
    return row.start_s, row.end_s, row.label, row.reason
