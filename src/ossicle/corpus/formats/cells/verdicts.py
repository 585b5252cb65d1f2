"""Columns of verdicts: POS, NEG and UNK of few-shot tables, and what a reviewer wrote beside a row.

In few-shot tables (DCASE) a column has the name of a class, or ``Q``, and says of each row whether it is a call of that
class. Beside a label column the same words, and headings such as ``Confirmed``, ``Accepted``, ``validated`` and
``rejected``, say whether the row is a call.

No reader leaves out rows because of the marks of a reviewer, since the same words also say that a row was not looked at
yet. Rows that a reviewer rejected would become calls to learn, so they are reported.
"""

from collections.abc import Collection

from ossicle.corpus.formats.cells.delimited import Delimited, heading_key
from ossicle.corpus.formats.cells.event_columns import NOT_CLASSES
from ossicle.corpus.notes import Note

POSITIVE, NEGATIVE, UNKNOWN = "pos", "neg", "unk"
"""The verdicts in lower case: a call, none, or that nobody knows."""
QUERY = "q"
"""The heading of the column of a class without a name, in few-shot tables, as a key."""

_NO = frozenset({"0", "0.0", "no", "n", "false", "f", "none"})
_YES = frozenset({"1", "1.0", "yes", "y", "true", "t", "x"})
_REFUSED = frozenset(
    {"rejected", "reject", "incorrect", "wrong", "invalid", "absent", "negative", "not present", "not_present"}
    | {"false positive", "false_positive", "fp", "neg", "noise"}
)
# "no" means no call here, and elsewhere, as in "checked" or "verified", perhaps not looked at yet.
_SAYS_CALL = frozenset(
    {"accepted", "accept", "confirmed", "correct", "is_correct", "valid", "is_valid", "keep", "present", "is_present"}
    | {"true_positive", "is_true_positive", "tp", "is_call"}
)
_SAYS_NO_CALL = frozenset(
    {"rejected", "reject", "incorrect", "is_incorrect", "invalid", "false_positive", "is_false_positive", "fp"}
    | {"discard", "discarded", "exclude", "excluded", "delete", "deleted", "remove"}
)
_OTHER = frozenset(
    {"verified", "verification", "validated", "validation", "reviewed", "review", "checked", "status", "manual_review"}
)


def verdict(cell: str) -> str:
    """Return a cell in the form in which verdicts are compared."""
    return cell.strip().casefold()


def verdict_columns(table: Delimited) -> tuple[int, ...]:
    """Return the columns that hold only POS, NEG and UNK, in any case, under headings that may be classes.

    UNK alone is also a usual label of calls that nobody identified, or a sex: it counts only under ``Q``, and beside
    columns of named classes.

    Parameters
    ----------
    table
        The table.

    Returns
    -------
    tuple of int
        Their indices.
    """
    words = {column: _verdicts(table, column) for column in range(len(table.header))}
    queries = {column for column in words if heading_key(table.header[column]) == QUERY}
    sure = {column for column, said in words.items() if said - {UNKNOWN} or (said and column in queries)}
    unsure = set() if sure & queries or not sure else {column for column, said in words.items() if said}
    return tuple(sorted(sure | unsure))


def _verdicts(table: Delimited, column: int) -> set[str]:
    """Return the different verdicts in a column; none if it holds anything else or its heading is no class."""
    if heading_key(table.header[column]) in NOT_CLASSES:
        return set()
    words: set[str] = set()
    for _, cells in table.rows:
        words.add(verdict(cells[column]))
        if not words <= {POSITIVE, NEGATIVE, UNKNOWN, ""}:
            return set()
    return words - {""}


def review_marks(table: Delimited, used: Collection[int], verdicts: Collection[int]) -> tuple[Note, ...]:
    """Return notes on rows that a reviewer marked as no calls.

    Parameters
    ----------
    table
        The table.
    used
        The columns that are read, whose cells are no marks.
    verdicts
        The columns of POS and NEG.

    Returns
    -------
    tuple of Note
        One for each other column with such rows.
    """
    notes = []
    for column, name in enumerate(table.header):
        key = heading_key(name)
        known = key in _SAYS_CALL | _SAYS_NO_CALL | _OTHER or column in verdicts
        if column in used or not known:
            continue
        marks = _REFUSED | (_NO if key in _SAYS_CALL else _YES if key in _SAYS_NO_CALL else frozenset())
        marked = [(line, cells[column].strip()) for line, cells in table.rows if cells[column].strip().lower() in marks]
        if marked:
            line, text = marked[0]
            message = (
                f"{len(marked)} of {len(table.rows)} rows are marked as no calls in the column {name!r} ({text!r} in "
                f"line {line}), and were read like the others"
            )
            notes.append(Note("review_marks", "", message))
    return tuple(notes)
