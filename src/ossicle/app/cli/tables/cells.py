"""Figures as cells of a table: three decimals, and a dash for a figure that does not exist."""

from collections.abc import Mapping

MISSING = "–"


def figure_cell(value: float | None, sign: str = "", digits: int = 3) -> str:
    """Return a figure as text; ``sign`` is ``"+"`` for differences, whose sign is always shown.

    >>> figure_cell(0.25), figure_cell(0.25, sign="+"), figure_cell(None)
    ('0.250', '+0.250', '–')
    """
    return MISSING if value is None else f"{value:{sign}.{digits}f}"


def interval_cell(figure: Mapping[str, float | None] | None, sign: str = "") -> str:
    """Return a figure (``value``, ``low``, ``high``) with its interval, or without one if a bound is None.

    >>> interval_cell({"value": 0.5, "low": 0.4, "high": 0.6})
    '0.500 [0.400, 0.600]'
    """
    if figure is None or figure["value"] is None:
        return MISSING
    value, low, high = (figure[name] for name in ("value", "low", "high"))
    interval = "" if low is None or high is None else f" [{low:{sign}.3f}, {high:{sign}.3f}]"
    return figure_cell(value, sign) + interval
