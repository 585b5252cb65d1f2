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
