"""Make text from files safe to print: names, labels and keys may hold escape sequences, which a terminal executes."""

import json
from typing import Any


def printable(text: str) -> str:
    """``text`` with everything but printable characters and line ends spelt out.

    >>> printable("site\\x1b[2J A")
    'site\\\\x1b[2J A'
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character == "\n" else ascii(character)[1:-1] for character in text
    )


def printable_line(text: str) -> str:
    """``text`` as :func:`printable`, with line ends spelt out too: the name of a file stays on its line.

    >>> printable_line("two\\nlines.wav")
    'two\\\\nlines.wav'
    """
    return printable(text).replace("\n", "\\n")


def printable_message(text: str, most: int = 8000) -> str:
    """``text`` as :func:`printable`, without its middle if it is long: a message shows what a stranger's file holds.

    Parameters
    ----------
    text
        The message. Its place and key come first, and what to do about it comes last.
    most
        Number of characters that are kept.

    Examples
    --------
    >>> printable_message("key: " + "x" * 90 + " is unknown", most=20)
    'key: xxxxx [... 86 characters left out ...] is unknown'
    """
    text = printable(text)
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[: most - half]} [... {len(text) - most} characters left out ...] {text[-half:]}"


def json_text(value: Any, indent: int | None = 2) -> str:
    """Return a value as JSON that a terminal may show: characters that cannot be printed are escaped, others are not.

    Parameters
    ----------
    value
        Plain values. Surrogates (names of files that are not UTF-8) are escaped too.
    indent
        Blanks by which each level is indented; None for one line.

    Examples
    --------
    >>> json_text({"Ruf": "ü\\u202e"}, indent=None)
    '{"Ruf": "ü\\\\u202e"}'
    """
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character == "\n" else json.dumps(character)[1:-1] for character in text
    )
