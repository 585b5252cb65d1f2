"""Columns of verdicts: POS, NEG and UNK, and other words that a reviewer wrote beside a row.

POS, NEG and UNK mean the same in every format. In a table without a label column (few-shot tables of DCASE) such a
column is a class, and its heading the label. Under headings that name no class (``Q``, ``Verdict``, ``validated``) it
says whether the row is a call. A row that is NEG is no call: it is left out and counted. Beside labels, other columns
of POS and NEG are not read, since they may say something else of a call: such rows are reported.

Other words, such as ``no`` under ``Confirmed``, also say that a row was not looked at yet. Such rows are read like the
others, and reported.
"""

from collections.abc import Collection

from ossicle.corpus.formats.cells.delimited import Delimited, heading_key
from ossicle.corpus.formats.columns.headings import NOT_CLASSES
from ossicle.corpus.notes import Note

POSITIVE, NEGATIVE, UNKNOWN = "pos", "neg", "unk"
"""The verdicts in lower case: a call, none, or that nobody knows."""
NO_CALLS = "no_calls"
"""The kind of the notes on rows that are NEG."""

_NO = frozenset({"0", "0.0", "no", "n", "false", "f", "none"})
_YES = frozenset({"1", "1.0", "yes", "y", "true", "t", "x"})
_REFUSED = frozenset(
    {"rejected", "reject", "incorrect", "wrong", "invalid", "absent", "negative", "not present", "not_present"}
    | {"false positive", "false_positive", "fp", "neg", "noise"}
)
# Under `rejected`, POS is a rejected row.
_YES_REFUSED = (_REFUSED - {"neg", "negative"}) | _YES | {"pos", "positive"}
# "no" means no call here, and elsewhere, as in "checked" or "verified", perhaps not looked at yet.
_SAYS_CALL = frozenset(
    {"presence", "presence_absence", "present_absent", "occurrence"}
    | {"accepted", "accept", "confirmed", "correct", "is_correct", "valid", "is_valid", "keep", "present", "is_present"}
    | {"true_positive", "is_true_positive", "tp", "is_call"}
)
_SAYS_NO_CALL = frozenset(
    {"rejected", "reject", "incorrect", "is_incorrect", "invalid", "false_positive", "is_false_positive", "fp"}
    | {"discard", "discarded", "exclude", "excluded", "delete", "deleted", "remove"}
)
_OTHER = frozenset(
    {"verified", "verification", "validated", "validation", "reviewed", "review", "checked", "status", "manual_review"}
    | {"verdict", "verdicts"}
)
# Words that judge a row under any heading, if a column holds nothing else; "absent" may be said of the wind.
_JUDGED_WRONG = frozenset({"fp", "false positive", "false_positive", "incorrect", "rejected", "reject", "invalid"})
_JUDGED = _JUDGED_WRONG | frozenset(
    {"tp", "true positive", "true_positive", "correct", "accepted", "accept", "confirmed", "valid", "unsure", "unknown"}
    | {"uncertain", "maybe", "?", "not reviewed", ""}
)
_NOT_KNOWN = frozenset({"unk", "unknown", "unsure", "uncertain", "maybe", "?"})
_QUERIES = frozenset({"q", "verdict", "verdicts"})
# Headings under which POS and NEG are no class.
_NO_CLASS = _QUERIES | _SAYS_CALL | _OTHER | {""}


def verdict(cell: str) -> str:
    """Return a cell in the form in which verdicts are compared."""
    return cell.strip().casefold()


def verdict_columns(table: Delimited) -> dict[int, bool]:
    """Return the columns of POS, NEG and UNK, in any case, and whether their headings may be those of classes.

    UNK alone is also a usual label of calls that nobody identified, or a sex: it counts only under ``Q`` or
    ``Verdict``.

    Parameters
    ----------
    table
        The table.

    Returns
    -------
    dict of int to bool
        By the index of the column.
    """
    return {
        column: key not in _NO_CLASS
        for column, key in enumerate(map(heading_key, table.header))
        if (key not in NOT_CLASSES or key in _NO_CLASS)
        and (words := _verdicts(table, column))
        and (words != {UNKNOWN} or key in _QUERIES)
    }


def unknown_columns(table: Delimited) -> tuple[int, ...]:
    """Return the columns of UNK alone under headings that may be classes: beside other classes, they are classes.

    Parameters
    ----------
    table
        The table.

    Returns
    -------
    tuple of int
        Their indices.
    """
    keys = [heading_key(name) for name in table.header]
    return tuple(
        column
        for column, key in enumerate(keys)
        if key not in NOT_CLASSES | _NO_CLASS and _verdicts(table, column) == {UNKNOWN}
    )


def _verdicts(table: Delimited, column: int) -> set[str]:
    """Return the different verdicts in a column; none if it holds anything else."""
    words: set[str] = set()
    for _, cells in table.rows:
        words.add(verdict(cells[column]))
        if not words <= {POSITIVE, NEGATIVE, UNKNOWN, ""}:
            return set()
    return words - {""}


def review_marks(table: Delimited, used: Collection[int]) -> tuple[Note, ...]:
    """Return notes on rows that a reviewer marked as no calls.

    Parameters
    ----------
    table
        The table.
    used
        The columns that are read, whose cells are no marks.

    Returns
    -------
    tuple of Note
        One for each other column with such rows.
    """
    notes = []
    for column, name in enumerate(table.header):
        key = heading_key(name)
        known = key in _SAYS_CALL | _SAYS_NO_CALL | _OTHER
        judged = {cells[column].strip().lower() for _, cells in table.rows}
        if column in used or not (known or (judged <= _JUDGED and judged & _JUDGED_WRONG)):
            continue
        no_calls = _YES_REFUSED if key in _SAYS_NO_CALL else _REFUSED | (_NO if key in _SAYS_CALL else frozenset())
        for meaning, marks in (("no calls", no_calls), ("not certain", _NOT_KNOWN)):
            cells_of = [(line, cells[column].strip()) for line, cells in table.rows]
            marked = [(line, text) for line, text in cells_of if text.lower() in marks]
            if marked:
                line, text = marked[0]
                message = (
                    f"{len(marked)} of {len(table.rows)} rows are marked as {meaning} in the column {name!r} "
                    f"({text!r} in line {line}), and were read like the others"
                )
                notes.append(Note("review_marks", "", message))
    return tuple(notes)
