"""The best possible figures on a frame grid: the annotations themselves, drawn on it and decided again."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.evaluation.ground_truth import Truth
from ossicle.metrics.columns.event_lists import EventLists
from ossicle.metrics.columns.grid_events import grid_events
from ossicle.metrics.columns.unions import gaps_between, part_lists, union_lists
from ossicle.metrics.events import event_counts, precision_recall_f1
from ossicle.metrics.matching.rules import Criterion
from ossicle.metrics.reports.event_report import plain

_CLOSE_S = 0.02


def grid_ceiling(truth: Truth, hop_s: float, criterion: Criterion, apart_frames: float = 0.0) -> dict[str, Any]:
    """Return the event F1 of perfect scores at this hop, and how many neighbours of one class are too close for the
    grid.

    A perfect score is the share of a frame that the class fills; the decision is only a threshold of 0.5.
    ``ceiling_f1`` draws the annotations unchanged; ``trained_ceiling_f1`` draws them as training does, with neighbours
    of one class kept ``apart_frames`` frames apart.
    """
    plain_counts = _count(truth, hop_s, criterion, 0.0)
    trained = _count(truth, hop_s, criterion, apart_frames * hop_s)
    gaps = gaps_between(EventLists.gather(truth.references, truth.ids, truth.labels))
    per_label = {label: _f1(counts) for label, counts in zip(truth.labels, plain_counts, strict=True)}
    defined = [value for value in per_label.values() if value is not None]
    return {
        "hop_s": hop_s,
        "ceiling_f1": _f1(plain_counts.sum(axis=0)),
        "ceiling_macro_f1": plain(float(np.mean(defined))) if defined else None,
        "ceiling_f1_per_label": per_label,
        "trained_ceiling_f1": _f1(trained.sum(axis=0)),
        "neighbours": len(gaps),
        "closer_than_a_frame": int((gaps < hop_s - 1e-6).sum()),
        "closer_than_20_ms": int((gaps < _CLOSE_S - 1e-6).sum()),
    }


def _count(truth: Truth, hop_s: float, criterion: Criterion, apart_s: float) -> NDArray[np.int64]:
    """Return true positives, false positives and false negatives of perfect scores by label, int64 (n_labels, 3)."""
    references = EventLists.gather(truth.references, truth.ids, truth.labels)
    durations_s = np.repeat([truth.durations_s[key] for key in truth.ids], len(truth.labels))
    n_frames = -(-np.rint(durations_s * 1e6).astype(np.int64) // round(hop_s * 1e6))
    events = grid_events(part_lists(union_lists(references), apart_s), n_frames, durations_s, hop_s)
    counts, _ = event_counts(references, events, criterion)
    of_label: NDArray[np.int64] = counts.reshape(len(truth.ids), len(truth.labels), 3).sum(axis=0)
    return of_label


def _f1(counts: NDArray[np.int64]) -> float | None:
    return plain(float(precision_recall_f1(*counts)[2]))
