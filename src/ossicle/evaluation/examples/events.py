"""Examples of events: the best, the worst, the missed and the false alarms, with their sound."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.roots import Roots
from ossicle.audio.decoding.mono import load_mono
from ossicle.core.columns.event_columns import EventColumns
from ossicle.core.intervals import Intervals
from ossicle.core.model_input.channel import MEAN
from ossicle.core.tracks import Event
from ossicle.evaluation.event_lists import event_lists
from ossicle.evaluation.examples.example import Example, ExampleKind
from ossicle.evaluation.ground_truth import Truth
from ossicle.metrics.columns.matching import match_lists
from ossicle.metrics.matching.rules import Criterion, pair_iou

RankedEvent = tuple[float, str, str, float, float, float | None, float | None]
"""Rank, recording id, label, start and end (s), score, IoU."""


def choose_examples(
    truth: Truth,
    events: Mapping[str, Sequence[Event]],
    criterion: Criterion,
    roots: Roots,
    rate: int,
    count: int,
    margin_s: float,
    channel: str = MEAN,
) -> list[Example]:
    """Return at most ``count`` examples of each kind.

    Best: the matches with the highest IoU; worst: those with the lowest; missed: annotations without a match, best
    quality first; false alarms: events without a match, highest score first. Windows extend ``margin_s`` beyond the
    event.
    """
    matched, missed, false = _compared(truth, events, criterion)
    chosen: list[tuple[ExampleKind, list[RankedEvent]]] = [
        ("best", matched.first(count, truth, falling=True)),
        ("worst", matched.first(count, truth)),
        ("missed", missed.first(count, truth)),
        ("false alarm", false.first(count, truth, falling=True)),
    ]
    shown = {(ranked_event[1:5]) for ranked_event in chosen[0][1]}
    examples = []
    for kind, ranked_events in chosen:
        not_shown: Iterable[RankedEvent] = (
            ranked_event for ranked_event in ranked_events if kind != "worst" or ranked_event[1:5] not in shown
        )
        examples += [
            _example(kind, ranked_event, truth, events, roots, rate, margin_s, channel) for ranked_event in not_shown
        ]
    return examples


@dataclass(frozen=True, slots=True, eq=False)
class _Cases:
    """Events of one kind to choose from, as columns (n,): what they are ranked by, their list (recording and label),
    their times (n, 2), and score and IoU where they have one.
    """

    rank: NDArray[np.float64]
    owner: NDArray[np.int64]
    times: Intervals
    scores: NDArray[np.float64] | None = None
    iou: NDArray[np.float64] | None = None

    def first(self, count: int, truth: Truth, *, falling: bool = False) -> list[RankedEvent]:
        """Return the ``count`` lowest by rank (or highest), of equal ones by recording id, label and times."""
        row, column = np.divmod(self.owner, max(1, len(truth.labels)))
        by_id, by_label = (_order(names)[places] for names, places in ((truth.ids, row), (truth.labels, column)))
        rank = -self.rank if falling else self.rank
        chosen = np.lexsort((self.times[:, 1], self.times[:, 0], by_label, by_id, rank))[:count]
        return [
            (
                float(rank[rank_position]),
                truth.ids[row[rank_position]],
                truth.labels[column[rank_position]],
                float(self.times[rank_position, 0]),
                float(self.times[rank_position, 1]),
                None if self.scores is None else float(self.scores[rank_position]),
                None if self.iou is None else float(self.iou[rank_position]),
            )
            for rank_position in chosen.tolist()
        ]


def _compared(
    truth: Truth, events: Mapping[str, Sequence[Event]], criterion: Criterion
) -> tuple[_Cases, _Cases, _Cases]:
    """Return matched events by IoU, missed annotations by quality, and false alarms by score."""
    references, (lists, places) = truth.reference_lists, event_lists(events, truth.ids, truth.labels)
    scores = EventColumns.of(events).scores[places]
    pairs = match_lists(references, lists, criterion)
    iou, hits = pair_iou(references.times, lists.times, pairs), pairs[:, 1]
    missed, false = (
        np.setdiff1d(np.arange(len(event_list.times)), side)
        for event_list, side in ((references, pairs[:, 0]), (lists, hits))
    )
    quality = np.nan_to_num(truth.reference_qualities)
    return (
        _Cases(iou, lists.owner[hits], lists.times[hits], scores[hits], iou),
        _Cases(quality[missed], references.owner[missed], references.times[missed]),
        _Cases(scores[false], lists.owner[false], lists.times[false], scores[false]),
    )


def _order(names: Sequence[str]) -> NDArray[np.int64]:
    """Return the rank of each name in the order of the alphabet."""
    rank = {name: position for position, name in enumerate(sorted(names))}
    return np.array([rank[name] for name in names], dtype=np.int64)


def _example(
    kind: ExampleKind,
    ranked_event: RankedEvent,
    truth: Truth,
    events: Mapping[str, Sequence[Event]],
    roots: Roots,
    rate: int,
    margin_s: float,
    channel: str,
) -> Example:
    _, key, label, start_s, end_s, score, overlap = ranked_event
    path = truth.recordings[key].path
    first = max(0.0, start_s - margin_s)
    last = end_s + margin_s
    return Example(
        kind=kind,
        recording=path,
        label=label,
        start_s=start_s,
        end_s=end_s,
        score=score,
        iou=overlap,
        samples=load_mono(roots.file(truth.recordings[key]), rate, first, last - first, channel=channel),
        rate=rate,
        window_start_s=first,
        references=[
            (annotation.start_s, annotation.end_s, annotation.label)
            for annotation in truth.notes_between(key, first, last)
        ],
        predictions=[
            (event.start_s, event.end_s, event.label, event.score)
            for event in events[key]
            if event.end_s > first and event.start_s < last
        ],
    )
