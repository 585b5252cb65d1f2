"""The best possible figures on a frame grid: the annotations themselves, drawn on it and decided again."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.decisions.decision import Decision
from ossicle.core.intervals import part, union
from ossicle.core.time import frames_covering
from ossicle.core.tracks import ScoreTrack, rasterise
from ossicle.evaluation.ground_truth import Times, Truth
from ossicle.inference.decisions.decide import decide
from ossicle.metrics.event_report import plain
from ossicle.metrics.events import count_events, precision_recall_f1
from ossicle.metrics.matching import Criterion

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
    neighbours, within_hop, close = _neighbours(truth.references, hop_s)
    per_label = {label: _f1(of) for label, of in plain_counts.items()}
    found = [value for value in per_label.values() if value is not None]
    return {
        "hop_s": hop_s,
        "ceiling_f1": _f1(sum(plain_counts.values(), np.zeros(3, dtype=np.int64))),
        "ceiling_macro_f1": plain(float(np.mean(found))) if found else None,
        "ceiling_f1_per_label": per_label,
        "trained_ceiling_f1": _f1(sum(trained.values(), np.zeros(3, dtype=np.int64))),
        "neighbours": neighbours,
        "closer_than_a_frame": within_hop,
        "closer_than_20_ms": close,
    }


def _count(truth: Truth, hop_s: float, criterion: Criterion, apart_s: float) -> dict[str, NDArray[np.int64]]:
    """Return true positives, false positives and false negatives of perfect scores by label."""
    references = truth.references
    out: dict[str, NDArray[np.int64]] = {}
    for label in truth.labels:
        counts = np.zeros(3, dtype=np.int64)
        for key in truth.ids:
            times = references[key].get(label, np.zeros((0, 2)))
            duration_s = truth.durations_s[key]
            n_frames = frames_covering(round(duration_s * 1e6), round(hop_s * 1e6))
            scores = rasterise(part(union(times), apart_s), n_frames, hop_s)[:, None]
            events = decide(ScoreTrack((label,), scores, hop_s, duration_s), {label: Decision(on=0.5, off=0.5)})
            counts += count_events(
                times, np.array([(one.start_s, one.end_s) for one in events]).reshape(-1, 2), criterion
            )
        out[label] = counts
    return out


def _f1(counts: NDArray[np.int64]) -> float | None:
    return plain(float(precision_recall_f1(*counts)[2]))


def _neighbours(references: Times, hop_s: float) -> tuple[int, int, int]:
    """Count neighbouring events of one class in one recording: all, those less than a frame apart, those less than
    20 ms.
    """
    gaps = [np.zeros(0)]
    for of in references.values():
        for times in of.values():
            ordered = times[np.argsort(times[:, 0])]
            gaps.append(ordered[1:, 0] - ordered[:-1, 1])
    every = np.concatenate(gaps)
    return len(every), int((every < hop_s - 1e-6).sum()), int((every < _CLOSE_S - 1e-6).sum())
