"""What each column of a table of events holds, decided once for each table, for its reader and for its messages.

Fields of events, recordings and labels are found by the headings of many programs (``headings``), and chosen in
``choice``. Columns of POS and NEG are classes, or say which rows are calls (``verdicts``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.delimited import Delimited, unescape_cell
from ossicle.corpus.formats.cells.missing_values import has_label, stated
from ossicle.corpus.formats.cells.rows import checked_label
from ossicle.corpus.formats.columns.headings import COLUMN_OPTION
from ossicle.corpus.formats.columns.verdicts import NEGATIVE, NO_CALLS, POSITIVE, review_marks, verdict, verdict_columns
from ossicle.corpus.notes import Note


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
    scales
        The factors that turn the numbers of fields into seconds and Hz, where they are not 1.
    of_raven
        Whether the start has the heading of Raven, whose times may run on over several files.
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
    scales: Mapping[str, float] = field(default_factory=dict)
    of_raven: bool = False
    escaped: bool = True

    def text(self, cells: Sequence[str], name: str) -> str:
        """Return the cell of a field without outer blanks, "" if the table has no such column."""
        return cells[self.fields[name]].strip() if name in self.fields else ""

    def file(self, cells: Sequence[str]) -> str:
        """Return the recording that a row names, "" if it names none."""
        return self._unescaped(next((cells[column] for column in self.files if cells[column].strip()), ""))

    def label_text(self, cells: Sequence[str]) -> str:
        """Return the cell of the label, "" if there is none."""
        if len(self.labels) == 1:
            return self._unescaped(cells[self.labels[0]])
        texts = [cells[column] for column in self.labels]
        return self._unescaped(next(filter(has_label, texts), *texts[:1])) if texts else ""

    def states_event(self, cells: Sequence[str]) -> bool:
        """Return whether a row says more than that somebody listened to a recording: a time, a label or a verdict."""
        return bool(
            stated(self.text(cells, "start"))
            or stated(self.text(cells, "end"))
            or stated(self.label_text(cells))
            or any(cells[column].strip() for column in (*self.classes, *self.verdicts))
        )

    def is_no_call(self, cells: Sequence[str]) -> bool:
        """Return whether the verdicts of a row say that it is no call, of any class."""
        return any(verdict(cells[column]) == NEGATIVE for column in self.verdicts) or _is_of_none(cells, self.classes)

    def labels_of(self, cells: Sequence[str], where: str) -> tuple[str, ...]:
        """Return the labels of the calls in a row: that of its cell or the default, or the classes that are POS.

        Raises
        ------
        FormatError
            There is no label, or its verdicts contradict each other.
        """
        if self.verdicts:
            verdicts = {word: column for column in self.verdicts if (word := verdict(cells[column]))}
            if len(verdicts) > 1:
                positive, negative = (self.table.title(verdicts[word]) for word in (POSITIVE, NEGATIVE))
                raise FormatError(
                    f"{where}: {positive!r} is POS and {negative!r} is NEG; correct the wrong one, or remove the "
                    "column that does not count"
                )
        if (self.verdicts or self.classes) and self.is_no_call(cells):
            return ()
        judged = () if self.labels else self.classes or self.verdicts
        if judged and not any(verdict(cells[column]) for column in judged):
            raise FormatError(f"{where}: is neither POS nor NEG in {self._in_words(judged)}; write one of them")
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
        judges = self._in_words((*self.verdicts, *self.classes))
        notes = []
        if refused:
            message = (
                f"{len(refused)} of {len(rows)} rows are no calls by {judges} (NEG in line "
                f"{refused[0]}), and were left out"
            )
            notes.append(Note(NO_CALLS, "", message, len(refused)))
        if blank and self.verdicts and self.labels:
            message = (
                f"{len(blank)} of {len(rows)} rows have no verdict in {judges} (line {blank[0]}), "
                "and were read as calls"
            )
            notes.append(Note("review_marks", "", message))
        others = [column for column in verdict_columns(self.table) if column not in self.used]
        if negative := [line for line, cells in self.table.rows if _is_of_none(cells, others)]:
            message = (
                f"{len(negative)} of {len(self.table.rows)} rows are NEG in {self._in_words(others)} (line "
                f"{negative[0]}), and were read like the others"
            )
            notes.append(Note("review_marks", "", message))
        return (*notes, *review_marks(self.table, self.used))

    def _in_words(self, columns: Iterable[int]) -> str:
        names = [repr(self.table.title(column)) for column in columns]
        more = f" and {len(names) - 3} more" * (len(names) > 3)
        return f"the {'columns' if len(names) > 1 else 'column'} {', '.join(names[:3])}{more}"

    def _unescaped(self, cell: str) -> str:
        return unescape_cell(cell) if self.escaped else cell.strip()


def _is_of_none(cells: Sequence[str], columns: Iterable[int]) -> bool:
    """Return whether a row is NEG in some of these columns, and POS in none."""
    words = {verdict(cells[column]) for column in columns}
    return NEGATIVE in words and POSITIVE not in words
