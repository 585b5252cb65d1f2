"""Numbers of things in words."""


def counted(number: int, word: str) -> str:
    """Return a number with its noun, in the plural unless the number is 1.

    Parameters
    ----------
    number
        How many there are, at least 0.
    word
        The noun in the singular; its plural adds an ``s``.

    Examples
    --------
    >>> counted(1, "event"), counted(0, "left-out recording"), counted(12, "folder")
    ('1 event', '0 left-out recordings', '12 folders')
    """
    return f"{number} {word}{'' if number == 1 else 's'}"
