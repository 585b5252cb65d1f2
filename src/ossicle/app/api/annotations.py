"""Read annotations of any format into values, and write them."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import overload

import polars as pl

from ossicle.app.api.predictions.predictions import Predictions
from ossicle.app.project.file_names import PROJECT_FILE
from ossicle.artefacts.filesystem.changes import make_folder
from ossicle.artefacts.filesystem.links import settled_above
from ossicle.artefacts.records.record_tables import ANNOTATION_SCHEMA
from ossicle.core.errors import UsageError
from ossicle.core.records import Annotation, grouped
from ossicle.core.value_checks import count_fault, given_path, number_fault, raise_first, text_fault
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.reading.folder_reader import events_of_source
from ossicle.corpus.formats.reading.reader import Reading
from ossicle.corpus.formats.reading.reader import read_annotations as read_table
from ossicle.corpus.formats.registry import ReadOptions, WriteOptions, format_named
from ossicle.corpus.formats.writing.conversion import output_places, tell_losses, write_events_as
from ossicle.corpus.formats.writing.conversion_losses import Account
from ossicle.inference.batch import PathLike

# The columns of an index, with the recording's name in place of its id, and without the provenance.
_SCHEMA = {
    {"recording_id": "recording"}.get(name, name): kind
    for name, kind in ANNOTATION_SCHEMA.items()
    if name != "provenance"
}
_RAW = ("start_s", "end_s", "label", "low_hz", "high_hz", "quality", "confidence")


class Annotations(Sequence[Annotation]):
    """Annotations of recordings, and which recordings were annotated: one without annotations was reviewed empty.

    A sequence of ``Annotation``, sorted by recording and time. The ``recording_id`` of each is the recording's name.

    Parameters
    ----------
    annotations
        The annotations, in any order.
    recordings
        Names of further recordings that were annotated: those in which nothing was found.
    notes
        What was not read, in words.

    Raises
    ------
    ValueError
        An annotation is not an ``Annotation``, or ``recordings`` are not names.

    Examples
    --------
    >>> found = Annotations([Annotation("b.wav", 1.0, 2.0, "call")], recordings=["a.wav"])
    >>> found.recordings, found.labels, len(found)
    (('a.wav', 'b.wav'), ('call',), 1)
    >>> found.of("a.wav")
    ()
    >>> found.to_polars().select("recording", "start_s", "end_s", "label").rows()
    [('b.wav', 1.0, 2.0, 'call')]
    """

    def __init__(
        self, annotations: Iterable[Annotation], recordings: Iterable[str] = (), notes: Iterable[str] = ()
    ) -> None:
        self._annotations = tuple(sorted(_checked_annotations(annotations), key=_order))
        recordings = _names(recordings)
        self.recordings: tuple[str, ...] = tuple(
            sorted({*recordings, *(annotation.recording_id for annotation in self._annotations)})
        )
        self.notes: tuple[str, ...] = tuple(notes)

    @overload
    def __getitem__(self, key: int) -> Annotation: ...

    @overload
    def __getitem__(self, key: slice) -> tuple[Annotation, ...]: ...

    def __getitem__(self, key: int | slice) -> Annotation | tuple[Annotation, ...]:
        return self._annotations[key]

    def __len__(self) -> int:
        return len(self._annotations)

    def __iter__(self) -> Iterator[Annotation]:
        return iter(self._annotations)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Annotations):
            return NotImplemented
        return (self._annotations, self.recordings) == (other._annotations, other.recordings)

    def __hash__(self) -> int:
        return hash((self._annotations, self.recordings))

    def __repr__(self) -> str:
        return f"Annotations({len(self)} of {len(self.recordings)} recordings, labels={self.labels!r})"

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that occur, sorted."""
        return tuple(sorted({annotation.label for annotation in self._annotations}))

    def of(self, recording: str) -> tuple[Annotation, ...]:
        """Return the annotations of a recording.

        Parameters
        ----------
        recording
            The name of the recording, as in ``recordings``.

        Returns
        -------
        Its annotations by time; none if it was reviewed and found empty.

        Raises
        ------
        KeyError
            The recording was not annotated.
        """
        if recording not in self.recordings:
            raise KeyError(recording)
        return tuple(self._by_recording.get(recording, ()))

    @cached_property
    def _by_recording(self) -> dict[str, list[Annotation]]:
        return grouped(self._annotations, lambda annotation: annotation.recording_id)

    def to_polars(self) -> pl.DataFrame:
        """Return the annotations as a table.

        Returns
        -------
        One row an annotation: ``recording``, ``start_s`` and ``end_s`` (seconds), ``label``, ``low_hz``, ``high_hz``,
        ``quality``, ``confidence``; null if unknown.
        """
        rows = [
            (annotation.recording_id, *(getattr(annotation, name) for name in list(_SCHEMA)[1:]))
            for annotation in self._annotations
        ]
        return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: the files, and notes on what the format cannot hold."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def read_annotations(
    path: PathLike,
    format: str | None = None,
    *,
    label_column: str | int = "auto",
    default_label: str | None = None,
    threshold: float | None = None,
    template: str = "",
    label_fields: Sequence[str] = (),
) -> Annotations:
    """Read annotations in any format.

    Parameters
    ----------
    path
        A file, or a folder of files at any depth. What two files say in common is read once.
    format
        A name of docs/formats.md, such as ``raven`` or ``audacity``; None to recognise each file.
    label_column
        The label column: a name, a number from 1, several with commas (the first in a table counts), or ``auto`` alone.
    default_label
        Label of rows that have none; None refuses such rows.
    threshold
        Lowest score that makes a window an event, for tables of scores.
    template, label_fields
        How the names of recordings hold their labels, for the format ``names``.

    Returns
    -------
    The annotations by recording, with the recordings that were reviewed and found empty. Names have their audio suffix
    if any file states it. What was not read is in ``notes``.

    Raises
    ------
    FormatError
        A file is malformed, ambiguous, or contradicts another one; the message names file and line.
    UsageError
        There is nothing to read, or no such format.
    ValueError
        An argument is impossible, such as an empty path or a threshold that is not a number.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "tape.txt"
    >>> _ = path.write_text("1.0\\t1.5\\tcall\\n")
    >>> [(one.recording_id, one.start_s, one.end_s, one.label) for one in read_annotations(path)]
    [('tape', 1.0, 1.5, 'call')]
    """
    source = given_path("path", path)
    if isinstance(label_fields, str):
        raise ValueError(
            f"label_fields = {label_fields!r} is one text; give a list of names, such as [{label_fields!r}]"
        )
    raise_first(
        "read_annotations",
        "" if default_label is None else text_fault("default_label", default_label),
        "" if threshold is None else number_fault("threshold", threshold),
        "" if isinstance(template, str) else f"template = {template!r} is not a text",
        *(text_fault("label_fields", label_field) for label_field in label_fields),
    )
    reading = Reading(
        format=None if format is None else format_named(format),
        options=ReadOptions(given_column(label_column), default_label),
        template=template,
        label_fields=tuple(label_fields),
        threshold=threshold,
    )
    account = Account()
    table = events_of_source(read_table(source, reading, account), str(source), threshold)
    annotations = [annotation_of(row) for row in table.rows]
    dropped = sum(row.channel is not None and row.channel > 1 for row in table.rows)
    notes = [f"{dropped} annotations name a channel, which annotations do not keep"] if dropped else []
    return Annotations(annotations, table.files, (*account.notes, *notes))


def write_annotations(
    annotations: Iterable[Annotation] | Predictions, path: PathLike, format: str = "csv", *, high_hz: float = 8000.0
) -> Written:
    """Write annotations, or the events of predictions, in a format; files that are there are replaced.

    Parameters
    ----------
    annotations
        ``Annotations``, any annotations, or what a bundle found.
    path
        A file, if its suffix is that of the format and one file is enough; else a folder.
    format
        ``raven``, ``audacity``, ``csv``, ``parquet``, ``dcase`` or ``kaleidoscope``.
    high_hz
        Upper end in Hz of the boxes of annotations without frequencies, in formats that need one (Raven).

    Returns
    -------
    The files, and notes on what the format cannot hold. Cells that a spreadsheet would take for formulas are escaped.

    Raises
    ------
    UsageError
        The format is not known or holds no events, the path has the suffix of another format, or there are no
        recordings to write.
    ValueError
        An annotation is not an ``Annotation``, ``high_hz`` is not a frequency, or ``path`` is not a path or empty.

    Examples
    --------
    >>> import tempfile
    >>> call = Annotation("tape.wav", 1.0, 1.5, "call", low_hz=300.0, high_hz=900.0)
    >>> written = write_annotations([call], Path(tempfile.mkdtemp()) / "tape.dcase.tsv", "dcase")
    >>> written.notes
    ('dcase cannot hold low frequencies: 1 were dropped', 'dcase cannot hold high frequencies: 1 were dropped')
    >>> written.files[0].read_text()
    'filename\\tonset\\toffset\\tevent_label\\ntape.wav\\t1.000000\\t1.500000\\tcall\\n'
    """
    raise_first("write_annotations", number_fault("high_hz", high_hz, 0.0))
    target_path, target = given_path("path", path), format_named(format, writing=True)
    if target.write is None:
        raise UsageError(f"events cannot be written as {target.name}")
    table, options, account = event_table(annotations), WriteOptions(high_hz), Account()
    if not table.files:
        raise UsageError("there are no annotations to write, nor recordings without any")
    places = output_places(table.files, settled_above(target_path, PROJECT_FILE), target)
    tell_losses(table, target, options, account)
    for file in places.values():
        make_folder(file.parent)
    write_events_as(table, target, places, options)
    return Written(tuple(places.values()), tuple(account.notes))


def given_column(label_column: str | int) -> str:
    """Return the label column as readers take it: a name, a number from 1 as text, or ``auto``.

    Raises
    ------
    ValueError
        It is an empty text, or a number below 1.

    Examples
    --------
    >>> given_column(3), given_column("species")
    ('3', 'species')
    """
    if isinstance(label_column, str):
        raise_first("label_column", text_fault("the name", label_column))
        return label_column
    if fault := count_fault("label_column", label_column, 1):
        raise ValueError(f"{fault}; give a name, a number from 1, or 'auto'")
    return str(label_column)


def event_table(annotations: Iterable[Annotation] | Predictions) -> EventTable:
    """Return annotations, or the events of predictions, as a table of rows with all their recordings."""
    if isinstance(annotations, Predictions):
        read = [prediction for prediction in annotations if prediction.status != "left_out"]
        names = tuple(sorted(prediction.name for prediction in read))
        return EventTable(tuple(row for prediction in read for row in prediction.rows), names)
    known = annotations if isinstance(annotations, Annotations) else Annotations(annotations)
    rows = (
        RawSelection(**{field: getattr(annotation, field) for field in _RAW}, begin_path=annotation.recording_id)
        for annotation in known
    )
    return EventTable(tuple(rows), known.recordings)


def annotation_of(row: RawSelection) -> Annotation:
    """Return a row of a table as an annotation of the recording that it names."""
    return Annotation(
        row.begin_path, row.start_s, row.end_s, row.label, row.low_hz, row.high_hz, row.quality, row.confidence
    )


def _checked_annotations(annotations: object) -> list[Annotation]:
    if isinstance(annotations, str | bytes | os.PathLike):
        raise ValueError(f"annotations = {annotations!r} is a path or a text; read files with ossicle.read_annotations")
    if not isinstance(annotations, Iterable):
        raise ValueError(f"annotations = {annotations!r} are not a list of ossicle.Annotation")
    records = list(annotations)
    for index, record in enumerate(records):
        if not isinstance(record, Annotation):
            raise ValueError(f"annotations[{index}] = {record!r} is not an ossicle.Annotation; make one of it")
    return records


def _names(recordings: Iterable[str]) -> list[str]:
    if isinstance(recordings, str):
        raise ValueError(f"recordings = {recordings!r} is one text; give a list of names")
    names = list(recordings)
    raise_first("recordings", *(text_fault(f"recordings[{index}]", name) for index, name in enumerate(names)))
    return names


def _order(annotation: Annotation) -> tuple[str, float, float, str, str]:
    return annotation.recording_id, annotation.start_s, annotation.end_s, annotation.label, repr(annotation)
