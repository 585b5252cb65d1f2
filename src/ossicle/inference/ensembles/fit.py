"""Fitted parameters of an ensemble: the weights of its members and tables of ranks."""

from dataclasses import dataclass

from ossicle.core.scores.combination import Combination
from ossicle.inference.ensembles.combining import Scores


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A rule with its fitted parameters: weights in ``how``, and ``tables`` of ranks (None if the rule has none)."""

    combination: Combination
    tables: Scores | None = None
