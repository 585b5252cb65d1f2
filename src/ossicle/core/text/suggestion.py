"""Suggestions for names that are unknown."""

import difflib
from collections.abc import Iterable

_CUTOFF = 0.5
_MOST_LISTED = 20


def did_you_mean(name: str, known: Iterable[str], most: int = 1) -> str:
    """Return the part of a message that tells the user which name to write.

    Parameters
    ----------
    name
        The unknown name.
    known
        The names that are valid, in the order in which to list them.
    most
        How many close names to suggest.

    Returns
    -------
    str
        The closest valid names as a question; all valid names (at most 20) where none is close; empty if there are no
        valid names.

    Examples
    --------
    >>> did_you_mean("epoch", ["batch", "epochs"])
    "did you mean 'epochs'?"
    >>> did_you_mean("zzz", ["batch", "epochs"])
    'choose one of: batch, epochs'
    """
    names = list(dict.fromkeys(known))
    close = difflib.get_close_matches(name, names, n=most, cutoff=_CUTOFF)
    if close:
        *others, last = map(repr, close)
        return f"did you mean {', '.join(others)} or {last}?" if others else f"did you mean {last}?"
    if not names:
        return ""
    more = len(names) - _MOST_LISTED
    return f"choose one of: {', '.join(names[:_MOST_LISTED])}" + (f" and {more} more" if more > 0 else "")
