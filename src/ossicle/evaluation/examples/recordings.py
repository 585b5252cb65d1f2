"""Examples of recordings that are evaluated as a whole: the confused, the missed, the false alarms."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ossicle.artefacts.roots import Roots
from ossicle.artefacts.typed.scores import TracksFolder
from ossicle.audio.decoding.mono import load_mono
from ossicle.core.model_input.channel import MEAN
from ossicle.core.tracks import Event
from ossicle.evaluation.examples.example import Example, ExampleKind
from ossicle.evaluation.ground_truth import Truth
from ossicle.metrics.calibration.out_of_fold import Items
from ossicle.metrics.reports.recording_report import top_labels

MOST_S = 10.0
"""Of longer recordings the stretch around the highest frame of the label in question is shown."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A recording by its index, the label in question (column) and its title; ``score`` is that of the label."""

    row: int
    column: int
    name: str
    score: float


def recording_examples(
    truth: Truth,
    items: Items,
    events: Mapping[str, Sequence[Event]],
    scores: TracksFolder,
    roots: Roots,
    rate: int,
    count: int,
    channel: str = MEAN,
) -> list[Example]:
    """Return at most ``count`` examples of each kind; a recording is shown once.

    Confused, if each recording has one label: recordings whose highest score is another label's, by the difference.
    Missed: labels of a recording that were not detected, lowest score first. False alarms: detected labels that the
    recording does not have, highest score first.
    """
    shown: set[int] = set()
    examples = []
    kinds: tuple[tuple[ExampleKind, Iterator[_Case]], ...] = (
        ("confused", _confused(truth, items)),
        ("missed", _missed(truth, items, events)),
        ("false alarm", _false(truth, items, events)),
    )
    for kind, cases in kinds:
        left = count
        for case in cases:
            if left == 0:
                break
            if case.row in shown:
                continue
            shown.add(case.row)
            left -= 1
            examples.append(_example(kind, case, truth, items, scores, roots, rate, channel))
    return examples


def _confused(truth: Truth, items: Items) -> Iterator[_Case]:
    answers = top_labels(items)
    if answers is None:
        return
    every = np.arange(len(items.scores))
    margin = items.scores[every, answers[1]] - items.scores[every, answers[0]]
    for row in np.lexsort((every, -margin)).tolist():
        if answers[0][row] != answers[1][row]:
            is_, answer = truth.labels[answers[0][row]], truth.labels[answers[1][row]]
            column = int(answers[1][row])
            yield _Case(row, column, f"{is_} taken for {answer}", float(items.scores[row, column]))


def _missed(truth: Truth, items: Items, events: Mapping[str, Sequence[Event]]) -> Iterator[_Case]:
    is_found = _has_event(truth, events)
    yield from _cases(truth, items, items.positive & ~is_found & items.is_known, ascending=True)


def _false(truth: Truth, items: Items, events: Mapping[str, Sequence[Event]]) -> Iterator[_Case]:
    is_found = _has_event(truth, events)
    yield from _cases(truth, items, is_found & ~items.positive & items.is_known, ascending=False)


def _has_event(truth: Truth, events: Mapping[str, Sequence[Event]]) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    predicted = {(key, event.label) for key in truth.ids for event in events[key]}
    return np.array([[(key, label) in predicted for label in truth.labels] for key in truth.ids], dtype=np.bool_)


def _cases(
    truth: Truth,
    items: Items,
    which: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
    *,
    ascending: bool,
) -> Iterator[_Case]:
    rows, columns = np.nonzero(which)
    score = items.scores[rows, columns]
    for item in np.lexsort((columns, rows, score if ascending else -score)).tolist():
        column = int(columns[item])
        yield _Case(int(rows[item]), column, truth.labels[column], float(score[item]))


def _example(
    kind: ExampleKind,
    case: _Case,
    truth: Truth,
    items: Items,
    scores: TracksFolder,
    roots: Roots,
    rate: int,
    channel: str,
) -> Example:
    key = truth.ids[case.row]
    recording, label = truth.recordings[key], truth.labels[case.column]
    track = scores.track(key)
    start_s, end_s = 0.0, recording.duration_s
    if end_s > MOST_S:
        highest = int(np.argmax(track.scores[:, track.labels.index(label)]))
        centre_s = track.origin_s + highest * track.hop_s
        start_s = min(max(centre_s - MOST_S / 2, 0.0), end_s - MOST_S)
        end_s = start_s + MOST_S
    return Example(
        kind=kind,
        recording=recording.path,
        label=case.name,
        start_s=start_s,
        end_s=end_s,
        score=case.score,
        iou=None,
        samples=load_mono(roots.file(recording), rate, start_s, end_s - start_s, channel=channel),
        rate=rate,
        window_start_s=start_s,
        references=[
            (max(note.start_s, start_s), min(note.end_s, end_s), note.label)
            for note in truth.notes_between(key, start_s, end_s)
        ],
        # A missed label has no prediction.
        predictions=[] if kind == "missed" else [(start_s, end_s, label, case.score)],
    )
