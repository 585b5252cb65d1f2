"""Conditions on figures, such as ``clips.f1.kick > 0.9``."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ossicle.evaluation.gates.figures import figure_at
from ossicle.evaluation.gates.gate_line import GateLine

_FORM = re.compile(
    r"(?P<path>\S(?:.*?\S)?)\s*(?P<sign>>=|<=|>|<)\s*(?P<limit>[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)"
)
_SIGNS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    ">=": (operator.ge, "is below"),
    "<=": (operator.le, "is above"),
    ">": (operator.gt, "is not above"),
    "<": (operator.lt, "is not below"),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A figure by its path, a comparison and a limit."""

    path: str
    sign: str
    limit: float

    def __str__(self) -> str:
        return f"{self.path} {self.sign} {self.limit:g}"

    def check(self, metrics: Mapping[str, Any]) -> GateLine:
        """Compare the figure in ``metrics`` with the limit; a figure that is absent or undefined fails."""
        figure = figure_at(metrics, self.path)
        if figure.value is None:
            return GateLine(str(self), False, None, self.limit, figure.missing)
        holds, relation = _SIGNS[self.sign]
        if holds(figure.value, self.limit):
            return GateLine(str(self), True, figure.value, self.limit)
        return GateLine(str(self), False, figure.value, self.limit, f"{figure.value:.4g} {relation} {self.limit:g}")


def parse_condition(text: str) -> Condition:
    """Return the parts of a condition.

    Raises
    ------
    ValueError
        The text is not a path, one of ``>=``, ``<=``, ``>``, ``<``, and a number.

    Examples
    --------
    >>> parse_condition("clips.f1.kick > 0.9")
    Condition(path='clips.f1.kick', sign='>', limit=0.9)
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"{text!r} is not a condition: write a figure of metrics.json, one of >=, <=, >, < and a number, as in "
            "'clips.accuracy >= 0.93'"
        )
    return Condition(match["path"], match["sign"], float(match["limit"]))
