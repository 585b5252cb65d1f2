"""Several labels in one cell, as ``wren; crow``: how they are divided, and labels that look like several."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from ossicle.corpus.formats.cells.label_cells import is_list, parse_labels

SURE = (";", "|")
"""Separators that no name of a sound holds."""
SEPARATORS = (*SURE, ",", "+", "&", "/", " ")
"""What may stand between several labels of one cell, the surest first."""


def split_labels(text: str, separator: str) -> tuple[str, ...]:
    """Return the labels of a cell in their order, each once; the cell itself if there is no separator.

    With any separator, a list as Python and JSON write it is divided into its labels.

    >>> split_labels("wren; crow;; wren", ";"), split_labels("wren; crow", ""), split_labels("['wren', 'crow']", ",")
    (('wren', 'crow'), ('wren; crow',), ('wren', 'crow'))
    """
    if separator and is_list(text):
        return parse_labels(text, "", "")
    if not separator or separator not in text:
        return (text,)
    return tuple(dict.fromkeys(part for item in text.split(separator) if (part := item.strip())))


def joined_labels(labels: Collection[str]) -> Mapping[str, Sequence[str]]:
    """Return, by separator, the labels that look like several labels of one cell.

    A semicolon or a bar between two parts is enough, and so is a comma without a blank behind it, or a list as Python
    writes it. Otherwise each of
    the parts must be a label itself: ``Owl, Barn`` and ``black-and-white`` are names.

    >>> joined_labels(["wren", "crow", "wren;rain", "wren crow", "Owl, Barn", "bark,dog"])
    {';': ['wren;rain'], ' ': ['wren crow'], ',': ['bark,dog']}
    """
    known = {label.casefold() for label in labels}
    labels_by_separator: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        separator = next(
            (separator_tried for separator_tried in SEPARATORS if _joins(separator_tried, label, known)), ""
        )
        if separator:
            labels_by_separator[separator].append(label)
    return dict(labels_by_separator)


def _joins(separator: str, label: str, known: Collection[str]) -> bool:
    parts = split_labels(label, separator) if separator in label else ()
    if len(parts) < 2:
        return False
    if separator in SURE or all(part.casefold() in known for part in parts):
        return True
    if is_list(label):
        return separator == ","
    return separator == "," and ", " not in label and not any(part.replace(".", "").isdecimal() for part in parts)
