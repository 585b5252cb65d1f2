"""Columns in which a reviewer wrote whether a row is a call: ``Confirmed``, ``Accepted``, ``validated``, ``rejected``.

A column under another heading is one if it holds only POS, NEG and UNK.

No reader leaves out rows because of them, since the same words also say that a row was not looked at yet. Rows that a
reviewer rejected would become calls to learn, so they are reported.
"""

from collections.abc import Collection

from ossicle.corpus.formats.cells.delimited import Delimited, heading_key
from ossicle.corpus.formats.cells.event_columns import is_few_shot_column
from ossicle.corpus.notes import Note

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
        known = key in _SAYS_CALL | _SAYS_NO_CALL | _OTHER or is_few_shot_column(table, column)
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
