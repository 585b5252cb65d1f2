"""Cells that stand for a missing value, as R, pandas, databases and spreadsheets write them.

In a column of numbers, groups or further labels each of these marks is an empty cell. In a column of labels only those
count that are no word of any language: ``nan`` and ``null`` may be transcribed syllables.
"""

MARKS = frozenset({"NA", "N/A", "n/a", "NaN", "nan", "<NA>", "#N/A", "NULL", "null", "None"})
"""Marks of missing numbers, groups and further labels, compared with their case: ``Na`` may be a name."""

NO_LABELS = frozenset({"NA", "N/A", "NaN", "<NA>", "#N/A"})
"""Marks of missing labels."""


def stated(text: str) -> str:
    """Return a cell without outer blanks, "" if it stands for a missing value.

    >>> stated(" 1.5 "), stated("NA")
    ('1.5', '')
    """
    bare = text.strip()
    return "" if bare in MARKS else bare


def has_label(text: str) -> bool:
    """Return whether a cell of a column of labels holds a label.

    Parameters
    ----------
    text
        The cell.

    Returns
    -------
    bool
        Whether it is neither empty nor a mark of a missing label.

    Examples
    --------
    >>> has_label("nan"), has_label("NA"), has_label(" ")
    (True, False, False)
    """
    return text.strip() not in NO_LABELS | {""}
