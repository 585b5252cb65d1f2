"""``[ensemble]``: which variants are combined, and by which rule."""

from ossicle.core.scores.combination import LEARNED, MOST_MEMBERS, RULES, Combination
from ossicle.core.settings import setting, settings

ITSELF = "."
"""The member that is the project without a variant; no variant can have this name."""


@settings
class EnsembleSettings:
    """The members of the ensemble and its rule; see ``core.scores.combination``."""

    members: tuple[str, ...] = setting(
        default=(),
        help='names of at least two variants; "." is the project itself; a promoted bundle (`registry:NAME@current`) '
        "stands for the variant that it is the bundle of",
    )
    rule: str = setting(
        default="mean",
        help="how the scores of the members are combined; learned: mean with weights fitted on out-of-fold scores",
        choices=RULES,
    )
    weights: tuple[float, ...] = setting(
        default=(), help="weight of each member, in the same order, divided by their sum; empty: equal weights", ge=0
    )
    exponent: float = setting(default=2.0, help="exponent of the rule power: 2 is the root mean square", gt=0, le=100)
    seed: int = setting(default=0, help="seed of the choice of frames on which weights are fitted", ge=0)

    def __post_init__(self) -> None:
        """Reject duplicate members, and weights that do not match members or rule."""
        if len(set(self.members)) < len(self.members):
            raise ValueError("members contains a name twice; to give a member more weight, set weights")
        if len(self.members) > MOST_MEMBERS:
            raise ValueError(f"members contains {len(self.members)} names; at most {MOST_MEMBERS} are accepted")
        if self.weights and self.rule == LEARNED:
            raise ValueError('rule = "learned" fits the weights: remove weights, or set rule = "mean"')
        if self.weights and len(self.weights) != len(self.members):
            raise ValueError(
                f"weights has the length {len(self.weights)}, but there are {len(self.members)} members; "
                "give one number for each member"
            )
        if self.weights and not sum(self.weights) > 0:
            raise ValueError("weights are all 0; at least one must be above 0")

    @property
    def combination(self) -> Combination:
        """Return the rule as a value; for ``learned`` without weights, which are fitted later."""
        return Combination(rule=self.rule, weights=self.weights, exponent=self.exponent)
