"""``[quantiser]``: how many acoustic units there are, and how their centres are found."""

from ossicle.core.settings import setting, settings
from ossicle.units.bpe.token_stream import MOST_TOKENS
from ossicle.units.normalisation import GROUP, NORMALISATIONS

_MOST_UNITS = 10_000
_MOST_WITH_MOTIFS = MOST_TOKENS - 1


@settings
class QuantiserSettings:
    """``[quantiser]``: frames to acoustic units by k-means."""

    k: int = setting(
        default=100,
        help=f"number of acoustic units, at most {_MOST_WITH_MOTIFS}: a vocabulary of motifs has at most {MOST_TOKENS} "
        "tokens, units included",
        ge=2,
    )
    normalisation: str = setting(
        default=GROUP,
        help="what frames are normalised by before clustering. group: mean and scale of each group of `split.group`, "
        "for example a speaker; segment: the mean of each segment, and one scale; corpus: one mean and scale; none",
        choices=NORMALISATIONS,
    )
    held_out: float = setting(
        default=0.05,
        help="share of the recordings that the centres are not fitted to, to judge the fit; 0: none",
        ge=0,
        le=0.5,
    )
    sweep: tuple[int, ...] = setting(
        default=(),
        help="other numbers of units to try, for a table and a picture of how well they fit frames that were held out",
        ge=2,
        le=_MOST_UNITS,
    )
    seed: int = setting(default=0, help="seed of the sample, the first centres and the held-out recordings", ge=0)

    def __post_init__(self) -> None:
        """Reject more units than motifs can have tokens, before hours of training."""
        if self.k > _MOST_WITH_MOTIFS:
            raise ValueError(
                f"k = {self.k}: every unit is a token of [motifs], which counts all pairs of at most {MOST_TOKENS} "
                f"tokens in one table; set k to {_MOST_WITH_MOTIFS} or less"
            )
