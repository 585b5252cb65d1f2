"""Events of one decision for each label, in the form of the sweep over a grid; computed one by one."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.core.decisions.decision import Decision
from ossicle.core.intervals import Intervals, as_intervals
from ossicle.core.records import by_label
from ossicle.core.tracks import Event, ScoreTrack
from ossicle.inference.decisions.decide import decide
from ossicle.inference.decisions.grid import LabelEvents
from ossicle.metrics.matching.rules import Criterion, match


def found_by_decisions(
    tracks: Mapping[str, ScoreTrack],
    references: Mapping[str, Mapping[str, Intervals]],
    decisions: Mapping[str, Decision],
    labels: Sequence[str],
    criteria: Sequence[Criterion],
) -> tuple[LabelEvents, ...]:
    """Return what :func:`~ossicle.inference.decisions.grid.found_by_grid` yields, for each label's own decision.

    Every label of the tracks needs a decision; only ``labels`` are returned.
    """
    events = {rid: decide(tracks[rid], decisions) for rid in tracks}
    return found_of(events, references, labels, criteria)


def found_of(
    events: Mapping[str, Sequence[Event]],
    references: Mapping[str, Mapping[str, Intervals]],
    labels: Sequence[str],
    criteria: Sequence[Criterion],
) -> tuple[LabelEvents, ...]:
    """Return the same for events that are already decided, by recording; events of other labels are ignored."""
    events_of_labels = []
    detected = {rid: by_label(recording_events) for rid, recording_events in events.items()}
    for label in labels:
        recording, times, scores, owner = [], [], [], []
        at_reference, at_event = 0, 0
        reference_times: list[Intervals] = [np.zeros((0, 2))]
        pairs: list[list[NDArray[np.int64]]] = [[np.zeros((0, 2), dtype=np.int64)] for _ in criteria]
        for recording_index, rid in enumerate(events):
            label_events = detected[rid].get(label, [])
            predicted = as_intervals([(event.start_s, event.end_s) for event in label_events])
            reference = as_intervals(references.get(rid, {}).get(label, ()))
            for into, criterion in zip(pairs, criteria, strict=True):
                into.append(match(reference, predicted, criterion) + np.array([at_reference, at_event]))
            at_reference, at_event = at_reference + len(reference), at_event + len(label_events)
            recording += [recording_index] * len(label_events)
            owner += [recording_index] * len(reference)
            times.append(predicted)
            scores += [event.score for event in label_events]
            reference_times.append(reference)
        events_of_labels.append(
            LabelEvents(
                recording=np.array(recording, dtype=np.int64),
                times=np.concatenate([np.zeros((0, 2)), *times]),
                scores=np.array(scores, dtype=np.float32),
                pairs=tuple(np.concatenate(pair) for pair in pairs),
                reference=np.array(owner, dtype=np.int64),
                reference_times=np.concatenate(reference_times),
            )
        )
    return tuple(events_of_labels)
