"""What an ensemble fits: the weights of its members."""

from dataclasses import dataclass

from ossicle.core.combination import Combination
from ossicle.inference.ensembles.combining import Scores


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A rule with what was fitted for it: the weights in ``how``, ``tables`` of ranks, None without."""

    how: Combination
    tables: Scores | None = None
