"""Examples of events: the best, the worst, the missed and the false alarms, with their sound."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ossicle.audio.decoding.mono import load_mono
from ossicle.core.intervals import iou as pair_iou
from ossicle.core.model_input.channel import MEAN
from ossicle.core.records import by_label
from ossicle.core.tracks import Event
from ossicle.evaluation.examples.example import Example, ExampleKind
from ossicle.evaluation.ground_truth import Truth, event_times
from ossicle.metrics.matching import Criterion, match

Found = tuple[float, str, str, float, float, float | None, float | None]
"""Rank, recording id, label, start and end (s), score, IoU."""


def choose_examples(
    truth: Truth,
    events: dict[str, list[Event]],
    criterion: Criterion,
    audio: Path,
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
    matched, missed, false = _sorted(truth, events, criterion)
    chosen: list[tuple[ExampleKind, list[Found]]] = [
        ("best", sorted(matched, key=lambda one: (-one[0], *one[1:5]))[:count]),
        ("worst", sorted(matched)[:count]),
        ("missed", sorted(missed)[:count]),
        ("false alarm", sorted(false)[:count]),
    ]
    shown = {(one[1:5]) for one in chosen[0][1]}
    out = []
    for kind, found in chosen:
        kept: Iterable[Found] = (one for one in found if kind != "worst" or one[1:5] not in shown)
        out += [_example(kind, one, truth, events, audio, rate, margin_s, channel) for one in kept]
    return out


def _sorted(
    truth: Truth, events: dict[str, list[Event]], criterion: Criterion
) -> tuple[list[Found], list[Found], list[Found]]:
    references, predicted = truth.references, event_times(events)
    nothing = np.zeros((0, 2))
    matched: list[Found] = []
    missed: list[Found] = []
    false: list[Found] = []
    for key in truth.ids:
        detected, annotated = by_label(events[key]), truth.notes[key]
        for label in truth.labels:
            wanted, got = references[key].get(label, nothing), predicted.get(key, {}).get(label, nothing)
            mine = detected.get(label, [])
            quality = [one.quality or 0 for one in annotated.get(label, ())]
            pairs = match(wanted, got, criterion)
            for row, column in pairs:
                overlap = float(pair_iou(wanted[row : row + 1], got[column : column + 1])[0, 0])
                one = mine[column]
                matched.append((overlap, key, label, one.start_s, one.end_s, one.score, overlap))
            for row in sorted(set(range(len(wanted))) - set(pairs[:, 0].tolist())):
                start_s, end_s = map(float, wanted[row])
                missed.append((quality[row], key, label, start_s, end_s, None, None))
            for column in sorted(set(range(len(got))) - set(pairs[:, 1].tolist())):
                one = mine[column]
                false.append((-one.score, key, label, one.start_s, one.end_s, one.score, None))
    return matched, missed, false


def _example(
    kind: ExampleKind,
    found: Found,
    truth: Truth,
    events: dict[str, list[Event]],
    audio: Path,
    rate: int,
    margin_s: float,
    channel: str,
) -> Example:
    _, key, label, start_s, end_s, score, overlap = found
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
        samples=load_mono(audio / path, rate, first, last - first, channel=channel),
        rate=rate,
        window_start_s=first,
        references=[(one.start_s, one.end_s, one.label) for one in truth.notes_between(key, first, last)],
        predictions=[
            (one.start_s, one.end_s, one.label, one.score)
            for one in events[key]
            if one.end_s > first and one.start_s < last
        ],
    )
