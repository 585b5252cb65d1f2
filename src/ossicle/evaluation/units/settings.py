"""Settings of the quality of units (``[quality]``)."""

from ossicle.core.settings import setting, settings

HOLD_OUT_GROUPS, HOLD_OUT_NOTHING = "group", "none"


@settings
class QualitySettings:
    """How units are judged against words, where a corpus has words."""

    hold_out: str = setting(
        default=HOLD_OUT_GROUPS,
        help="`group`: a quantiser is trained without each group of `split.group` in turn and judged on it; `none`: "
        "the project's own quantiser is judged on the speech that it was trained on",
        choices=(HOLD_OUT_GROUPS, HOLD_OUT_NOTHING),
    )
    folds: int = setting(
        default=10,
        help="most quantisers to train for this; of more groups, several are held out together",
        ge=2,
        le=100,
    )
