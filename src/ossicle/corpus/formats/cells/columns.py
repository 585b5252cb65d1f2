"""What each column of a table of events holds, decided once for each table, for its reader and for its messages.

Fields of events, recordings and labels are found by the headings of many programs (``event_columns``). Columns of POS
and NEG are classes, or say which rows are calls (``verdicts``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.decimals import with_decimal_points
from ossicle.corpus.formats.cells.delimited import Delimited, heading_key, unescape_cell
from ossicle.corpus.formats.cells.event_columns import (
    COLUMN_OPTION,
    END,
    HIGH,
    LOW,
    NOT_CLASSES,
    PERHAPS_FILE,
    RAVEN_LABEL,
    RAVEN_START,
    START,
)
from ossicle.corpus.formats.cells.file_columns import file_columns
from ossicle.corpus.formats.cells.missing_values import has_label, stated
from ossicle.corpus.formats.cells.rows import checked_label
from ossicle.corpus.formats.cells.time_pairs import refuse_other_times
from ossicle.corpus.formats.cells.verdicts import (
    NEGATIVE,
    NO_CALLS,
    POSITIVE,
    UNKNOWN,
    review_marks,
    unknown_columns,
    verdict,
    verdict_columns,
)
from ossicle.corpus.formats.session_times import FileLengths
from ossicle.corpus.notes import Note

_NUMBERS = ("start", "end", "offset", "duration", "low", "high", "score", "confidence")
_UNITS: Mapping[str, Mapping[str, float]] = {"start": START, "end": END, "low": LOW, "high": HIGH}
# Headings of columns that hold no labels; those of Raven's label columns may name the classes of other tables too.
_NO_LABELS = (NOT_CLASSES - {*RAVEN_LABEL}) | PERHAPS_FILE


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table by what they hold; what is not listed here is not read.

    Attributes
    ----------
    table
        The table.
    fields
        The columns of fields of an event by the name of the field: ``start``, ``end``, ``low``, ``channel``.
    files, labels
        The columns of the recording and of the label, best first: in each row the first with a value counts.
    other_labels
        Columns that may hold labels, and are not read.
    classes
        Columns of POS and NEG of a class, with the label that POS means.
    verdicts
        Columns of POS and NEG that say whether the row is a call, whatever its label is.
    default_label
        The label of rows without one.
    escaped
        Whether cells are escaped for spreadsheets.
    """

    table: Delimited
    fields: Mapping[str, int]
    files: tuple[int, ...] = ()
    labels: tuple[int, ...] = ()
    other_labels: tuple[int, ...] = ()
    classes: Mapping[int, str] = field(default_factory=dict)
    verdicts: tuple[int, ...] = ()
    default_label: str | None = None
    escaped: bool = True

    def text(self, cells: Sequence[str], name: str) -> str:
        """Return the cell of a field without outer blanks, "" if the table has no such column."""
        return cells[self.fields[name]].strip() if name in self.fields else ""

    def scale(self, name: str) -> float:
        """Return the factor that turns the numbers of a field into seconds or Hz, 1 for fields without units."""
        return _UNITS.get(name, {}).get(heading_key(self.table.header[self.fields[name]]), 1.0)

    @property
    def has_times_of_raven(self) -> bool:
        """Whether the start has the heading of Raven, whose times may run on over several files."""
        return "start" in self.fields and heading_key(self.table.header[self.fields["start"]]) == RAVEN_START

    def file(self, cells: Sequence[str]) -> str:
        """Return the recording that a row names, "" if it names none."""
        return self._unescaped(next((cells[column] for column in self.files if cells[column].strip()), ""))

    def label_text(self, cells: Sequence[str]) -> str:
        """Return the cell of the label, "" if there is none."""
        texts = [cells[column] for column in self.labels]
        return self._unescaped(next(filter(has_label, texts), *texts[:1])) if texts else ""

    def states_event(self, cells: Sequence[str]) -> bool:
        """Return whether a row says more than that somebody listened to a recording: a time, a label or a verdict."""
        texts = (self.text(cells, "start"), self.text(cells, "end"), self.label_text(cells))
        return any(map(stated, (*texts, *(cells[column] for column in (*self.classes, *self.verdicts)))))

    def is_no_call(self, cells: Sequence[str]) -> bool:
        """Return whether the verdicts of a row say that it is no call, of any class."""
        classes = {verdict(cells[column]) for column in self.classes}
        return any(verdict(cells[column]) == NEGATIVE for column in self.verdicts) or (
            NEGATIVE in classes and POSITIVE not in classes
        )

    def labels_of(self, cells: Sequence[str], where: str) -> tuple[str, ...]:
        """Return the labels of the calls in a row: that of its cell or the default, or the classes that are POS.

        Raises
        ------
        FormatError
            There is no label, or its verdicts contradict each other.
        """
        verdicts = {word: column for column in self.verdicts if (word := verdict(cells[column]))}
        if len(verdicts) > 1:
            positive, negative = (self.table.title(verdicts[word]) for word in (POSITIVE, NEGATIVE))
            raise FormatError(f"{where}: {positive!r} is POS and {negative!r} is NEG; keep one of these columns")
        judged = {verdict(cells[column]) for column in (*self.classes, *self.verdicts)} - {""}
        if not judged and not self.labels and (self.classes or self.verdicts):
            raise FormatError(f"{where}: is neither POS nor NEG in {self._verdicts_in_words()}; write one of them")
        if self.is_no_call(cells):
            return ()
        if self.classes:
            return tuple(label for column, label in self.classes.items() if verdict(cells[column]) == POSITIVE)
        text = self.label_text(cells)
        if not has_label(text) and self.default_label is None:
            for column in self.other_labels:
                if has_label(cells[column]):
                    raise FormatError(
                        f"{where}: the label is empty, but the column {self.table.header[column]!r} says "
                        f"{cells[column].strip()!r}; fill it in, or choose the column with {COLUMN_OPTION}"
                    )
        return (checked_label(text, self.default_label, where),)

    @property
    def used(self) -> frozenset[int]:
        """The columns that are read."""
        return frozenset({*self.fields.values(), *self.files, *self.labels, *self.classes, *self.verdicts})

    def notes(self) -> tuple[Note, ...]:
        """Return what must be reported about verdicts and the marks of a reviewer."""
        rows = self.table.rows if self.verdicts or self.classes else ()
        refused = [line for line, cells in rows if self.is_no_call(cells)]
        blank = [
            line
            for line, cells in rows
            if self.states_event(cells) and not any(verdict(cells[column]) for column in self.verdicts)
        ]
        notes = []
        if refused:
            message = (
                f"{len(refused)} of {len(rows)} rows are no calls by {self._verdicts_in_words()} (NEG in line "
                f"{refused[0]}), and were left out"
            )
            notes.append(Note(NO_CALLS, "", message, len(refused)))
        if blank and self.verdicts and self.labels:
            message = (
                f"{len(blank)} of {len(rows)} rows have no verdict in {self._verdicts_in_words()} (line {blank[0]}), "
                "and were read as calls"
            )
            notes.append(Note("review_marks", "", message))
        return (*notes, *review_marks(self.table, self.used))

    def _verdicts_in_words(self) -> str:
        names = [repr(self.table.title(column)) for column in (*self.verdicts, *self.classes)]
        more = f" and {len(names) - 3} more" * (len(names) > 3)
        return f"the {'columns' if len(names) > 1 else 'column'} {', '.join(names[:3])}{more}"

    def _unescaped(self, cell: str) -> str:
        return unescape_cell(cell) if self.escaped else cell.strip()


def columns_of(
    table: Delimited,
    fields: Mapping[str, int],
    label_keys: Sequence[str],
    label_column: str,
    default_label: str | None,
    lengths: FileLengths,
) -> Columns:
    """Return what the columns of a table of starts and ends hold; its numbers get decimal points.

    Parameters
    ----------
    table
        The table.
    fields
        The columns of the fields of an event, with ``start`` and ``end``.
    label_keys, label_column
        As in :func:`with_labels`.
    default_label
        The label of rows without one, and of POS under ``Q``. If given, a table without labels is accepted.
    lengths
        The recordings, as far as they are known.

    Raises
    ------
    FormatError
        There is no label, or none can be chosen without guessing; a second pair of times differs; a column that is not
        known to do so names recordings; or a verdict is UNK.
    """
    table = with_decimal_points(table, {fields[name] for name in _NUMBERS if name in fields})
    refuse_other_times(table, fields["start"], fields["end"])
    files = file_columns(table, lambda name: lengths.seconds(name) is not None)
    return with_labels(Columns(table, fields, files, default_label=default_label), label_keys, label_column)


def with_labels(columns: Columns, keys: Sequence[str], label_column: str, *, by_row: bool = False) -> Columns:
    """Return the columns of a table with those of its labels and verdicts.

    Parameters
    ----------
    columns
        The other columns of the table.
    keys
        Keys of the columns of labels, best first. Of those in the table, the first with a value counts.
    label_column
        The heading or number of the column of labels, or several with commas, of which the first in the table counts;
        ``auto`` to use ``keys``.
    by_row
        Whether the first column with a value counts in each row, instead of in the table.

    Raises
    ------
    FormatError
        There is no label, or none can be chosen without guessing; or a verdict is UNK.
    """
    table = columns.table
    verdicts = verdict_columns(table)
    present = [column for key in keys if (column := table.find([key])) is not None]
    is_chosen = label_column.strip().lower() != "auto"
    chosen = table.first_column(label_column) if is_chosen else None
    if chosen in verdicts:
        raise FormatError(
            f"{table.where}: the column {label_column.strip()!r} says of each row whether it is a call (POS, NEG, "
            f"UNK), and not of which class; leave out {COLUMN_OPTION}, and name the class as the heading of the "
            "column or, for a column 'Q', with --default-label ([corpus] default_label)"
        )
    if verdicts and chosen is None and not present:
        return _with_classes(columns, verdicts)
    columns = replace(columns, verdicts=tuple(verdicts))
    _refuse_unknown(columns)
    if chosen is None and is_chosen:
        raise FormatError(
            f"{table.where}: there is no label column {label_column!r}; set {COLUMN_OPTION} to one of: "
            f"{', '.join(table.header)}; if tables name it differently, give all names with commas between them"
        )
    if chosen is None and not present and columns.default_label is None and table.rows:
        raise FormatError(
            f"{table.where}: no label column (searched for {', '.join(keys)}; found: {', '.join(table.header)}); "
            f"name it with {COLUMN_OPTION} (several names with commas, if tables differ), or give all rows one "
            f"default label (--default-label, [corpus] default_label){_windows_hint(table)}"
        )
    if chosen is not None:
        return replace(columns, labels=(chosen,))
    filled = [column for column in present if any(has_label(cells[column]) for _, cells in table.rows)]
    labels = present if by_row else (filled or present)[:1]
    others = tuple(column for column in present if column not in labels)
    return replace(columns, labels=tuple(labels), other_labels=others)


def _with_classes(columns: Columns, verdicts: Mapping[int, bool]) -> Columns:
    """Return the columns of a table without labels: its columns of verdicts are classes, or calls of the default label.

    Raises FormatError for UNK, if there is neither a class nor a default label, and for another column of words, which
    may name the class of each row.
    """
    table = columns.table
    named = [column for column, is_class in verdicts.items() if is_class]
    others = [column for column in verdicts if column not in named]
    if named and not others:
        named = sorted({*named, *unknown_columns(table)})
    classes = {column: checked_label(unescape_cell(table.header[column]), None, table.where) for column in named}
    labels = list(classes.values())
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise FormatError(f"{table.where}: there are two columns {twice[0]!r}; rename one")
    columns = replace(columns, classes=classes, verdicts=tuple(others))
    _refuse_unknown(columns)
    if not named and not columns.default_label:
        raise FormatError(
            f"{table.where}: the class that POS means in the column {table.title(others[0])!r} is not named; name it "
            "with --default-label ([corpus] default_label), or rename the column to it"
        )
    for column, name in enumerate(table.header if named else ()):
        if heading_key(name) in _NO_LABELS or column in columns.used:
            continue
        if any(cells[column].strip()[:1].isalpha() for _, cells in table.rows):
            heading = table.header[named[0]]
            raise FormatError(
                f"{table.where}: the class may be {heading!r}, whose column holds POS and NEG, or be named in the "
                f"column {name!r}; in the first case remove {name!r}, in the second choose it with {COLUMN_OPTION}; "
                f"if neither names it, rename {heading!r} to 'Q' and give --default-label ([corpus] default_label)"
            )
    return columns


def _refuse_unknown(columns: Columns) -> None:
    """Reject UNK, which an index cannot hold."""
    rows = columns.table.rows
    for column in (*columns.verdicts, *columns.classes):
        unknown = [line for line, cells in rows if verdict(cells[column]) == UNKNOWN]
        if unknown:
            raise FormatError(
                f"{columns.table.path}, line {unknown[0]}: {columns.table.title(column)!r} is UNK in {len(unknown)} "
                f"of {len(rows)} rows, and their stretches would be learned and judged as background; replace them "
                "with POS or NEG, or leave their recordings out of the table and of the project ([corpus] exclude)"
            )


def _windows_hint(table: Delimited) -> str:
    """Return how to read a table whose further columns may be classes, "" if they cannot be."""
    keys = {heading_key(name) for name in table.header}
    others = keys - {"file", "start_time", "end_time"}
    if len(others) == len(keys) - 3 and others and NOT_CLASSES.isdisjoint(others):
        return "; if its columns are classes, convert it with --from opensoundscape"
    return ""
