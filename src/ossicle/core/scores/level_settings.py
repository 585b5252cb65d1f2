"""``[head.level]``: how the scores of states follow the level of what is heard."""

from ossicle.core.settings import setting, settings


@settings
class LevelSettings:
    """How scores follow the level at which a recording, or a microphone, hears what the training recordings have.

    The level is a number of dB, common to all sounds, that changes slowly. It is estimated from the windows heard so
    far, and embeddings are moved back by it before a head reads them (:mod:`ossicle.core.scores.level_follower`).
    """

    follow: bool = setting(
        default=False,
        help="follow the level of each recording, in projects for states with the encoder acoustic; others have no "
        "values that a level moves by as much",
    )
    range_db: float = setting(
        default=9.0, help="largest difference from the level of the training recordings", unit="dB", gt=0, le=60
    )
    spread_db: float = setting(
        default=4.0,
        help="standard deviation of this difference before anything is heard",
        unit="dB",
        gt=0,
        le=60,
    )
    share: float = setting(
        default=0.5,
        help="weight of the class models in the log odds of the scores, the rest being that of the head; 0: they only "
        "tell the level",
        ge=0,
        le=1,
    )
    shrinkage: float = setting(
        default=0.9,
        help="weight of the diagonal in the covariance of the class models; 1: values are independent",
        gt=0,
        le=1,
    )
