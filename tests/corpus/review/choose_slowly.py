"""The obvious way to choose what to check, which compares every event with every other: the oracle of `choose`."""

from collections import defaultdict
from itertools import zip_longest

import numpy as np

from ossicle.core.intervals import as_intervals, iou, overlap, union
from ossicle.corpus.review.rounds import within
from ossicle.corpus.review.selection import FOUND, Look, _annotated, _order, _order_of_candidate, _Pick, _picks, _row


def choose_slowly(recordings, annotations, candidates, examined, settings, least_iou=0.5):
    notes = defaultdict(list)
    for note in annotations:
        notes[note.recording_id].append(note)
    candidates_of = defaultdict(list)
    for candidate in candidates:
        candidates_of[candidate.recording_id].append(candidate)
    annotated = {recording.id for recording in recordings if recording.reviewed}
    open_ = {}
    missed = []
    for key in sorted({*notes, *candidates_of}):
        own_notes, own_candidates = notes[key], candidates_of[key]
        open_[key] = [candidate for candidate in own_candidates if not _agrees(candidate, own_notes, least_iou)]
        decided = [candidate for candidate in own_candidates if candidate.decided]
        missed += [note for note in own_notes if key in annotated and not _agrees(note, decided, least_iou)]
    everywhere = [candidate for recording_candidates in open_.values() for candidate in recording_candidates]
    queues = [
        [pick for pick in queue if not _examined(pick.recording_id, pick.row, examined)]
        for kind in settings.select
        for queue in _queues(kind, annotated, everywhere, missed)
    ]
    picks = {}
    for pick in (pick for turn in zip_longest(*queues) for pick in turn if pick is not None):
        if len(picks) < settings.most:
            picks.setdefault((pick.recording_id, pick.row), pick.reason)
    durations = {recording.id: recording.duration_s for recording in recordings}
    out = {}
    for key in sorted({key for key, _ in picks}):
        wanted = {row: reason for (of, row), reason in picks.items() if of == key}
        shown = [_annotated(note) for note in notes[key]]
        shown += [row for row in map(_row, open_[key]) if row.reason == FOUND and not _examined(key, row, examined)]
        out[key] = _looks(wanted, sorted({*shown, *wanted}, key=_order), durations[key], settings.margin_s)
    return out


def _queues(kind, annotated, open_, missed):
    for label in sorted({candidate.label for candidate in open_} | {note.label for note in missed}):
        label_candidates = [candidate for candidate in open_ if candidate.label == label]
        new = [candidate for candidate in label_candidates if candidate.recording_id not in annotated]
        if kind == "uncertain":
            yield _picks(
                kind,
                sorted(
                    new, key=lambda candidate: (abs(candidate.score - candidate.on), *_order_of_candidate(candidate))
                ),
            )
        elif kind == "best":
            yield _picks(
                kind,
                sorted(
                    (candidate for candidate in new if candidate.decided),
                    key=lambda candidate: (-candidate.score, *_order_of_candidate(candidate)),
                ),
            )
        else:
            false = [
                candidate for candidate in label_candidates if candidate.recording_id in annotated and candidate.decided
            ]
            alarms = _picks(
                "found, not annotated",
                sorted(false, key=lambda candidate: (candidate.on - candidate.score, *_order_of_candidate(candidate))),
            )
            clearest = sorted((note for note in missed if note.label == label), key=lambda note: note.quality or 0)
            lost = [_Pick(note.recording_id, "annotated, not found", _annotated(note)) for note in clearest]
            yield [pick for pair in zip_longest(alarms, lost) for pick in pair if pick is not None]


def _looks(picks, rows, duration_s, margin_s):
    times = as_intervals([(row.start_s, row.end_s) for row in rows])
    stretches = union(
        np.clip(as_intervals([(pick.start_s - margin_s, pick.end_s + margin_s) for pick in picks]), 0, duration_s)
    )
    while True:
        reached = times[(overlap(times, stretches) > 0).any(axis=1)]
        longer = union(np.concatenate([stretches, reached]))
        if len(longer) == len(stretches) and np.array_equal(longer, stretches):
            break
        stretches = longer
    return tuple(
        Look(
            float(start),
            float(end),
            tuple(sorted({reason for row, reason in picks.items() if start <= _centre(row) <= end})),
            tuple(row for row in rows if start <= _centre(row) <= end),
        )
        for start, end in stretches
    )


def _agrees(event, others, least_iou):
    same = as_intervals([(other.start_s, other.end_s) for other in others if other.label == event.label])
    return bool((iou(as_intervals([(event.start_s, event.end_s)]), same) >= least_iou).any())


def _examined(recording_id, row, examined):
    return within(_centre(row), examined.get(recording_id, ()))


def _centre(row):
    return (row.start_s + row.end_s) / 2
