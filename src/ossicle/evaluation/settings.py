"""Settings of evaluation."""

from ossicle.core.pooling import MAX, POOLS
from ossicle.core.settings import setting, settings


@settings
class EvaluationSettings:
    """``[evaluation]``: what counts as found, and how sure the figures are."""

    criterion: str = setting(
        default="iou",
        help="what is evaluated: iou: events by their times; recording: whether a label is in a recording",
        choices=("iou", "recording"),
    )
    pool: str = setting(
        default=MAX, help="score of a recording: the highest of its frames, or their mean over time", choices=POOLS
    )
    iou: float = setting(default=0.5, help="lowest intersection over union of a match", gt=0, le=1)
    collar_s: float = setting(default=0.2, help="collar of the second criterion, as in sed_eval", unit="s", gt=0)
    bootstrap: int = setting(default=1000, help="number of resamples for the intervals", ge=100)
    seed: int = setting(default=0, help="seed of the resampling", ge=0)
