"""How the scores of an ensemble's members become one, as data; ``ossicle.inference.ensembles.combining`` does it."""

import math

from ossicle.core.settings import setting, settings

LEARNED, RANK = "learned", "rank"
RULES = ("mean", "geometric", "power", "vlom", RANK, LEARNED)
MOST_MEMBERS = 64


@settings
class Combination:
    """The rule of an ensemble and its members' weights (empty: equal ones), which are divided by their sum.

    ``mean``: weighted mean. ``geometric``: the exponential of the weighted mean of logarithms. ``power``: the weighted
    mean of powers, and its root (2 is the root of the mean square). ``vlom``: the mean of the geometric mean and the
    root of the mean square. ``rank``: the weighted mean of ranks, each score's place in (0, 1) among a member's scores
    of that label in a reference set of recordings. ``learned``: a weighted mean whose weights were fitted.
    """

    rule: str = setting(default="mean", help="how scores of members become one", choices=RULES)
    weights: tuple[float, ...] = setting(default=(), help="weight of each member, in their order; empty: equal", ge=0)
    exponent: float = setting(default=2.0, help="power of the rule power", gt=0, le=100)

    def __post_init__(self) -> None:
        """Refuse weights that weigh nothing or are no numbers."""
        if self.weights and not (sum(self.weights) > 0 and all(math.isfinite(one) for one in self.weights)):
            raise ValueError(f"weights = {list(self.weights)} must be finite, and one of them more than 0")

    def shares(self, n_members: int) -> tuple[float, ...]:
        """The weights of ``n_members`` members, summing to 1; raises ValueError where there are not as many."""
        if not self.weights:
            return (1 / n_members,) * n_members
        if len(self.weights) != n_members:
            raise ValueError(f"weights holds {len(self.weights)} figures for {n_members} members: give one a member")
        total = sum(self.weights)
        return tuple(one / total for one in self.weights)
