"""Descriptions of what is wrong with a field, for the errors of values that validate themselves.

Each function returns a text about one field, or "" if it is valid. They run only after a cheaper check has failed.
"""

import math
import os
from numbers import Integral, Real
from pathlib import Path

INFINITY = math.inf
MOST_THREADS = 1024
"""Most threads or processes that a setting, an option or an argument may ask for: the system refuses many more."""


def raise_first(kind: str, *faults: str) -> None:
    """Raise ValueError with the first fault that is not empty; ``kind`` names the kind of value."""
    for fault in faults:
        if fault:
            raise ValueError(f"{kind}: {fault}")


def times_fault(start_s: object, end_s: object) -> str:
    """Describe what is wrong with a start and an end in seconds: both must be finite, at least 0 and in order.

    >>> times_fault(-1.0, 2.0)
    'start_s = -1.0 must be at least 0'
    """
    fault = number_fault("start_s", start_s, 0.0) or number_fault("end_s", end_s, 0.0)
    return fault or order_fault("start_s", start_s, "is after", "end_s", end_s)


def order_fault(low_name: str, low: object, relation: str, high_name: str, high: object) -> str:
    """Describe what is wrong with two numbers of which the first must not be larger; None stands for an unknown
    number.
    """
    if isinstance(low, Real) and isinstance(high, Real) and float(low) > float(high):
        return f"{low_name} = {low} {relation} {high_name} = {high}"
    return ""


def number_fault(name: str, value: object, least: float = -INFINITY, most: float = INFINITY) -> str:
    """Describe what is wrong with a number that must be finite and within bounds."""
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(float(value)):
        return f"{name} = {value!r} is not a finite number"
    if float(value) < least:
        return f"{name} = {value} must be at least {least:g}"
    return f"{name} = {value} must be at most {most:g}" if float(value) > most else ""


def count_fault(name: str, value: object, least: int, most: int | None = None) -> str:
    """Describe what is wrong with a whole number that must be at least ``least`` and at most ``most``."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        return f"{name} = {value!r} is not a whole number"
    if int(value) < least:
        return f"{name} = {value} must be at least {least}"
    return f"{name} = {value} must be at most {most}" if most is not None and int(value) > most else ""


def text_fault(name: str, value: object) -> str:
    """Describe what is wrong with a text that must not be empty."""
    if not isinstance(value, str):
        return f"{name} = {value!r} is not a text"
    return "" if value else f"{name} is empty"


def given_path(name: str, value: object) -> Path:
    """Return a path that an argument names; an empty text would mean the current folder.

    Raises
    ------
    ValueError
        The value is neither a text nor a path, or it is empty.

    Examples
    --------
    >>> given_path("path", "calls/").name
    'calls'
    >>> given_path("path", "")
    Traceback (most recent call last):
    ValueError: path is empty; write '.' for the current folder
    """
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str):
        raise ValueError(f"{name} = {value!r} is not a path; give a text or a pathlib.Path")
    if not text:
        raise ValueError(f"{name} is empty; write '.' for the current folder")
    return Path(text)
