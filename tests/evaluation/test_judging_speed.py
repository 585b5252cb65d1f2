"""Judging reads annotations and events once, not once for every recording and label."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.records import Annotation, Recording
from ossicle.core.tracks import Event
from ossicle.evaluation.examples.events import _compared
from ossicle.evaluation.figures.events import average_precision, recall_by_quality, sweep
from ossicle.evaluation.figures.folds import counts_by_fold
from ossicle.evaluation.ground_truth import Truth
from ossicle.metrics.matching.rules import IouMatch

LABELS = tuple(f"label{k}" for k in range(5))
RULE = IouMatch()


class Counted(tuple[Any, ...]):
    """A tuple that counts how often it is read from its beginning."""

    reads = 0

    def __iter__(self) -> Iterator[Any]:
        type(self).reads += 1
        return super().__iter__()


@pytest.fixture
def counted() -> type[Counted]:
    return type("Counted", (Counted,), {"reads": 0})


def judged(counted: type[Counted], n_recordings: int) -> tuple[Truth, dict[str, list[Event]]]:
    """Return recordings with 20 annotations each, every other one of them found."""
    ids = tuple(f"r{k}" for k in range(n_recordings))
    notes = [
        Annotation(key, float(k), k + 0.5, LABELS[k % len(LABELS)], quality=1 + k % 4) for key in ids for k in range(20)
    ]
    events = {
        key: counted(Event(float(k), k + 0.5, LABELS[k % len(LABELS)], 0.9) for k in range(0, 20, 2)) for key in ids
    }
    recordings = {key: Recording(key, "tapes", f"{key}.wav", 100, 1, 10_000, key, True) for key in ids}
    groups, folds = {key: key for key in ids}, dict.fromkeys(ids, 0)
    return Truth(ids, LABELS, recordings, counted(notes), groups, folds), events  # type: ignore[return-value]


JUDGES: list[Callable[[Truth, dict[str, list[Event]]], object]] = [
    lambda truth, events: recall_by_quality(truth, events, RULE),
    lambda truth, events: average_precision(truth, events, RULE),
    lambda truth, events: sweep(truth, events),
    lambda truth, events: counts_by_fold(truth, events, RULE),
    lambda truth, events: _compared(truth, events, RULE),
]


@pytest.fixture
def rows_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each search of annotations in columns looks at: a selection of some looks at all."""
    result: list[int] = []
    take, objects = AnnotationColumns.take, AnnotationColumns._objects

    def counted_take(columns: AnnotationColumns, rows: Any) -> AnnotationColumns:
        result.append(len(columns))
        return take(columns, rows)

    def counted_objects(columns: AnnotationColumns, first: int, stop: int) -> Iterator[Annotation]:
        result.append(stop - first)
        return objects(columns, first, stop)

    monkeypatch.setattr(AnnotationColumns, "take", counted_take)
    monkeypatch.setattr(AnnotationColumns, "_objects", counted_objects)
    return result


@pytest.mark.parametrize("judge", JUDGES)
def test_annotations_and_events_are_read_a_few_times_in_all(
    judge: Any, counted: type[Counted], rows_read: list[int]
) -> None:
    truth, events = judged(counted, 7)
    judge(truth, events)
    # The annotations of all recordings once for each column, and the events of each recording at most twice.
    assert 1 <= counted.reads <= 3 + 2 * 7
    # A search for each of 7 recordings and 5 labels would look 35 times at all.
    assert sum(rows_read) <= 3 * len(truth.notes)


def test_recall_by_quality_counts_what_was_found(counted: type[Counted]) -> None:
    truth, events = judged(counted, 2)
    assert recall_by_quality(truth, events, RULE) == {
        str(quality): {"found": 10 if quality % 2 else 0, "annotated": 10, "recall": 1.0 if quality % 2 else 0.0}
        for quality in (1, 2, 3, 4)
    }
