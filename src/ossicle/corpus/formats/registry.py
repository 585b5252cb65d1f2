"""The table of annotation formats: name, recognition, reading, writing, and the fields that each can hold.

A format is recognised by its first line, and only if that line is unambiguous: a table that fits two formats is
rejected until the user names the format. ``over`` names the more general formats over which a format takes precedence.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from ossicle.audio.probe import SUFFIXES as AUDIO_SUFFIXES
from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.formats import event_csv
from ossicle.corpus.formats.audacity import is_audacity, read_audacity, write_audacity
from ossicle.corpus.formats.birdnet import is_birdnet, read_birdnet
from ossicle.corpus.formats.cells.delimited import Delimited, read_delimited, read_header, stated_names
from ossicle.corpus.formats.cells.heading_text import same_heading
from ossicle.corpus.formats.cells.text_files import read_text
from ossicle.corpus.formats.columns.headings import has_label, has_times
from ossicle.corpus.formats.columns.recordings import file_columns
from ossicle.corpus.formats.columns.verdicts import verdict_columns
from ossicle.corpus.formats.dcase import is_dcase, read_dcase, write_dcase
from ossicle.corpus.formats.event_csv import read_events, write_events, write_events_parquet
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.kaleidoscope import is_kaleidoscope, read_kaleidoscope, write_kaleidoscope
from ossicle.corpus.formats.raven import is_raven_header, read_raven_table, write_raven
from ossicle.corpus.formats.session_times import NO_LENGTHS, FileLengths
from ossicle.corpus.formats.window_tables.class_columns import is_dcase_scores, is_opensoundscape
from ossicle.corpus.formats.window_tables.score_tables import ScoreTable
from ossicle.corpus.formats.window_tables.score_tables import read_dcase_scores as _read_dcase_scores
from ossicle.corpus.formats.window_tables.score_tables import read_opensoundscape as _read_opensoundscape
from ossicle.corpus.naming.name_template import stem_of
from ossicle.corpus.naming.table_names import recording_name

Shape = Literal["recording", "table", "windows", "folder"]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Options of readers: the label column, the label of rows without one, and the lengths of recordings."""

    label_column: str = "auto"
    default_label: str | None = None
    lengths: FileLengths = NO_LENGTHS


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """Options of writers: the upper end, in Hz, of boxes with unknown frequencies."""

    high_hz: float = 8000.0


@dataclass(frozen=True)
class Head:
    """Input for recognising a format: the file, its text ("" for Parquet), its headings, and the reader's options.

    The headings are those of the first line that has columns of times, or of the first line.
    """

    path: Path
    text: str
    header: tuple[str, ...]
    options: ReadOptions

    @cached_property
    def table(self) -> Delimited:
        """The whole table."""
        return read_delimited(self.path, is_header)

    @property
    def has_label_column(self) -> bool:
        """Whether a column holds the labels: a known one, or the one that the options name."""
        named = set(map(same_heading, stated_names(self.options.label_column)))
        return has_label(self.header) or not named.isdisjoint(map(same_heading, self.header))

    @property
    def is_events(self) -> bool:
        """Whether this is a table of events: it has times, and its rows have a label of their own or the default."""
        return has_times(self.header) and (self.has_label_column or self.options.default_label is not None)

    @property
    def may_be_windows(self) -> bool:
        """Whether this has times and no column of labels, so that further columns may be classes."""
        return has_times(self.header) and not self.has_label_column

    @property
    def is_raven(self) -> bool:
        """Whether this is a selection table of Raven: tab-separated text with its headings."""
        return is_raven_header(self.header) and "\t" in self.text and self.path.suffix.lower() in _TEXT

    @property
    def is_few_shot(self) -> bool:
        """Whether columns hold POS and NEG of classes, and none holds the labels, in a table that is not Raven's."""
        if self.is_raven or not self.may_be_windows or not verdict_columns(self.table):
            return False
        # A number may be that of the label column.
        wanted_label = self.options.label_column.strip()
        return wanted_label.lower() == "auto" or self.table.first_column(wanted_label) is None

    @property
    def names_files(self) -> bool:
        """Whether a column names the recording of each row, or may do so."""
        try:
            return bool(file_columns(self.table, self.options.lengths))
        except FormatError:
            return True


@dataclass(frozen=True, slots=True)
class Format:
    """One annotation format.

    ``shape``: a file for each ``recording``, one ``table`` of events, ``windows`` with a value per label, or a
    ``folder`` of labelled audio. ``ending`` follows the name of a recording (and of a table: ``events.csv``).
    ``holds``: the fields of a row, besides times and label, that survive writing, and ``files`` if recordings without
    events do.
    """

    name: str
    title: str
    shape: Shape
    ending: str = ""
    suffixes: frozenset[str] = frozenset()
    recognises: Callable[[Head], bool] | None = None
    over: tuple[str, ...] = ()
    read: Callable[[Path, ReadOptions], EventTable | ScoreTable] | None = None
    write: Callable[[Path, EventTable, WriteOptions], None] | None = None
    holds: frozenset[str] = field(default_factory=frozenset)

    @property
    def writable(self) -> bool:
        """Whether events can be written in this format without further information."""
        return self.write is not None


def guess(path: Path, options: ReadOptions | None = None) -> Format | None:
    """Return the format of a file, or None if no format matches.

    Raises
    ------
    FormatError
        If several formats match, or the file cannot be read.
    """
    suffix = path.suffix.lower()
    candidates = [
        candidate for candidate in FORMATS.values() if suffix in candidate.suffixes and candidate.recognises is not None
    ]
    if not candidates:
        return None
    text = "" if suffix == ".parquet" else read_text(path)
    head = Head(path, text, read_header(path, text, is_header), options or ReadOptions())
    fits = [candidate for candidate in candidates if candidate.recognises is not None and candidate.recognises(head)]
    general = {name for candidate in fits for name in candidate.over}
    fits = [candidate for candidate in fits if candidate.name not in general]
    if len(fits) > 1:
        raise FormatError(
            f"{path}, line 1: could be {' or '.join(candidate.name for candidate in fits)}; name the format"
        )
    if not fits and has_times(head.header) and head.names_files:
        # Events of recordings without a label: the reader says what is missing.
        return FORMATS["parquet" if suffix == ".parquet" else "csv"]
    return fits[0] if fits else None


def is_header(header: Sequence[str]) -> bool:
    """Return whether cells are the headings of a table that any format reads."""
    return has_times(header) or is_kaleidoscope(header)


def format_named(name: str, *, writing: bool = False) -> Format:
    """Return the format of this name.

    Raises
    ------
    UsageError
        Listing the formats, if there is no such format or it cannot be written.
    """
    named_format = FORMATS.get(name.strip().lower()) if isinstance(name, str) else None
    fit = [
        candidate.name
        for candidate in FORMATS.values()
        if not writing or candidate.writable or candidate.shape == "windows"
    ]
    if named_format is None or named_format.name not in fit:
        state = "cannot be written" if named_format is not None else "is not known"
        raise UsageError(f"the format {name!r} {state}; choose from {', '.join(fit)}")
    return named_format


def _labelled(read: Callable[..., EventTable]) -> Callable[[Path, ReadOptions], EventTable]:
    """Return a reader of tables with a label column."""
    return lambda path, options: read(path, label_column=options.label_column, default_label=options.default_label)


def _placed(read: Callable[..., EventTable]) -> Callable[[Path, ReadOptions], EventTable]:
    """Return a reader of tables whose times may run on over several files."""
    return lambda path, options: read(
        path, label_column=options.label_column, default_label=options.default_label, lengths=options.lengths
    )


def _audacity(path: Path, options: ReadOptions) -> EventTable:
    return EventTable(tuple(read_audacity(path, default_label=options.default_label)), own=True)


def _opensoundscape(path: Path, options: ReadOptions) -> ScoreTable:
    return _read_opensoundscape(path)


def _dcase_scores(path: Path, options: ReadOptions) -> ScoreTable:
    return _read_dcase_scores(path, recording_name(path.name))


def _write_raven(path: Path, table: EventTable, options: WriteOptions) -> None:
    names = {row.begin_path for row in table.rows} | set(table.files)
    own_name = names.pop().replace("\\", "/").rpartition("/")[2] if len(names) == 1 else ""
    # A name without a suffix is not a file name, so Raven would not find the file.
    audio_name = own_name if stem_of(own_name, AUDIO_SUFFIXES) != own_name else ""
    write_raven(path, table.rows, audio_name=audio_name, default_high_hz=options.high_hz)


_TEXT = frozenset({".txt"})
_TABLES = frozenset({".csv", ".tsv", ".txt"})
_BOX = frozenset({"low_hz", "high_hz"})
_ALL = _BOX | {"quality", "confidence", "channel", "files"}

_LISTED = (
    Format(
        name="raven",
        title="Raven selection tables",
        shape="recording",
        ending=".Table.1.selections.txt",
        suffixes=_TEXT,
        recognises=lambda head: head.is_raven,
        over=("csv",),
        read=_placed(read_raven_table),
        write=_write_raven,
        holds=_ALL,
    ),
    Format(
        name="csv",
        title="events as CSV or tab-separated text",
        shape="table",
        ending=".csv",
        suffixes=_TABLES,
        recognises=lambda head: head.is_events,
        read=_placed(read_events),
        write=lambda path, table, options: write_events(path, table.rows, files=table.files),
        holds=_ALL,
    ),
    Format(
        name="audacity",
        title="Audacity label tracks",
        shape="recording",
        ending=".txt",
        suffixes=_TEXT,
        recognises=lambda head: is_audacity(head.text),
        read=_audacity,
        write=lambda path, table, options: write_audacity(path, table.rows),
        holds=_BOX | {"files"},
    ),
    Format(
        name="parquet",
        title="events as Parquet",
        shape="table",
        ending=".parquet",
        suffixes=frozenset({".parquet"}),
        recognises=lambda head: head.is_events,
        read=_placed(read_events),
        write=lambda path, table, options: write_events_parquet(path, table.rows, files=table.files),
        holds=_ALL,
    ),
    Format(
        name="dcase",
        title="DCASE lists of events",
        shape="table",
        ending=".tsv",
        suffixes=_TABLES,
        recognises=lambda head: is_dcase(head.header),
        over=("csv",),
        read=_labelled(read_dcase),
        write=lambda path, table, options: write_dcase(path, table.rows, files=table.files),
        holds=frozenset({"files"}),
    ),
    Format(
        name="kaleidoscope",
        title="Kaleidoscope tables of matches",
        shape="table",
        ending=".kaleidoscope.csv",
        suffixes=_TABLES,
        recognises=lambda head: is_kaleidoscope(head.header),
        over=("birdnet",),
        read=_labelled(read_kaleidoscope),
        write=lambda path, table, options: write_kaleidoscope(path, table.rows),
        holds=frozenset({"confidence"}),
    ),
    Format(
        name="birdnet",
        title="results of BirdNET-Analyzer",
        shape="table",
        suffixes=_TEXT | event_csv.SUFFIXES,
        recognises=lambda head: is_birdnet(head.header),
        over=("raven", "csv", "parquet"),
        read=_placed(read_birdnet),
    ),
    Format(
        name="opensoundscape",
        title="opensoundscape's windows by class",
        shape="windows",
        ending=".csv",
        suffixes=event_csv.SUFFIXES,
        recognises=lambda head: head.may_be_windows and is_opensoundscape(head.table),
        read=_opensoundscape,
        holds=frozenset({"files"}),
    ),
    Format(
        name="dcase-scores",
        title="DCASE scores, a file for each recording",
        shape="windows",
        ending=".tsv",
        suffixes=_TABLES,
        recognises=lambda head: head.may_be_windows and is_dcase_scores(head.table),
        read=_dcase_scores,
        holds=frozenset({"files"}),
    ),
    Format(
        name="dcase-few-shot",
        title="DCASE tables of few-shot bioacoustics, with POS and NEG for each class",
        shape="table",
        suffixes=_TABLES,
        recognises=lambda head: head.is_few_shot,
        over=("csv", "opensoundscape", "dcase-scores"),
        read=_placed(read_events),
    ),
    Format(name="folders", title="recordings in class folders", shape="folder"),
    Format(name="names", title="recordings with labels in their names", shape="folder"),
)

FORMATS: Mapping[str, Format] = {candidate.name: candidate for candidate in _LISTED}
"""All formats by name."""

EVENT_FORMATS: tuple[str, ...] = tuple(candidate.name for candidate in _LISTED if candidate.writable)
"""Names of the formats in which events can be written."""

SUFFIXES: frozenset[str] = frozenset(suffix for candidate in _LISTED for suffix in candidate.suffixes)
"""Suffixes, lower-case with their dot, of the files that may hold annotations."""
