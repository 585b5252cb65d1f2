"""Columns of lengths, and what to do about an ``offset`` beside one: in some tables a start, in others an end."""

import re
from collections.abc import Iterable

from ossicle.corpus.formats.cells.delimited import heading_key
from ossicle.corpus.formats.columns.headings import END, START

LENGTH = re.compile(r"(duration|dur|length|delta_time)(_(s|secs?|seconds?))?")
"""Keys of columns of lengths in seconds."""
_OFFSET = re.compile(r"offset(_time)?(_(s|secs?|seconds?))?")


def offset_advice(header: Iterable[str]) -> str:
    """Return what to do about an ``offset`` beside a duration and without a start, which may be a start or an end.

    Parameters
    ----------
    header
        The headings.

    Returns
    -------
    str
        The cause and the remedy; "" for other headings.

    Examples
    --------
    >>> offset_advice(["file", "offset", "duration", "label"])[:71]
    "'offset' beside 'duration' is the start of an event in some tables and "
    >>> offset_advice(["offset", "duration", "end_time", "label"])
    "if 'offset' is the start of an event, rename it start_time, in seconds from the start of the recording"
    >>> offset_advice(["file", "onset", "offset", "duration"])
    ''
    """
    names = {heading_key(name): name for name in header}
    offset = next((name for key, name in names.items() if _OFFSET.fullmatch(key)), None)
    length = next((name for key, name in names.items() if LENGTH.fullmatch(key)), None)
    if offset is None or length is None or not names.keys().isdisjoint(START):
        return ""
    if any(key in END and not _OFFSET.fullmatch(key) for key in names):
        return (
            f"if {offset!r} is the start of an event, rename it start_time, in seconds from the start of the recording"
        )
    return (
        f"{offset!r} beside {length!r} is the start of an event in some tables and its end in others: if it is the "
        f"start, rename it start_time and add a column end_time, start_time plus {length!r}; if it is the end, rename "
        f"it end_time and add a column start_time, end_time minus {length!r}, in seconds"
    )
