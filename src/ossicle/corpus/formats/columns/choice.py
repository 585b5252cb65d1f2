"""The choice of the columns of a table: fields by their headings, recordings, labels, and verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.decimals import with_decimal_points
from ossicle.corpus.formats.cells.delimited import Delimited, heading_key, unescape_cell
from ossicle.corpus.formats.cells.missing_values import has_label
from ossicle.corpus.formats.cells.rows import checked_label
from ossicle.corpus.formats.columns.headings import (
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
from ossicle.corpus.formats.columns.recordings import file_columns
from ossicle.corpus.formats.columns.roles import Columns
from ossicle.corpus.formats.columns.time_pairs import refuse_other_times
from ossicle.corpus.formats.columns.verdicts import POSITIVE, UNKNOWN, unknown_columns, verdict, verdict_columns
from ossicle.corpus.formats.session_times import FileLengths

_NUMBERS = ("start", "end", "offset", "duration", "low", "high", "score", "confidence")
_UNITS: Mapping[str, Mapping[str, float]] = {"start": START, "end": END, "low": LOW, "high": HIGH}
# Headings of columns that hold no labels; those of Raven's label columns may name the classes of other tables too.
_NO_LABELS = (NOT_CLASSES - {*RAVEN_LABEL}) | PERHAPS_FILE


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
    files = file_columns(table, lengths)
    keys = {name: heading_key(table.header[column]) for name, column in fields.items()}
    columns = Columns(
        table,
        fields,
        files,
        default_label=default_label,
        scales={name: units[keys[name]] for name, units in _UNITS.items() if name in fields},
        of_raven=keys["start"] == RAVEN_START,
    )
    return with_labels(columns, label_keys, label_column)


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
    if chosen is not None and chosen in verdicts:
        raise FormatError(
            f"{table.where}: the column {table.title(chosen)!r} says of each row whether it is a call (POS, NEG, "
            f"UNK), and not of which class; leave out {COLUMN_OPTION}, and name the class as the heading of the "
            "column or, for a column 'Q', with --default-label ([corpus] default_label); if POS and NEG are the labels "
            "themselves, write them as other words, such as positive and negative"
        )
    if verdicts and chosen is None and not present:
        return _with_classes(columns, verdicts)
    # Under a heading that may be that of anything else, such as a valence, Neg says nothing of the label.
    judges = (column for column, is_class in verdicts.items() if not is_class and heading_key(table.header[column]))
    columns = replace(columns, verdicts=tuple(judges))
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
    labels = present if by_row else _words_first(table, filled or present)[:1]
    others = tuple(column for column in present if column not in labels)
    return replace(columns, labels=tuple(labels), other_labels=others)


def _words_first(table: Delimited, columns: Sequence[int]) -> Sequence[int]:
    """Return columns of labels, best first; one of numbers alone that counts the words of another one comes after it.

    Raises FormatError where the first one holds numbers alone and they do not follow from the words: they may say
    whether each word applies.
    """
    worded = [column for column in columns if not _is_numbers(table, column)]
    if not worded or worded[0] == columns[0]:
        return columns
    numbers, words = columns[0], worded[0]
    pairs = {
        (cells[words].strip(), cells[numbers].strip())
        for _, cells in table.rows
        if has_label(cells[words]) and has_label(cells[numbers])
    }
    if len(pairs) > len({word for word, _ in pairs}):
        raise FormatError(
            f"{table.where}: the label may be {table.title(numbers)!r}, which holds only numbers, or "
            f"{table.title(words)!r}, and rows with the same {table.title(words)!r} have different numbers; if they "
            f"say whether it is there, leave out the rows where it is not; then choose a column with {COLUMN_OPTION}"
        )
    return worded


def _is_numbers(table: Delimited, column: int) -> bool:
    texts = [cells[column].strip() for _, cells in table.rows if has_label(cells[column])]
    return bool(texts) and all(text.isascii() and text.isdigit() for text in texts)


def _with_classes(columns: Columns, verdicts: Mapping[int, bool]) -> Columns:
    """Return the columns of a table without labels: its columns of verdicts are classes, or calls of the default label.

    Raises FormatError for UNK, if there is neither a class nor a default label for POS, and for another column of
    words, which may name the class of each row.
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
    is_found = any(verdict(cells[column]) == POSITIVE for _, cells in table.rows for column in others)
    if is_found and not named and not columns.default_label:
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
                f"column {name!r}; in the first case remove {name!r}, in the second choose it with {COLUMN_OPTION} "
                f"and, if NEG means no call, rename {heading!r} to 'Verdict'; if neither names it, rename "
                f"{heading!r} to 'Q' and give --default-label ([corpus] default_label)"
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
