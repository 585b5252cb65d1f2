"""Bars that a vocoder misses, in words."""

from collections.abc import Mapping
from typing import Any


def missed_in_words(verdict: Mapping[str, Any]) -> list[str]:
    """Return a line for each bar that decides and is missed.

    Parameters
    ----------
    verdict
        As in ``metrics.json``: ``Verdict.to_json()``.

    Examples
    --------
    >>> bar = {"figure": "mcd_db", "low": None, "high": 8.0, "value": 9.25, "met": False, "decides": True}
    >>> missed_in_words({"passed": False, "bars": [bar]})
    ['the vocoder misses a bar: mcd_db = 9.25, and must be at most 8']
    """
    lines = []
    for bar in verdict["bars"]:
        if bar["met"] or not bar["decides"]:
            continue
        limits = [f"at least {bar['low']:g}"] if bar["low"] is not None else []
        limits += [f"at most {bar['high']:g}"] if bar["high"] is not None else []
        value = "is undefined" if bar["value"] is None else f"= {bar['value']:.3g}"
        lines.append(f"the vocoder misses a bar: {bar['figure']} {value}, and must be {' and '.join(limits)}")
    return lines
