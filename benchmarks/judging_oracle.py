"""What judging counts, one recording and label at a time: the obvious loops beside the columns of `ossicle.metrics`.

Every function gives the counts that ``metrics.json`` has, from the same annotations and events.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ossicle.core.decisions.decision import Decision
from ossicle.core.intervals import Intervals, part, union
from ossicle.core.time import frames_covering
from ossicle.core.tracks import ScoreTrack, rasterise
from ossicle.evaluation.criteria.criterion import JudgedRun
from ossicle.evaluation.figures.event_reports import SEGMENT_S
from ossicle.evaluation.figures.events import SWEEP
from ossicle.evaluation.settings import EvaluationSettings
from ossicle.inference.decisions.decide import decide
from ossicle.metrics.events import count_events
from ossicle.metrics.frames import frame_targets, frames_of
from ossicle.metrics.matching.rules import CollarMatch, IouMatch, match
from ossicle.metrics.segments import count_segments

Cell = tuple[str, str, Intervals, Intervals]


def counts_one_by_one(run: JudgedRun, settings: EvaluationSettings) -> dict[str, Any]:
    """Return the counts of every figure of events, each found by a loop over recordings and labels."""
    # Loops read objects that are already there; columns would make them anew at each look.
    truth = replace(run.truth, annotations=tuple(run.truth.annotations))
    run = replace(run, truth=truth, events=dict(run.events))
    rule = IouMatch(threshold=settings.iou)
    names = ("tp", "fp", "fn")

    def by_label(count: Callable[[str, Intervals, Intervals], tuple[int, ...]]) -> dict[str, dict[str, int]]:
        sums = {label: np.zeros(3, dtype=np.int64) for label in truth.labels}
        for key, label, reference, predicted in _cells(run):
            sums[label] += count(key, reference, predicted)[:3]
        return {label: dict(zip(names, counts.tolist(), strict=True)) for label, counts in sums.items()}

    collar = CollarMatch(collar_s=settings.collar_s)
    return {
        "headline": by_label(lambda _, reference, predicted: count_events(reference, predicted, rule)),
        "at_collar": by_label(lambda _, reference, predicted: count_events(reference, predicted, collar)),
        "segments": by_label(
            lambda key, reference, predicted: count_segments(reference, predicted, truth.durations_s[key], SEGMENT_S)
        ),
        "iou_sweep": [_f1(by_label(_at(threshold))) for threshold in SWEEP],
        "frame_grid": [_f1(by_label(_on_grid(run, rule, apart_frames))) for apart_frames in (0.0, run.apart_frames)],
        "recall_by_quality": _by_quality(run, rule),
        "positive_s": _positive_s(run),
    }


def counts_of_metrics(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same counts from the content of ``metrics.json``."""

    def counts(part: Mapping[str, Any]) -> dict[str, dict[str, int]]:
        return {
            label: {name: label_counts[name] for name in ("tp", "fp", "fn")}
            for label, label_counts in part["per_label"].items()
        }

    grid, frames = metrics["frame_grid"], metrics["frames"]["per_label"]
    return {
        "headline": counts(metrics),
        "at_collar": counts(metrics["at_collar"]),
        "segments": counts(metrics["segments"]),
        "iou_sweep": [row["f1"] for row in metrics["iou_sweep"]],
        "frame_grid": [grid["ceiling_f1"], grid["trained_ceiling_f1"]],
        "recall_by_quality": {
            name: (of["found"], of["annotated"]) for name, of in metrics["recall_by_quality"].items()
        },
        "positive_s": {label: of["positive_s"] for label, of in frames.items()},
    }


def _cells(run: JudgedRun) -> Iterator[Cell]:
    """Yield recording, label, annotated and found times of every recording and label, each looked up in all rows."""
    truth = run.truth
    for key in truth.ids:
        notes, events = (
            [annotation for annotation in truth.annotations if annotation.recording_id == key],
            run.events[key],
        )
        for label in truth.labels:
            reference = [(note.start_s, note.end_s) for note in notes if note.label == label]
            predicted = [(event.start_s, event.end_s) for event in events if event.label == label]
            yield key, label, np.array(reference).reshape(-1, 2), np.array(predicted).reshape(-1, 2)


def _at(threshold: float) -> Callable[[str, Intervals, Intervals], tuple[int, ...]]:
    return lambda _, reference, predicted: count_events(reference, predicted, IouMatch(threshold=threshold))


def _on_grid(
    run: JudgedRun, rule: IouMatch, apart_frames: float
) -> Callable[[str, Intervals, Intervals], tuple[int, ...]]:
    """Return how to count annotations that are drawn on the frame grid and decided again."""

    def count(key: str, reference: Intervals, _: Intervals) -> tuple[int, ...]:
        duration_s = run.truth.durations_s[key]
        n_frames = frames_covering(round(duration_s * 1e6), round(run.hop_s * 1e6))
        scores = rasterise(part(union(reference), apart_frames * run.hop_s), n_frames, run.hop_s)[:, None]
        events = decide(ScoreTrack(("hit",), scores, run.hop_s, duration_s), {"hit": Decision(on=0.5, off=0.5)})
        return count_events(
            reference, np.array([(event.start_s, event.end_s) for event in events]).reshape(-1, 2), rule
        )

    return count


def _f1(counts: Mapping[str, Mapping[str, int]]) -> float:
    tp, fp, fn = (sum(of[name] for of in counts.values()) for name in ("tp", "fp", "fn"))
    return round(2 * tp / (2 * tp + fp + fn), 6)


def _by_quality(run: JudgedRun, rule: IouMatch) -> dict[str, tuple[int, int]]:
    n_found, annotated = Counter[str](), Counter[str]()
    for key, label, reference, events in _cells(run):
        notes = [
            annotation
            for annotation in run.truth.annotations
            if (annotation.recording_id, annotation.label) == (key, label)
        ]
        annotated.update(str(note.quality) for note in notes)
        n_found.update(str(notes[row].quality) for row in match(reference, events, rule)[:, 0].tolist())
    return {name: (n_found[name], annotated[name]) for name in annotated}


def _positive_s(run: JudgedRun) -> dict[str, float]:
    sums = dict.fromkeys(run.truth.labels, 0.0)
    for key, label, reference, _ in _cells(run):
        edges_s = frames_of(run.scores.track(key)).edges_s
        sums[label] += float(np.diff(edges_s)[frame_targets(reference, edges_s)].sum())
    return {label: round(seconds, 6) for label, seconds in sums.items()}
