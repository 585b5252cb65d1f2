"""Several labels in one cell, as ``wren; crow``: how they are divided, and labels that look like several."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from ossicle.corpus.formats.cells.label_cells import is_list, parse_labels

SURE = (";", "|")
"""Separators that no name of a sound holds."""
SEPARATORS = (*SURE, ",", "+", "&", "/", " ")
"""What may stand between several labels of one cell, the surest first."""


def split_labels(text: str, separator: str) -> tuple[str, ...]:
    """Divide a cell into its labels; with any separator, also a list as Python and JSON write it.

    Parameters
    ----------
    text
        The cell.
    separator
        What stands between its labels; "" for one label a cell.

    Returns
    -------
    tuple of str
        The labels in their order, each once; the cell itself if it is not divided; none if it holds only separators or
        an empty list.

    Examples
    --------
    >>> split_labels("wren; crow;; wren", ";"), split_labels("wren; crow", ""), split_labels("['wren', 'crow']", ",")
    (('wren', 'crow'), ('wren; crow',), ('wren', 'crow'))
    """
    if separator and is_list(text):
        parts = parse_labels(text, "", "")
    elif separator and separator in text:
        parts = tuple(part.strip() for part in text.split(separator))
    else:
        return (text,)
    return tuple(dict.fromkeys(filter(None, parts)))


def joined_labels(labels: Collection[str]) -> Mapping[str, Sequence[str]]:
    """Find the labels that look like several labels of one cell.

    A semicolon or a bar between two parts is enough, and so is a comma without a blank behind it, or a list as Python
    writes it, even of one label. Otherwise each of the parts must be a label itself: ``Owl, Barn`` and
    ``black-and-white`` are names.

    Parameters
    ----------
    labels
        All labels.

    Returns
    -------
    mapping of str to sequence of str
        The labels found, by the separator that divides them.

    Examples
    --------
    >>> joined_labels(["wren", "crow", "wren;rain", "wren crow", "Owl, Barn", "bark,dog"])
    {';': ['wren;rain'], ' ': ['wren crow'], ',': ['bark,dog']}
    """
    known = {label.casefold() for label in labels}
    labels_by_separator: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        separator = next((tried for tried in SEPARATORS if _joins(tried, label, known)), "")
        if separator:
            labels_by_separator[separator].append(label)
    return dict(labels_by_separator)


def holds_no_label(text: str) -> bool:
    """Tell whether a cell holds nothing but separators such as ``;``, or a list without a label.

    Parameters
    ----------
    text
        The cell.

    Returns
    -------
    bool
        Whether it names no sound.

    Examples
    --------
    >>> holds_no_label("[]"), holds_no_label("['']"), holds_no_label("; ;"), holds_no_label("['wren']")
    (True, True, True, False)
    """
    return not (parse_labels(text, "", "") if is_list(text) else text.strip(" ;|,"))


def _joins(separator: str, label: str, known: Collection[str]) -> bool:
    if is_list(label):
        return separator == "," and not holds_no_label(label)
    parts = split_labels(label, separator) if separator in label else ()
    if len(parts) < 2:
        return False
    if separator in SURE or all(part.casefold() in known for part in parts):
        return True
    return separator == "," and ", " not in label and not any(part.replace(".", "").isdecimal() for part in parts)
