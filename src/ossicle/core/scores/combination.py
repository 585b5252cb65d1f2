"""Rules that combine the scores of an ensemble's members, as data; ``ossicle.inference.ensembles.combining``
applies them.
"""

import math

from ossicle.core.settings import setting, settings

LEARNED, RANK = "learned", "rank"
RULES = ("mean", "geometric", "power", "vlom", RANK, LEARNED)
MOST_MEMBERS = 64


@settings
class Combination:
    """The rule of an ensemble and the weights of its members.

    Weights are divided by their sum; empty weights are equal ones. The rules are:

    - ``mean``: the weighted mean.
    - ``geometric``: the exponential of the weighted mean of logarithms.
    - ``power``: the root of the weighted mean of powers (exponent 2 gives the root mean square).
    - ``vlom``: the mean of the geometric mean and the root mean square.
    - ``rank``: the weighted mean of ranks. A rank is the place in (0, 1) of a score among the member's scores of that
      label in a reference set of recordings.
    - ``learned``: a weighted mean with fitted weights.
    """

    rule: str = setting(default="mean", help="how scores of members become one", choices=RULES)
    weights: tuple[float, ...] = setting(default=(), help="weight of each member, in their order; empty: equal", ge=0)
    exponent: float = setting(default=2.0, help="power of the rule power", gt=0, le=100)

    def __post_init__(self) -> None:
        """Reject weights that are not finite numbers or sum to 0."""
        if self.weights and not (sum(self.weights) > 0 and all(math.isfinite(weight) for weight in self.weights)):
            raise ValueError(f"weights = {list(self.weights)} must be finite, and one of them more than 0")

    def shares(self, n_members: int) -> tuple[float, ...]:
        """Return the weights of ``n_members`` members, scaled to sum to 1.

        Raises
        ------
        ValueError
            If the number of weights differs from ``n_members``.
        """
        if not self.weights:
            return (1 / n_members,) * n_members
        if len(self.weights) != n_members:
            raise ValueError(
                f"weights has the length {len(self.weights)}, but there are {n_members} members: "
                "give one for each member"
            )
        total = sum(self.weights)
        return tuple(weight / total for weight in self.weights)
