"""Additional figures of events against annotations: by IoU, by score, by quality."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ossicle.core.records import by_label
from ossicle.core.tracks import Event
from ossicle.evaluation.ground_truth import Times, Truth
from ossicle.metrics.event_report import plain
from ossicle.metrics.events import iou_sweep, precision_recall_f1
from ossicle.metrics.matching import Criterion, match
from ossicle.metrics.ranking import PrecisionRecall, event_pr_curve

SWEEP = tuple(round(0.1 * step, 1) for step in range(1, 10))


def sweep(truth: Truth, predicted: Times) -> list[dict[str, float | None]]:
    """Return pooled figures at every IoU threshold, which show the cost of wrong boundaries."""
    nothing = np.zeros((0, 2))
    references = truth.references
    tp, fp, fn = (np.zeros(len(SWEEP), dtype=np.int64) for _ in range(3))
    for key in truth.ids:
        for label in truth.labels:
            counts = iou_sweep(references[key].get(label, nothing), predicted.get(key, {}).get(label, nothing), SWEEP)
            tp, fp, fn = tp + counts.tp, fp + counts.fp, fn + counts.fn
    rows = zip(SWEEP, *precision_recall_f1(tp, fp, fn), strict=True)
    return [
        {"iou": iou, "precision": plain(precision), "recall": plain(recall), "f1": plain(f1)}
        for iou, precision, recall, f1 in rows
    ]


def average_precision(truth: Truth, events: dict[str, list[Event]], criterion: Criterion) -> dict[str, float | None]:
    """Return the event average precision of each label, by event score."""
    curves = event_curves(truth, events, truth.labels, criterion)
    return {label: plain(curve.average_precision) for label, curve in curves.items()}


def event_curves(
    truth: Truth, events: dict[str, list[Event]], labels: Sequence[str], criterion: Criterion
) -> dict[str, PrecisionRecall]:
    """Return precision and recall of the events of each label as the score threshold rises."""
    detected = {key: by_label(found) for key, found in events.items()}
    return {label: _event_curve(truth, detected, label, criterion) for label in labels}


def _event_curve(
    truth: Truth, detected: Mapping[str, Mapping[str, list[Event]]], label: str, criterion: Criterion
) -> PrecisionRecall:
    references = {key: times.get(label, np.zeros((0, 2))) for key, times in truth.references.items()}
    scored = {}
    for key, found in detected.items():
        mine = found.get(label, [])
        times = np.array([(one.start_s, one.end_s) for one in mine], dtype=np.float64).reshape(-1, 2)
        scored[key] = (times, np.array([one.score for one in mine], dtype=np.float64))
    return event_pr_curve(references, scored, criterion)


def recall_by_quality(truth: Truth, predicted: Times, criterion: Criterion) -> dict[str, Any]:
    """Return detected and annotated calls of each quality; there is no precision, since false alarms have no
    quality.
    """
    totals: dict[str, list[int]] = {}
    references = truth.references
    for key in truth.ids:
        for label, times in references[key].items():
            found = match(times, predicted.get(key, {}).get(label, np.zeros((0, 2))), criterion)[:, 0]
            hit = set(found.tolist())
            for row, note in enumerate(truth.notes[key][label]):
                total = totals.setdefault("unknown" if note.quality is None else str(note.quality), [0, 0])
                total[0] += row in hit
                total[1] += 1
    return {
        name: {"found": found, "annotated": all_, "recall": plain(found / all_)}
        for name, (found, all_) in sorted(totals.items())
    }
