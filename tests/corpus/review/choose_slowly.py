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
    result = defaultdict(list)
    for candidate in candidates:
        result[candidate.recording_id].append(candidate)
    annotated = {recording.id for recording in recordings if recording.reviewed}
    open_ = {}
    missed = []
    for key in sorted({*notes, *result}):
        mine, theirs = notes[key], result[key]
        open_[key] = [one for one in theirs if not _agrees(one, mine, least_iou)]
        decided = [one for one in theirs if one.decided]
        missed += [one for one in mine if key in annotated and not _agrees(one, decided, least_iou)]
    everywhere = [one for of in open_.values() for one in of]
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
        shown = [_annotated(one) for one in notes[key]]
        shown += [row for row in map(_row, open_[key]) if row.reason == FOUND and not _examined(key, row, examined)]
        out[key] = _looks(wanted, sorted({*shown, *wanted}, key=_order), durations[key], settings.margin_s)
    return out


def _queues(kind, annotated, open_, missed):
    for label in sorted({one.label for one in open_} | {one.label for one in missed}):
        mine = [one for one in open_ if one.label == label]
        new = [one for one in mine if one.recording_id not in annotated]
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
                    (one for one in new if one.decided),
                    key=lambda candidate: (-candidate.score, *_order_of_candidate(candidate)),
                ),
            )
        else:
            false = [one for one in mine if one.recording_id in annotated and one.decided]
            alarms = _picks(
                "found, not annotated",
                sorted(false, key=lambda candidate: (candidate.on - candidate.score, *_order_of_candidate(candidate))),
            )
            clearest = sorted((one for one in missed if one.label == label), key=lambda one: one.quality or 0)
            lost = [_Pick(one.recording_id, "annotated, not found", _annotated(one)) for one in clearest]
            yield [pick for pair in zip_longest(alarms, lost) for pick in pair if pick is not None]


def _looks(picks, rows, duration_s, margin_s):
    times = as_intervals([(row.start_s, row.end_s) for row in rows])
    stretches = union(
        np.clip(as_intervals([(one.start_s - margin_s, one.end_s + margin_s) for one in picks]), 0, duration_s)
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


def _agrees(one, others, least_iou):
    same = as_intervals([(other.start_s, other.end_s) for other in others if other.label == one.label])
    return bool((iou(as_intervals([(one.start_s, one.end_s)]), same) >= least_iou).any())


def _examined(recording_id, row, examined):
    return within(_centre(row), examined.get(recording_id, ()))


def _centre(row):
    return (row.start_s + row.end_s) / 2
