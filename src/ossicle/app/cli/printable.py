"""Make text from files safe to print: names, labels and keys may hold escape sequences, which a terminal executes."""


def printable(text: str) -> str:
    """``text`` with everything but printable characters and line ends spelt out.

    >>> printable("site\\x1b[2J A")
    'site\\\\x1b[2J A'
    """
    return "".join(one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in text)
