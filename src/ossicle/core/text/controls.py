"""Characters that give orders instead of standing for themselves, in names, paths and settings that others wrote.

A line end starts a new line of a script, an escape character tells a terminal to clear or rename itself, and the
marks of writing direction (bidirectional controls) show a name as another one. Surrogates stand for bytes that are not
UTF-8; they cannot be written.
"""

import unicodedata

_JOINERS = "\u200c\u200d"
"""Zero-width joiners, which several scripts and emoji need."""
_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def is_control(character: str) -> bool:
    """Return whether a character is a control or format character, a line or paragraph separator, or a surrogate."""
    return unicodedata.category(character) in _CATEGORIES and character not in _JOINERS


def first_control(text: str) -> str | None:
    r"""Return the first character of a text for which :func:`is_control` holds, or None.

    >>> first_control("Strix aluco"), first_control("two\nlines")
    (None, '\n')
    """
    if text.isascii() and text.isprintable():
        return None
    return next((character for character in text if is_control(character)), None)


def control_name(character: str) -> str:
    r"""Return a name for a control character, for messages.

    >>> control_name("\n"), control_name("\u202e"), control_name("\x1b")
    ('a line end', 'U+202E (RIGHT-TO-LEFT OVERRIDE)', 'U+001B')
    """
    if character in "\n\r\x85\u2028\u2029":
        return "a line end"
    if character == "\0":
        return "a NUL character"
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X}" + (f" ({name})" if name else "")
