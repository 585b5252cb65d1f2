"""Lists of labels in one cell of a table, as written by Python or JSON: ``['a', "b"]``; parsed, never evaluated."""

import re

from ossicle.core.errors import FormatError

_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
# Blanks are matched possessively: a long run of them is read once, whatever follows.
_LIST = re.compile(rf"\[\s*+(?:(?:{_QUOTED})\s*+(?:,\s*+(?:{_QUOTED})\s*+)*+(?:,\s*+)?)?\]")
_ITEM = re.compile(_QUOTED)
_ESCAPE = re.compile(r"\\(U00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def is_list(cell: str) -> bool:
    """Return whether a cell is a list of labels.

    >>> is_list("['wren']"), is_list("wren")
    (True, False)
    """
    return _LIST.fullmatch(cell.strip()) is not None


def parse_labels(cell: str, where: str, column: str) -> tuple[str, ...]:
    """Return the labels of a cell in their order, without empty labels and without blanks around labels.

    >>> parse_labels("['blackbird', 'wren', '']", "train.csv, line 2", "secondary_labels")
    ('blackbird', 'wren')

    Raises FormatError, naming ``where`` and ``column``, for anything but a list of quoted texts.
    """
    text = cell.strip()
    if not text:
        return ()
    if not _LIST.fullmatch(text):
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        raise FormatError(
            f"{where}: {column} is {shown!r}, not a list of labels; write ['a', 'b'], or [] for "
            "none; if a character separates the labels, name it in corpus.label_separator"
        )
    label_texts = (_ESCAPE.sub(_unescaped, item[1:-1]).strip() for item in _ITEM.findall(text))
    return tuple(label for label in label_texts if label)


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return _PLAIN.get(code, code)
