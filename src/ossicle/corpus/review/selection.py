"""Choose what a person should check: events about which a model is unsure, sure, or disagrees with the annotations.

Each choice includes its surroundings, as a stretch of the recording with all known and detected events in it, so that
the reviewer can judge the whole stretch.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ossicle.core.intervals import Intervals, agree, as_intervals, meets_any, places, union
from ossicle.core.records import Annotation, Recording, by_label, grouped
from ossicle.core.settings import setting, settings
from ossicle.corpus.review.rounds import Stretches

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


_Timed = TypeVar("_Timed", Annotation, Candidate)


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
    notes = grouped(annotations, lambda annotation: annotation.recording_id)
    candidates_by_recording = grouped(candidates, lambda candidate: candidate.recording_id)
    annotated = {recording.id for recording in recordings if recording.reviewed}
    open_: dict[str, list[Candidate]] = {}
    missed: list[Annotation] = []
    for key in sorted({*notes, *candidates_by_recording}):
        recording_notes, recording_candidates = notes.get(key, []), candidates_by_recording.get(key, [])
        open_[key] = _alone(recording_candidates, recording_notes, least_iou)
        if key in annotated:
            missed += _alone(
                recording_notes, [candidate for candidate in recording_candidates if candidate.decided], least_iou
            )
    checked = {key: as_intervals(stretches) for key, stretches in examined.items()}
    everywhere = [candidate for open_candidates in open_.values() for candidate in open_candidates]
    queues = [
        _unexamined(queue, checked)
        for kind in settings.select
        for queue in _queues(kind, annotated, everywhere, missed)
    ]
    picks: dict[str, dict[Row, str]] = defaultdict(dict)
    turns = (pick for turn in zip_longest(*queues) for pick in turn if pick is not None)
    for pick in islice(_distinct_picks(turns), settings.most):
        picks[pick.recording_id][pick.row] = pick.reason
    durations = {recording.id: recording.duration_s for recording in recordings}
    looks = {}
    for key, recording_picks in sorted(picks.items()):
        shown = {*map(_annotated, notes.get(key, ())), *recording_picks}
        detected = [_Pick(key, row.reason, row) for row in map(_row, open_.get(key, ())) if row.reason == FOUND]
        shown |= {pick.row for pick in _unexamined(detected, checked)}
        looks[key] = _looks(recording_picks, sorted(shown, key=_order), durations[key], settings.margin_s)
    return looks


def _queues(
    kind: str, annotated: Collection[str], open_: Sequence[Candidate], missed: Sequence[Annotation]
) -> Iterator[list[_Pick]]:
    """Yield for each label the possible choices of a kind, the most useful first."""
    detected, lost_by = by_label(open_), by_label(missed)
    for label in sorted({*detected, *lost_by}):
        label_candidates = detected.get(label, [])
        new = [candidate for candidate in label_candidates if candidate.recording_id not in annotated]
        if kind == "uncertain":
            yield _picks(
                kind,
                sorted(
                    new, key=lambda candidate: (abs(candidate.score - candidate.on), *_order_of_candidate(candidate))
                ),
            )
        elif kind == "best":
            yield _picks(
                kind,
                sorted(
                    (candidate for candidate in new if candidate.decided),
                    key=lambda candidate: (-candidate.score, *_order_of_candidate(candidate)),
                ),
            )
        else:
            false = [
                candidate for candidate in label_candidates if candidate.recording_id in annotated and candidate.decided
            ]
            alarms = _picks(
                "found, not annotated",
                sorted(false, key=lambda candidate: (candidate.on - candidate.score, *_order_of_candidate(candidate))),
            )
            clearest = sorted(lost_by.get(label, []), key=lambda annotation: annotation.quality or 0)
            lost = [
                _Pick(annotation.recording_id, "annotated, not found", _annotated(annotation))
                for annotation in clearest
            ]
            yield [pick for pair in zip_longest(alarms, lost) for pick in pair if pick is not None]


def _picks(kind: str, candidates: Iterable[Candidate]) -> list[_Pick]:
    return [_Pick(candidate.recording_id, kind, _row(candidate)) for candidate in candidates]


def _distinct_picks(picks: Iterable[_Pick]) -> Iterator[_Pick]:
    """Leave out rows that another pick has chosen already, maybe for another reason."""
    shown: set[tuple[str, Row]] = set()
    for pick in picks:
        pick_key = (pick.recording_id, pick.row)
        if pick_key not in shown:
            shown.add(pick_key)
            yield pick


def _looks(picks: Mapping[Row, str], rows: Sequence[Row], duration_s: float, margin_s: float) -> tuple[Look, ...]:
    """Return the stretches around the picks, joined if they touch and extended so that they cut no row.

    Rows that overlap form a block. A stretch that reaches into a block takes all of it, and then reaches into no other.
    """
    blocks = union(_times(rows), touching=False)
    around = as_intervals([(row.start_s - margin_s, row.end_s + margin_s) for row in picks])
    stretches = union(np.clip(around, 0, duration_s))
    stretches = union(np.concatenate([stretches, blocks[meets_any(blocks, stretches)]]))
    chosen = list(picks)
    rows_of, picks_of = _sorted_into(rows, stretches), _sorted_into(chosen, stretches)
    return tuple(
        Look(float(start), float(end), tuple(sorted({picks[row] for row in picks_of[i]})), tuple(rows_of[i]))
        for i, (start, end) in enumerate(stretches)
    )


def _sorted_into(rows: Sequence[Row], stretches: Intervals) -> list[list[Row]]:
    """Return for each stretch the rows whose centres lie in it, in the given order."""
    rows_of_stretches: list[list[Row]] = [[] for _ in stretches]
    for row, stretch_index in zip(rows, places(_centres(rows), stretches).tolist(), strict=True):
        if stretch_index >= 0:
            rows_of_stretches[stretch_index].append(row)
    return rows_of_stretches


def _alone(timed: Sequence[_Timed], others: Sequence[Annotation | Candidate], least_iou: float) -> list[_Timed]:
    """Return those of ``timed`` that agree with none of the others of their label, in the given order."""
    of_others = by_label(others)
    agreeing: set[int] = set()
    for label, numbers in grouped(range(len(timed)), lambda number: timed[number].label).items():
        if label in of_others:
            met = agree(_times([timed[number] for number in numbers]), _times(of_others[label]), least_iou)
            agreeing.update(number for number, is_met in zip(numbers, met.tolist(), strict=True) if is_met)
    return [annotation for number, annotation in enumerate(timed) if number not in agreeing]


def _unexamined(picks: Sequence[_Pick], examined: Mapping[str, Intervals]) -> list[_Pick]:
    """Return the picks whose centres lie in no examined stretch, in the given order."""
    done: set[int] = set()
    for key, numbers in grouped(range(len(picks)), lambda number: picks[number].recording_id).items():
        if key in examined:
            inside = places(_centres([picks[number].row for number in numbers]), union(examined[key])) >= 0
            done.update(number for number, is_inside in zip(numbers, inside.tolist(), strict=True) if is_inside)
    return [pick for number, pick in enumerate(picks) if number not in done]


def _times(timed: Sequence[Candidate | Annotation | Row]) -> Intervals:
    return as_intervals([(item.start_s, item.end_s) for item in timed])


def _centres(rows: Sequence[Row]) -> NDArray[np.float64]:
    return np.array([(row.start_s + row.end_s) / 2 for row in rows], dtype=np.float64)


def _row(candidate: Candidate) -> Row:
    return Row(
        candidate.start_s, candidate.end_s, candidate.label, candidate.score, FOUND if candidate.decided else BELOW
    )


def _annotated(annotation: Annotation) -> Row:
    return Row(
        annotation.start_s,
        annotation.end_s,
        annotation.label,
        None,
        annotation.provenance,
        annotation.low_hz,
        annotation.high_hz,
        annotation.quality,
    )


def _order_of_candidate(candidate: Candidate) -> tuple[str, float, float]:
    return candidate.recording_id, candidate.start_s, candidate.end_s


def _order(row: Row) -> tuple[object, ...]:
    """Return the place of a row among others; equal for equal rows only."""
    rest = (row.score, row.low_hz, row.high_hz, row.quality)
    return row.start_s, row.end_s, row.label, row.reason, *((value is not None, value or 0) for value in rest)
