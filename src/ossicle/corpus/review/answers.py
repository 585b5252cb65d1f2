"""Compare the tables that a reviewer returned with the exported ones.

Only checked stretches count. In them, a row that is present is an event, a deleted row is not, and there are no other
events. Everything outside stays unknown.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ossicle.core.errors import FormatError, UsageError
from ossicle.core.intervals import as_intervals, iou, union
from ossicle.core.records import Annotation
from ossicle.core.text.controls import control_name, first_control
from ossicle.core.text.suggestion import did_you_mean
from ossicle.corpus.formats.cells.rows import RawSelection, label_text
from ossicle.corpus.review.rounds import PROVENANCE, ReviewedRecording, as_stretches, within, without
from ossicle.corpus.review.selection import Row
from ossicle.corpus.review.tables import UNSURE, Export, Returned, Sheet, is_look, line_of

# Programs round the times they save: a row that moved by less counts as unmoved.
_MOVED_S = 1e-3
# The ends of recordings are rounded too, and a last call may be drawn up to the edge.
_END_TOLERANCE_S = 0.005

OUTCOMES = ("confirmed", "corrected", "removed", "added")


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of a review: recordings with answers, and those without.

    ``counts`` maps (label, outcome) to a number; ``undecided`` counts rows under a ``?``; ``not_looked_at`` counts the
    stretches whose row was deleted. ``untouched`` are the paths of recordings with unchanged tables, and ``missing``
    those whose tables are gone.
    """

    recordings: tuple[ReviewedRecording, ...]
    counts: Mapping[tuple[str, str], int]
    undecided: int
    not_looked_at: int
    untouched: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(slots=True)
class _Tally:
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    undecided: int = 0
    not_looked_at: int = 0


def answers(
    export: Export,
    returned: Mapping[str, Sequence[Returned]],
    *,
    new_labels: Collection[str] = (),
    accept_unchanged: bool = False,
) -> Answers:
    """Compare the returned tables with the export.

    Parameters
    ----------
    export
        The exported tables.
    returned
        Tables by recording id.
    new_labels
        Labels that reviewers may add.
    accept_unchanged
        Also count unchanged tables; by default they do not count, since they may never have been opened.

    Raises
    ------
    FormatError
        Naming file and line, for unknown labels, events beyond the recording's end, and contradictory tables of one
        recording.
    UsageError
        One of ``new_labels`` cannot be a label.
    """
    recordings: list[ReviewedRecording] = []
    untouched: list[str] = []
    missing: list[str] = []
    tally = _Tally()
    labels = {*export.labels, *allowed_labels(new_labels)}
    for sheet in export.sheets:
        tables = returned.get(sheet.recording_id, ())
        table = _the_one(sheet, tables, accept_unchanged)
        if table is None:
            (untouched if tables else missing).append(sheet.path)
            continue
        rows = [_checked_row(row, sheet, table.file, labels) for row in table.rows]
        recordings.append(_reviewed_recording(sheet, list(dict.fromkeys(rows)), export.high_hz, tally))
    return Answers(
        recordings=tuple(recording for recording in recordings if recording.examined),
        counts=dict(tally.counts),
        undecided=tally.undecided,
        not_looked_at=tally.not_looked_at,
        untouched=tuple(untouched),
        missing=tuple(missing),
    )


def allowed_labels(new_labels: Iterable[str]) -> frozenset[str]:
    """Return the labels that reviewers may add, in the form in which tables are read (Unicode NFC).

    Parameters
    ----------
    new_labels
        The labels as a user wrote them.

    Raises
    ------
    UsageError
        One of them cannot be the label of an event: it is blank, contains a control character, or has another meaning
        in the tables.
    """
    labels = frozenset(map(label_text, new_labels))
    for label in sorted(labels):
        if not label:
            raise UsageError("--new-label is empty; give the label that the tables have")
        if is_look(label) or label == UNSURE:
            raise UsageError(f"--new-label {label}: it has another meaning in these tables; give the label of events")
        if (control := first_control(label)) is not None:
            raise UsageError(f"--new-label {label!r} contains {control_name(control)}; correct it in the tables too")
    return labels


def _the_one(sheet: Sheet, tables: Sequence[Returned], accept_unchanged: bool) -> Returned | None:
    """Return the table that counts for a recording, the changed one; raises FormatError if two changed tables
    differ.
    """
    changed = [returned for returned in tables if not returned.unchanged]
    for returned in changed[1:]:
        if _content(returned.rows) != _content(changed[0].rows):
            raise FormatError(
                f"{changed[0].file} and {returned.file} were both changed and contradict each other for {sheet.path}; "
                "keep one of them and delete the other"
            )
    if changed:
        return changed[0]
    return tables[0] if tables and accept_unchanged else None


def _content(rows: Sequence[RawSelection]) -> list[tuple[str, int, int]]:
    return sorted((row.label, round(row.start_s / _MOVED_S), round(row.end_s / _MOVED_S)) for row in rows)


def _checked_row(row: RawSelection, sheet: Sheet, file: Path, labels: Collection[str]) -> RawSelection:
    """Return the row, cut to the recording and without values that only the table needs."""
    looks = is_look(row.label)
    if (control := first_control(row.label)) is not None:
        raise FormatError(
            f"{_place(file, row)}: the label {row.label!r} contains {control_name(control)}; correct it, because no "
            "model can have it"
        )
    if not looks and row.label != UNSURE and row.label not in labels:
        suggestion = did_you_mean(row.label, sorted(labels))
        raise FormatError(
            f"{_place(file, row)}: the label {row.label!r} is new; {suggestion}{'.' * (suggestion[-1:] != '?')} "
            f"Correct it, or allow it with --new-label {row.label!r}"
        )
    if row.start_s >= sheet.duration_s or (row.end_s > sheet.duration_s + _END_TOLERANCE_S and not looks):
        raise FormatError(
            f"{_place(file, row)}: {row.label!r} at {row.start_s:g} to {row.end_s:g} s is beyond the end of "
            f"{sheet.path} at {sheet.duration_s:g} s; correct its times"
        )
    return RawSelection(
        max(row.start_s, 0.0), min(row.end_s, sheet.duration_s), row.label, row.low_hz, row.high_hz, row.quality
    )


def _place(file: Path, row: RawSelection) -> str:
    return line_of(file, row.label, (row.start_s, row.end_s))


def _reviewed_recording(sheet: Sheet, rows: Sequence[RawSelection], high_hz: float, tally: _Tally) -> ReviewedRecording:
    looks = union(
        as_intervals(
            [(raw_selection.start_s, raw_selection.end_s) for raw_selection in rows if is_look(raw_selection.label)]
        )
    )
    unsure = union(
        as_intervals(
            [(raw_selection.start_s, raw_selection.end_s) for raw_selection in rows if raw_selection.label == UNSURE]
        )
    )
    events = [
        raw_selection for raw_selection in rows if not is_look(raw_selection.label) and raw_selection.label != UNSURE
    ]
    exported = [row for look in sheet.looks for row in look.rows]
    tally.not_looked_at += sum(not within((look.start_s + look.end_s) / 2, looks) for look in sheet.looks)
    pairs = _pairs(exported, events)
    partner = {column: row for row, column in pairs}
    annotations: list[Annotation] = []
    for column, event in enumerate(events):
        before = exported[partner[column]] if column in partner else None
        same = before is not None and _unmoved(before, event)
        if same and not within(_centre(event), looks):
            continue
        outcome = "added" if before is None else "confirmed" if same else "corrected"
        tally.counts[event.label, outcome] += 1
        annotations.append(_annotation(sheet.recording_id, event, before if same else None, before, high_hz))
    gone = set(range(len(exported))) - {row for row, _ in pairs}
    for row in sorted(gone):
        if within(_centre(exported[row]), unsure):
            tally.undecided += 1
        elif within(_centre(exported[row]), looks):
            tally.counts[exported[row].label, "removed"] += 1
    own_times = as_intervals([(annotation.start_s, annotation.end_s) for annotation in annotations])
    examined = union(np.concatenate([without(looks, unsure), own_times]))
    annotations.sort(key=lambda annotation: (annotation.start_s, annotation.end_s, annotation.label))
    return ReviewedRecording(sheet.recording_id, sheet.path, sheet.digest, as_stretches(examined), tuple(annotations))


def _pairs(exported: Sequence[Row], events: Sequence[RawSelection]) -> list[tuple[int, int]]:
    """Match exported with returned rows: those of one label first, then those that overlap most."""
    shares = iou(
        as_intervals([(row.start_s, row.end_s) for row in exported]),
        as_intervals([(raw_selection.start_s, raw_selection.end_s) for raw_selection in events]),
    )
    by_preference = sorted(
        (exported[row].label != events[column].label, -shares[row, column], int(row), int(column))
        for row, column in np.argwhere(shares > 0)
    )
    rows: set[int] = set()
    columns: set[int] = set()
    pairs = []
    for _, _, row, column in by_preference:
        if row not in rows and column not in columns:
            rows.add(row)
            columns.add(column)
            pairs.append((row, column))
    return pairs


def _unmoved(before: Row, now: RawSelection) -> bool:
    times = abs(before.start_s - now.start_s) <= _MOVED_S and abs(before.end_s - now.end_s) <= _MOVED_S
    return times and before.label == now.label


def _annotation(
    recording_id: str, now: RawSelection, exact: Row | None, before: Row | None, high_hz: float
) -> Annotation:
    """Return an event with the exported times if nobody moved it, and with the values that the table could not hold."""
    times = now if exact is None else exact
    drawn = now.high_hz is None or (not now.low_hz and abs(now.high_hz - high_hz) < 1)
    known = before if drawn else now
    return Annotation(
        recording_id,
        times.start_s,
        times.end_s,
        now.label,
        low_hz=known.low_hz if known is not None else None,
        high_hz=known.high_hz if known is not None else None,
        quality=now.quality if now.quality is not None or before is None else before.quality,
        provenance=PROVENANCE,
    )


def _centre(row: Row | RawSelection) -> float:
    return (row.start_s + row.end_s) / 2
