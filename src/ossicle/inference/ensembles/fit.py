"""Fitted parameters of an ensemble: the weights of its members and tables of ranks."""

from dataclasses import dataclass

from ossicle.core.scores.combination import Combination
from ossicle.inference.ensembles.combining import Scores


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A rule with its fitted parameters: weights in ``combination``, and ``tables`` of ranks where the rule has any."""

    combination: Combination
    tables: Scores | None = None
