"""Additional figures of events against annotations: by IoU, by score, by quality."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ossicle.core.columns.event_columns import EventColumns
from ossicle.core.tracks import Event
from ossicle.evaluation.event_lists import event_lists
from ossicle.evaluation.ground_truth import Truth
from ossicle.metrics.columns.event_lists import EventLists
from ossicle.metrics.columns.greedy import greedy_hits
from ossicle.metrics.columns.matching import match_lists, matched_at
from ossicle.metrics.events import precision_recall_f1
from ossicle.metrics.matching.rules import Criterion
from ossicle.metrics.ranking import PrecisionRecall, hit_curve
from ossicle.metrics.reports.event_report import plain

SWEEP = tuple(round(0.1 * step, 1) for step in range(1, 10))


def sweep(truth: Truth, events: Mapping[str, Sequence[Event]]) -> list[dict[str, float | None]]:
    """Return pooled figures at every IoU threshold, which show the cost of wrong boundaries."""
    predicted, _ = event_lists(events, truth.ids, truth.labels)
    tp = matched_at(truth.reference_lists, predicted, SWEEP)
    fp, fn = len(predicted.times) - tp, len(truth.reference_lists.times) - tp
    rows = zip(SWEEP, *precision_recall_f1(tp, fp, fn), strict=True)
    return [
        {"iou": iou, "precision": plain(precision), "recall": plain(recall), "f1": plain(f1)}
        for iou, precision, recall, f1 in rows
    ]


def average_precision(
    truth: Truth, events: Mapping[str, Sequence[Event]], criterion: Criterion
) -> dict[str, float | None]:
    """Return the event average precision of each label, by event score."""
    curves = event_curves(truth, events, truth.labels, criterion)
    return {label: plain(curve.average_precision) for label, curve in curves.items()}


def event_curves(
    truth: Truth, events: Mapping[str, Sequence[Event]], labels: Sequence[str], criterion: Criterion
) -> dict[str, PrecisionRecall]:
    """Return precision and recall of the events of each label as the score threshold rises."""
    # Equal scores are ranked in the order of the recordings' ids.
    ids = sorted(truth.ids)
    reference = EventLists.gather(truth.references, ids, labels)
    predicted, places = event_lists(events, ids, labels)
    scores = EventColumns.of(events).scores[places]
    hits = greedy_hits(reference, predicted, scores, criterion)
    of_label, of_reference = predicted.owner % len(labels), reference.owner % len(labels)
    n_references = np.bincount(of_reference, minlength=len(labels)).tolist()
    return {
        label: hit_curve(scores[of_label == column], hits[of_label == column], n_references[column])
        for column, label in enumerate(labels)
    }


def recall_by_quality(truth: Truth, events: Mapping[str, Sequence[Event]], criterion: Criterion) -> dict[str, Any]:
    """Return detected and annotated calls of each quality; there is no precision, since false alarms have no
    quality.
    """
    predicted, _ = event_lists(events, truth.ids, truth.labels)
    hit = match_lists(truth.reference_lists, predicted, criterion)[:, 0]
    qualities, of_quality = np.unique(truth.reference_qualities, return_inverse=True)
    annotated, n_found = (
        np.bincount(qualities_of, minlength=len(qualities)).tolist() for qualities_of in (of_quality, of_quality[hit])
    )
    names = ["unknown" if np.isnan(quality) else str(int(quality)) for quality in qualities.tolist()]
    return {
        name: {"found": n_found[row], "annotated": annotated[row], "recall": plain(n_found[row] / annotated[row])}
        for name, row in sorted(zip(names, range(len(names)), strict=True))
    }
