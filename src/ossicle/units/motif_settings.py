"""``[motifs]``: how many tokens a vocabulary over units has."""

from ossicle.core.settings import setting, settings
from ossicle.units.bpe.token_stream import MOST_TOKENS


@settings
class MotifSettings:
    """``[motifs]``: unit sequences to motifs."""

    vocabulary: int = setting(
        default=500,
        help="number of tokens, units included; there are fewer if the data do not allow more, with the reason in "
        "motifs.json",
        ge=2,
        le=MOST_TOKENS,
    )
    min_count: int = setting(default=10, help="least occurrences of a pair of tokens that becomes a motif", ge=2)

    def refuse_beside(self, k: int) -> None:
        """Reject a vocabulary that leaves no token for a motif.

        Parameters
        ----------
        k
            Number of units: each is a token.

        Raises
        ------
        ValueError
            Naming both keys and the remedy.
        """
        if self.vocabulary <= k:
            raise ValueError(
                f"motifs.vocabulary = {self.vocabulary}: the {k} units of quantiser.k = {k} are tokens themselves, "
                f"which leaves none for a motif; set it above {k}"
            )
