"""What to know about two sets of events before their comparison is believed: labels, repeats, events without length."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ossicle.core.errors import UsageError
from ossicle.core.intervals import Intervals
from ossicle.core.text.counting import counted
from ossicle.corpus.formats.joined_labels import joined_labels
from ossicle.corpus.formats.label_map import twins
from ossicle.corpus.notes import Note

Times = Mapping[str, Mapping[str, Intervals]]
"""Starts and ends by recording and label."""


def label_notes(references: Times, predicted: Times) -> list[Note]:
    """Return notes on labels that a person takes for one or for several.

    Raises UsageError if both sides have no label in common.
    """
    reference_labels, got = (
        {label for label_times in times.values() for label in label_times} for times in (references, predicted)
    )
    notes = [
        Note(
            "label_twins", "labels", f"{' and '.join(map(repr, group))} look alike but do not match; join them by --map"
        )
        for group in twins(reference_labels | got)
    ]
    notes += [
        Note(
            "label_list",
            "labels",
            f"{_some(joined)} look like a list or several labels in one cell; write a row for each",
        )
        for joined in joined_labels(sorted(reference_labels | got)).values()
    ]
    if reference_labels and got and reference_labels.isdisjoint(got):
        alike = "".join(f"; {note.message}" for note in notes)
        raise UsageError(
            f"predictions and reference have no label in common ({_some(got)} and {_some(reference_labels)}), so "
            f"nothing can match{alike}. Give --map FROM=TO for each, or --ignore-labels to compare times only"
        )
    return notes


def event_notes(references: Times, predicted: Times, *, by_overlap: bool) -> list[Note]:
    """Return notes on events that cannot match: repeats of another one, and, by overlap, those without a length."""
    notes = []
    for role, times in (("reference", references), ("predictions", predicted)):
        repeats = sum(
            len(times_of_label) - len(np.unique(times_of_label, axis=0))
            for label_times in times.values()
            for times_of_label in label_times.values()
        )
        if repeats:
            verdict = "missed" if role == "reference" else "false"
            does = "repeats another one exactly, and counts" if repeats == 1 else "repeat other ones exactly, and count"
            message = f"{counted(repeats, 'event')} {does} as {verdict}, since each event matches one other at most"
            notes.append(Note("repeated", role, f"{message}; remove {'it' if repeats == 1 else 'them'}"))
    short = sum(
        int(np.sum(times_of_label[:, 1] <= times_of_label[:, 0]))
        for label_times in references.values()
        for times_of_label in label_times.values()
    )
    if short and by_overlap:
        message = f"{counted(short, 'event')} without a length cannot overlap anything; match by start with --collar"
        notes.append(Note("zero_length", "reference", message))
    return notes


def folder_note(pairs: Sequence[tuple[str, str]]) -> list[Note]:
    """Return a note on recordings that were paired by their file names although their folders differ."""
    if not pairs:
        return []
    first_name, other = pairs[0]
    message = (
        f"{counted(len(pairs), 'recording')} of both sides {'has' if len(pairs) == 1 else 'have'} one file name in "
        f"other folders, as {first_name!r} and {other!r}, and count as the same; if they are not, name their folders "
        "alike"
    )
    return [Note("paired_by_name", "recordings", message)]


def _some(labels: Iterable[str], most: int = 3) -> str:
    named = sorted(labels)
    more = f" and {len(named) - most} more" if len(named) > most else ""
    return ", ".join(map(repr, named[:most])) + more
