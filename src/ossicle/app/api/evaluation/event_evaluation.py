"""Compare events with annotations: the figures of ``ossicle score`` as values."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ossicle.app.api.annotations import event_table, given_column
from ossicle.app.api.evaluation.evaluation_notes import event_notes, folder_note, label_notes
from ossicle.app.api.predictions.predictions import Predictions
from ossicle.audio.probe import SUFFIXES
from ossicle.core.digest import normal_path
from ossicle.core.errors import UsageError
from ossicle.core.intervals import Intervals, as_intervals
from ossicle.core.records import Annotation
from ossicle.core.value_checks import count_fault, given_path, number_fault, raise_first, text_fault
from ossicle.corpus.formats.dcase import read_durations
from ossicle.corpus.formats.label_map import LabelMap, parse_label_map
from ossicle.corpus.formats.reading.audio_lookup import lengths_from
from ossicle.corpus.formats.reading.event_folders import EventFolder, EventSets, merge, read_event_folder
from ossicle.corpus.formats.reading.shared_names import pair_names, paired_by_name
from ossicle.corpus.formats.registry import ReadOptions
from ossicle.corpus.formats.session_times import NO_LENGTHS
from ossicle.corpus.naming.name_template import stem_of
from ossicle.corpus.notes import Note
from ossicle.inference.batch import PathLike
from ossicle.metrics.events import evaluate_events
from ossicle.metrics.matching.rules import CollarMatch, Criterion, IouMatch
from ossicle.metrics.reports.event_report import Estimate, EventReport, EventScores, Rates, plain

ANY = "any"
"""The label of all events if labels are ignored."""
_IOU = 0.5

Events = PathLike | Iterable[Annotation] | Predictions
_Times = dict[str, dict[str, Intervals]]


@dataclass(frozen=True, slots=True)
class EventEvaluation:
    """How well predicted events agree with annotations.

    Parameters
    ----------
    report
        Figures at the main criterion: the IoU if one was given, else the collar.
    iou, collar_s
        Lowest intersection over union, and collar in seconds, of a match; None if not given.
    at_collar
        Figures at the collar if both were given.
    left_out
        Recordings with predictions but without a reference; they are not evaluated.
    intervals
        Whether bootstrap intervals were computed.
    timed
        Whether durations were given, which false alarms per hour need.
    notes
        What was not read, or assumed, in the files of annotations.

    Examples
    --------
    >>> found = evaluate([Annotation("a", 1.0, 2.0, "call")], [Annotation("a", 1.1, 2.0, "call")])
    >>> found.f1.value, found.per_label["call"].n_reference, found.criterion
    (1.0, 1, 'iou')
    >>> found.to_json()["events"]
    {'f1': 1.0, 'precision': 1.0, 'recall': 1.0}
    """

    report: EventReport
    iou: float | None
    collar_s: float | None
    at_collar: EventReport | None
    left_out: tuple[str, ...]
    intervals: bool
    timed: bool
    notes: tuple[Note, ...] = ()

    @property
    def criterion(self) -> str:
        """The main criterion: ``iou`` or ``collar``."""
        return "collar" if self.iou is None else "iou"

    @property
    def f1(self) -> Estimate:
        """F1 over all labels and recordings, with its interval; NaN if undefined."""
        return self.report.pooled.rates.f1

    @property
    def precision(self) -> Estimate:
        """Share of predicted events that match, with its interval."""
        return self.report.pooled.rates.precision

    @property
    def recall(self) -> Estimate:
        """Share of annotated events that are found, with its interval."""
        return self.report.pooled.rates.recall

    @property
    def per_label(self) -> Mapping[str, EventScores]:
        """Rates and counts of each label."""
        return self.report.per_label

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain values.

        Returns
        -------
        What ``ossicle score --json`` prints: text, numbers, lists and dictionaries; an undefined figure is None.
        """
        plain_values: dict[str, Any] = {"criterion": self.criterion, "iou": self.iou, "collar_s": self.collar_s}
        plain_values |= _plain_report(self.report, self.intervals)
        if self.timed:
            plain_values["false_alarms_per_hour"] = {
                "all": plain(self.report.pooled.false_alarms_per_hour),
                **{label: plain(scores.false_alarms_per_hour) for label, scores in self.report.per_label.items()},
            }
        if self.at_collar is not None:
            plain_values["at_collar"] = _plain_report(self.at_collar, self.intervals)
        return {**plain_values, "left_out": list(self.left_out)}


def evaluate(
    reference: Events,
    predictions: Events,
    *,
    iou: float | None = None,
    collar_s: float | None = None,
    durations_s: Mapping[str, float] | PathLike | None = None,
    ignore_labels: bool = False,
    bootstrap: int = 1000,
    label_column: str | int = "auto",
    label_map: Sequence[str] = (),
) -> EventEvaluation:
    """Compare predicted events with annotations, as ``ossicle score`` does.

    Events are matched one to one by optimal assignment. Recordings are paired by name, without folder and audio suffix
    if that is unique. Annotations of a recording without predictions count as missed, also where the predictions are a
    table with only a header; a recording without a reference was never annotated and is left out.

    Parameters
    ----------
    reference, predictions
        Annotations, what a bundle found, or a file or folder in any annotation format.
    iou
        Lowest intersection over union of a match, above 0 and at most 1; 0.5 if no collar is given.
    collar_s
        How far an onset may be off, in seconds, and an offset by this or half the annotation's length.
    durations_s
        Seconds of each recording by name, or a table ``filename duration``, for false alarms an hour; every recording
        with a reference needs one.
    ignore_labels
        Whether to compare times only.
    bootstrap
        Resamples of recordings for the 95 % intervals; 0 for none.
    label_column
        The column that holds the label, if files are read: a name, a number from 1, several of these as a text with
        commas (the first in a table counts), or ``auto`` alone.
    label_map
        Other names for labels on both sides: ``FROM=TO``, or ``LABEL`` for all labels that look like it.

    Returns
    -------
    The figures: ``f1``, ``precision``, ``recall``, ``per_label``, and all of them by ``to_json()``.

    Raises
    ------
    UsageError
        The reference names no recording, no recording or no label is in both, or a duration is missing or given twice.
    FormatError
        A file cannot be read.
    ValueError
        The criterion, a duration, the number of resamples or a path is impossible.

    Examples
    --------
    >>> truth = [Annotation("tape.wav", 1.0, 2.0, "call"), Annotation("tape.wav", 5.0, 6.0, "call")]
    >>> found = [Annotation("tape.wav", 1.1, 2.1, "call"), Annotation("tape.wav", 8.0, 9.0, "call")]
    >>> evaluation = evaluate(truth, found, iou=0.5, bootstrap=0)
    >>> evaluation.precision.value, evaluation.recall.value, evaluation.f1.value
    (0.5, 0.5, 0.5)
    """
    raise_first(
        "evaluate",
        "" if iou is None else number_fault("iou", iou),
        "" if collar_s is None else number_fault("collar_s", collar_s),
        count_fault("bootstrap", bootstrap, 0),
    )
    if iou is None and collar_s is None:
        iou = _IOU
    paired = _paired_events(reference, predictions, label_column, durations_s)
    references, predicted = paired.references, paired.predicted
    if not references:
        raise UsageError(
            f"{_path_or_role(reference, 'reference')}: names no annotated recording, so nothing can be compared"
        )
    # Predictions without any recording are those of a detector that found nothing.
    if predicted and not predicted.keys() & references.keys():
        raise UsageError(_nothing_in_common(reference, predictions, references, predicted))
    names = parse_label_map(label_map, "label_map")
    pairs = _times(references, references, names, ignore_labels), _times(predicted, references, names, ignore_labels)
    labels = sorted({label for times in pairs for times_of_labels in times.values() for label in times_of_labels})
    lengths_s = {key: paired.lengths_s.get(key, 0.0) for key in references}
    reports = {
        name: evaluate_events(*pairs, lengths_s, labels, criterion, n_bootstrap=max(bootstrap, 1))
        for name, criterion in _criteria(iou, collar_s).items()
    }
    return EventEvaluation(
        report=next(iter(reports.values())),
        iou=iou,
        collar_s=collar_s,
        at_collar=reports["collar"] if len(reports) > 1 else None,
        left_out=tuple(sorted(predicted.keys() - references.keys())),
        intervals=bootstrap > 0,
        timed=durations_s is not None,
        notes=(*paired.notes, *label_notes(*pairs), *event_notes(*pairs, by_overlap=iou is not None)),
    )


def _criteria(iou: float | None, collar_s: float | None) -> dict[str, Criterion]:
    """Return the given criteria by name, the main one first."""
    criteria: dict[str, Criterion] = {}
    if iou is not None:
        criteria["iou"] = IouMatch(threshold=iou)
    if collar_s is not None:
        criteria["collar"] = CollarMatch(collar_s=collar_s)
    return criteria


@dataclass(frozen=True, slots=True)
class _PairedEvents:
    """Events of both sides by common names of their recordings, known lengths in seconds, and notes on the files."""

    references: EventSets
    predicted: EventSets
    lengths_s: Mapping[str, float]
    notes: tuple[Note, ...]


def _paired_events(
    reference: Events, predictions: Events, label_column: str | int, durations_s: Mapping[str, float] | PathLike | None
) -> _PairedEvents:
    """Read both sides and pair their recordings; raises UsageError if durations are given and one is missing."""
    where = "durations_s"
    if isinstance(durations_s, str | os.PathLike):
        where, durations_s = str(durations_s), read_durations(given_path(where, durations_s))
    lengths_s = _lengths(durations_s or {}, where)
    lengths = NO_LENGTHS if durations_s is None else lengths_from(durations_s)
    options = ReadOptions(given_column(label_column), lengths=lengths)
    folders = [
        _event_folder(role, events, options)
        for role, events in (("reference", reference), ("predictions", predictions))
    ]
    sets = [event_folder.sets for event_folder in folders]
    by_name = paired_by_name(*sets)
    references, predicted, measured = pair_names(*sets, {name: [] for name in lengths_s})
    known_s = dict(zip(measured, lengths_s.values(), strict=True))
    missing = sorted(references.keys() - known_s.keys())
    if durations_s is not None and missing:
        raise UsageError(f"{where}: has no duration of {', '.join(missing)}; add one for each")
    notes = [note for event_folder in folders for note in event_folder.notes]
    return _PairedEvents(references, predicted, known_s, (*notes, *folder_note(by_name)))


def _lengths(durations_s: Mapping[str, float], where: str) -> dict[str, float]:
    """Return the seconds of each recording by its name without audio suffix."""
    lengths_s: dict[str, float] = {}
    for name, length_s in durations_s.items():
        raise_first(where, text_fault("a name", name), number_fault(f"the duration of {name}", length_s, 0.0))
        stem = stem_of(normal_path(name), SUFFIXES)
        if lengths_s.setdefault(stem, length_s) != length_s:
            raise UsageError(f"{where}: has two durations of {stem}: {lengths_s[stem]:g} and {length_s:g} s; keep one")
    return lengths_s


def _event_folder(role: str, events: Events, options: ReadOptions) -> EventFolder:
    if isinstance(events, str | os.PathLike):
        return read_event_folder(given_path(role, events), options)
    merged, notes = merge([("events", event_table(events))], Path())
    return EventFolder({name: source_events.rows for name, source_events in merged.items()}, tuple(notes))


def _nothing_in_common(reference: Events, predictions: Events, reference_sets: EventSets, got: EventSets) -> str:
    names = f"{_path_or_role(predictions, 'predictions')} and {_path_or_role(reference, 'reference')}"
    return (
        f"{names} have no recording name in common (for example {sorted(got)[0]!r} and "
        f"{sorted(reference_sets)[0]!r}); the same recording needs the same file name on both sides, and folders "
        "where several share a name"
    )


def _path_or_role(events: Events, role: str) -> str:
    """Return the path of events that are read from files, else their role."""
    return str(events) if isinstance(events, str | os.PathLike) else role


def _times(sets: EventSets, reference: EventSets, names: LabelMap, ignore_labels: bool) -> _Times:
    times_by_recording: _Times = {}
    for key in reference.keys() & sets.keys():
        times_by_label: dict[str, list[tuple[float, float]]] = {}
        for row in sets[key]:
            times_by_label.setdefault(ANY if ignore_labels else names.name(row.label), []).append(
                (row.start_s, row.end_s)
            )
        times_by_recording[key] = {label: as_intervals(np.array(times)) for label, times in times_by_label.items()}
    return times_by_recording


def _plain_report(report: EventReport, intervals: bool) -> dict[str, Any]:
    pooled = report.pooled
    plain_values: dict[str, Any] = {
        "events": _rates(pooled.rates),
        "n_reference": pooled.n_reference,
        "n_predicted": pooled.n_predicted,
        "tp": pooled.tp,
        "fp": pooled.fp,
        "fn": pooled.fn,
        "n_recordings": report.n_recordings,
        "macro": {**_rates(report.macro), "labels": report.macro_labels},
        "per_label": {
            label: {**_rates(scores.rates), "n_reference": scores.n_reference, "n_predicted": scores.n_predicted}
            for label, scores in report.per_label.items()
        },
        "boundary_errors": report.boundaries.to_json(),
    }
    if intervals:
        plain_values["intervals"] = pooled.rates.to_json()
    return plain_values


def _rates(rates: Rates) -> dict[str, float | None]:
    return {name: plain(getattr(rates, name).value) for name in ("f1", "precision", "recall")}
